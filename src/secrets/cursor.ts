import { isUtf8 } from 'node:buffer';
import { hash, timingSafeEqual } from 'node:crypto';
import { isCanonicalBase64url } from '../crypto/base64url.ts';
import { isUsable, type Keyring, type MacKey } from '../crypto/keyring.ts';
import { hmac } from '../crypto/mac.ts';
import { DomainError } from '../errors.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { SecretFilter } from '../model/secret.ts';
import { maxNameCharacters } from '../rules/text.ts';
import type { Position } from '../store/store.ts';
import { filterKey } from './filter.ts';

/** The parts of a cursor before the name, in bytes. */
const [markBytes, macBytes, idBytes] = [4, 16, 16];
const idStart = markBytes + macBytes;
const nameStart = idStart + idBytes;
/** In base64url, with a name whose characters take four bytes each. */
const maxLength = Math.ceil(((nameStart + 4 * maxNameCharacters) * 4) / 3);

/** The list that a cursor belongs to. */
export interface CursorList {
  readonly owner: Owner;
  readonly filter: SecretFilter;
}

/**
 * A signed position in one owner's filtered list: base64url of the mark of the MAC key (4 bytes), the MAC (16 bytes), the id
 * (16 bytes) and the name (UTF-8).
 */
export function encodeCursor(position: Position, list: CursorList, { mac: { active } }: Keyring): string {
  const id = Buffer.from(position.id.replaceAll('-', ''), 'hex');
  const parts = [active.mark, macOf(position, list, active), id, Buffer.from(position.name)];
  return Buffer.concat(parts).toString('base64url');
}

/** @throws DomainError BAD_REQUEST for anything but a cursor that was made for this list */
export function decodeCursor(cursor: string, list: CursorList, keyring: Keyring): Position {
  const bytes = Buffer.from(cursor.length > maxLength ? '' : cursor, 'base64url');
  if (bytes.length > nameStart && isCanonicalBase64url(cursor) && isUtf8(bytes.subarray(nameStart))) {
    const id = bytes.toString('hex', idStart, nameStart);
    const position = {
      id: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      name: bytes.toString('utf8', nameStart),
    };
    if (isSigned(bytes, position, list, keyring)) return position;
  }
  throw new DomainError('BAD_REQUEST', {
    description:
      'The cursor was not made for this list. Use one from the same owner and filter, or start over without.',
  });
}

/** A key that is retired verifies nothing: its cursors end with it. */
function isSigned(bytes: Buffer, position: Position, list: CursorList, { mac: { keys } }: Keyring): boolean {
  const mark = bytes.subarray(0, markBytes);
  const tag = bytes.subarray(markBytes, idStart);
  for (const key of keys.values()) {
    if (isUsable(key.state) && mark.equals(key.mark)) {
      if (timingSafeEqual(macOf(position, list, key), tag)) return true;
    }
  }
  return false;
}

function macOf({ name, id }: Position, { owner, filter }: CursorList, key: MacKey): Buffer {
  return hmac(key, 'cursor', [ownerKey(owner), digestOf(filter), name, id]).subarray(0, macBytes);
}

const digests = new WeakMap<SecretFilter, string>();

/** A filter may have thousands of characters, and a page a thousand cursors. */
function digestOf(filter: SecretFilter): string {
  let digest = digests.get(filter);
  if (digest === undefined) {
    digest = hash('sha256', filterKey(filter), 'base64url');
    digests.set(filter, digest);
  }
  return digest;
}
