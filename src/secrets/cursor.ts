import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { isCanonicalBase64url } from '../crypto/base64url.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { mac, macBytes, verifyMac } from '../crypto/mac.ts';
import { DomainError } from '../errors.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { SecretFilter } from '../model/secret.ts';
import { maxNameCharacters } from '../rules/text.ts';
import type { Position } from '../store/store.ts';
import { filterKey } from './filter.ts';

const purpose = 'cursor';
const idBytes = 16;
const nameStart = macBytes + idBytes;
/** In base64url, with a name whose characters take four bytes each. */
const maxLength = Math.ceil(((nameStart + 4 * maxNameCharacters) * 4) / 3);

/** The list that a cursor belongs to. */
export interface CursorList {
  readonly owner: Owner;
  readonly filter: SecretFilter;
}

/** A signed position in one owner's filtered list: base64url of MAC (16 bytes), id (16 bytes), name (UTF-8). */
export function encodeCursor(position: Position, list: CursorList, keyring: Keyring): string {
  const tag = mac(keyring, purpose, signed(position, list));
  const id = Buffer.from(position.id.replaceAll('-', ''), 'hex');
  return Buffer.concat([tag, id, Buffer.from(position.name)]).toString('base64url');
}

/** @throws DomainError BAD_REQUEST for anything but a cursor that was made for this list */
export function decodeCursor(cursor: string, list: CursorList, keyring: Keyring): Position {
  const bytes = Buffer.from(cursor.length > maxLength ? '' : cursor, 'base64url');
  if (bytes.length > nameStart && isCanonicalBase64url(cursor) && isUtf8(bytes.subarray(nameStart))) {
    const id = bytes.toString('hex', macBytes, nameStart);
    const position = {
      id: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      name: bytes.toString('utf8', nameStart),
    };
    if (verifyMac(keyring, purpose, signed(position, list), bytes.subarray(0, macBytes))) return position;
  }
  throw new DomainError('BAD_REQUEST', {
    description:
      'The cursor was not made for this list. Use one from the same owner and filter, or start over without.',
  });
}

function signed({ name, id }: Position, { owner, filter }: CursorList): string {
  return JSON.stringify([ownerKey(owner), digestOf(filter), name, id]);
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
