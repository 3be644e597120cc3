import { type BinaryToTextEncoding, createHmac } from 'node:crypto';
import type { MacKey } from './keyring.ts';

export type Field = string | number | boolean | null | readonly Field[];

/**
 * HMAC-SHA-256 over a JSON array that begins with the purpose, so that no two messages share an encoding, and what was made
 * for one purpose serves no other.
 */
export function hmac(
  { key }: Pick<MacKey, 'key'>,
  message: readonly [purpose: string, ...Field[]],
  encoding: BinaryToTextEncoding = 'base64url',
): string {
  return createHmac('sha256', key).update(JSON.stringify(message)).digest(encoding);
}
