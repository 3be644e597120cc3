import { isUtf8 } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { DomainError } from '../errors.ts';
import { isCanonicalBase64url } from './base64url.ts';
import { isUsable, type Keyring, type MacKey } from './keyring.ts';
import { hmac } from './mac.ts';

/** The parts of a cursor before the name, in bytes. */
const [markBytes, macBytes, idBytes] = [4, 16, 16];
const idStart = markBytes + macBytes;
const nameStart = idStart + idBytes;
const numberBytes = 8;
/** In base64url, with a name of 255 characters that take four bytes each. */
const maxLength = Math.ceil(((nameStart + 4 * 255) * 4) / 3);

/** A place in a list that is in the order of names. The id is a UUID. */
export interface CursorPosition {
  readonly name: string;
  readonly id: string;
}

/**
 * A signed position in one list: base64url of the mark of the MAC key (4 bytes), the MAC (16 bytes), the id (16 bytes) and the
 * name (UTF-8).
 * @param list what tells the list from every other
 */
export function encodeCursor(position: CursorPosition, list: readonly string[], { mac: { active } }: Keyring): string {
  const id = Buffer.from(position.id.replaceAll('-', ''), 'hex');
  const parts = [active.mark, macOf([position.name, position.id], list, active), id, Buffer.from(position.name)];
  return Buffer.concat(parts).toString('base64url');
}

/** The same for a list in the order of numbers: the number has eight bytes in place of the id and the name. */
export function encodeNumberCursor(position: number, list: readonly string[], { mac: { active } }: Keyring): string {
  const number = Buffer.alloc(numberBytes);
  number.writeBigUInt64BE(BigInt(position));
  return Buffer.concat([active.mark, macOf([position], list, active), number]).toString('base64url');
}

/** @throws DomainError BAD_REQUEST for anything but a cursor that was made for this list */
export function decodeNumberCursor(cursor: string, list: readonly string[], keyring: Keyring): number {
  const bytes = Buffer.from(cursor.length > maxLength ? '' : cursor, 'base64url');
  if (bytes.length === idStart + numberBytes && isCanonicalBase64url(cursor)) {
    const position = Number(bytes.readBigUInt64BE(idStart));
    if (isSigned(bytes, [position], list, keyring)) return position;
  }
  throw notOfThisList();
}

/** @throws DomainError BAD_REQUEST for anything but a cursor that was made for this list */
export function decodeCursor(cursor: string, list: readonly string[], keyring: Keyring): CursorPosition {
  const bytes = Buffer.from(cursor.length > maxLength ? '' : cursor, 'base64url');
  if (bytes.length > nameStart && isCanonicalBase64url(cursor) && isUtf8(bytes.subarray(nameStart))) {
    const id = bytes.toString('hex', idStart, nameStart);
    const position = {
      id: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      name: bytes.toString('utf8', nameStart),
    };
    if (isSigned(bytes, [position.name, position.id], list, keyring)) return position;
  }
  throw notOfThisList();
}

function notOfThisList(): DomainError {
  return new DomainError('BAD_REQUEST', {
    description:
      'The cursor was not made for this list. Use one from the same owner and filter, or start over without.',
  });
}

/** A key that is retired verifies nothing: its cursors end with it. */
function isSigned(
  bytes: Buffer,
  position: readonly (string | number)[],
  list: readonly string[],
  { mac: { keys } }: Keyring,
): boolean {
  const mark = bytes.subarray(0, markBytes);
  const tag = bytes.subarray(markBytes, idStart);
  for (const key of keys.values()) {
    if (isUsable(key.state) && mark.equals(key.mark)) {
      if (timingSafeEqual(macOf(position, list, key), tag)) return true;
    }
  }
  return false;
}

function macOf(position: readonly (string | number)[], list: readonly string[], key: MacKey): Buffer {
  return Buffer.from(hmac(key, ['cursor', ...list, ...position]), 'base64url').subarray(0, macBytes);
}
