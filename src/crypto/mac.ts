import { type BinaryToTextEncoding, createHmac } from 'node:crypto';
import type { MacKey } from './keyring.ts';

export type Field = string | number | boolean | null | readonly Field[];

/**
 * HMAC-SHA-256 over a JSON array that begins with the purpose, so that no two messages share an encoding, and what was made
 * for one purpose serves no other.
 */
export function hmac(key: Pick<MacKey, 'key'>, message: Message, encoding?: BinaryToTextEncoding): string {
  return hmacOfText(key, textOf(message), encoding);
}

export type Message = readonly [purpose: string, ...Field[]];

/** What a MAC is over. */
export function textOf(message: Message): string {
  return JSON.stringify(message);
}

/** @param text by `textOf` */
export function hmacOfText(
  { key }: Pick<MacKey, 'key'>,
  text: string,
  encoding: BinaryToTextEncoding = 'base64url',
): string {
  return createHmac('sha256', key).update(text).digest(encoding);
}
