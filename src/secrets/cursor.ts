import { isUtf8 } from 'node:buffer';
import { type Keyring, mac, verifyMac } from '../crypto/keyring.ts';
import { DomainError } from '../errors.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { Filter, Position } from '../store/store.ts';

const purpose = 'cursor';
const tagBytes = 16;
const idBytes = 16;

/** The list a cursor belongs to. */
export interface CursorScope {
  readonly owner: Owner;
  readonly filter: Filter;
}

/** A place in one owner's filtered list, signed: base64url of tag (16 bytes), id (16 bytes), name (UTF-8). */
export function encodeCursor(position: Position, scope: CursorScope, keyring: Keyring): string {
  const tag = mac(keyring, purpose, signed(position, scope));
  const id = Buffer.from(position.id.replaceAll('-', ''), 'hex');
  return Buffer.concat([tag, id, Buffer.from(position.name)]).toString('base64url');
}

/** @throws DomainError BAD_REQUEST for anything but a cursor that was made for this very list */
export function decodeCursor(cursor: string, scope: CursorScope, keyring: Keyring): Position {
  const bytes = Buffer.from(cursor, 'base64url');
  // Other spellings decode to the same place, and would let one cursor pass as many.
  const isCanonical = bytes.toString('base64url') === cursor && isUtf8(bytes.subarray(tagBytes + idBytes));
  if (bytes.length > tagBytes + idBytes && isCanonical) {
    const id = bytes.toString('hex', tagBytes, tagBytes + idBytes);
    const position = {
      id: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      name: bytes.toString('utf8', tagBytes + idBytes),
    };
    if (verifyMac(keyring, purpose, signed(position, scope), bytes.subarray(0, tagBytes))) return position;
  }
  throw new DomainError('BAD_REQUEST', {
    description:
      'The cursor was not made for this list. Use one from the same owner and filter, or start over without.',
  });
}

function signed({ name, id }: Position, { owner, filter }: CursorScope): string {
  const { name: exact, nameStartsWith, provider, tags, placeholder } = filter;
  return JSON.stringify([ownerKey(owner), exact, nameStartsWith, provider, tags, placeholder, name, id]);
}
