import { createCipheriv, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import { contentEncryption, keyManagement, wrappingKeyFrom } from './key-agreement.ts';
import { wrapKey } from './key-wrap.ts';
import type { Recipient } from './recipient.ts';

/** What a delivered value says of itself, in the protected header of its JWE. */
export interface DeliveryHeader {
  readonly secretId: string;
  readonly version: number;
  /** Seconds since 1970. */
  readonly iat: number;
  /** Who it was delivered to: the caller's `viewer.subject`. */
  readonly sub: string;
}

const keyBytes = 32;

/**
 * Seals a value to a recipient, with an ephemeral key and a content key that exist for this call only.
 * @param value in UTF-8
 * @returns a compact JWE (RFC 7516, section 7.1)
 */
export function sealDelivery(value: Uint8Array, header: DeliveryHeader, recipient: Recipient): string {
  const { epk, shared } = agree(recipient);
  const protectedHeader = { alg: keyManagement, enc: contentEncryption, typ: 'delivered-secret+jwe', ...header, epk };
  const protectedText = Buffer.from(JSON.stringify(protectedHeader)).toString('base64url');
  const contentKey = randomBytes(keyBytes);
  const wrappingKey = wrappingKeyFrom(shared);
  const encryptedKey = wrapKey(contentKey, wrappingKey);

  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', contentKey, iv);
  cipher.setAAD(Buffer.from(protectedText, 'ascii'));
  const ciphertext = cipher.update(value);
  // The mode has no last block.
  cipher.final();
  for (const secret of [shared, wrappingKey, contentKey]) secret.fill(0);
  const parts = [encryptedKey, iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'));
  return [protectedText, ...parts].join('.');
}

interface Agreement {
  /** The public half of the ephemeral key (RFC 7518, section 4.6.1.1). */
  readonly epk: JsonWebKey;
  readonly shared: Buffer;
}

function agree({ curve, key }: Recipient): Agreement {
  const { publicKey, privateKey } =
    curve === 'X25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ec', { namedCurve: curve });
  return { epk: publicKey.export({ format: 'jwk' }), shared: diffieHellman({ privateKey, publicKey: key }) };
}
