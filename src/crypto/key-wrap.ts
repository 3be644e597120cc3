import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

const algorithm = 'id-aes256-wrap';
/** The initial value of RFC 3394, section 2.2.3.1: unwrapping compares it, which authenticates the key. */
const initialValue = Buffer.alloc(8, 0xa6);

/** Wraps a key of 256 bits (A256KW). */
export function wrapKey(contentKey: Uint8Array, by: KeyObject | Uint8Array): Buffer {
  const cipher = createCipheriv(algorithm, by, initialValue);
  const wrapped = cipher.update(contentKey);
  // Adds nothing for this cipher.
  cipher.final();
  return wrapped;
}

/** @throws Error of OpenSSL's unless this key wrapped exactly these bytes */
export function unwrapKey(wrapped: Uint8Array, by: KeyObject | Uint8Array): Buffer {
  const decipher = createDecipheriv(algorithm, by, initialValue);
  const contentKey = decipher.update(wrapped);
  // Adds nothing for this cipher. Together they would be a second copy of the key.
  decipher.final();
  return contentKey;
}
