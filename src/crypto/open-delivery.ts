import { createDecipheriv, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { decodeBase64url } from './base64url.ts';
import { contentEncryption, isCoordinate, keyManagement, wrappingKeyFrom } from './key-agreement.ts';
import { unwrapKey, wrapKey } from './key-wrap.ts';

// What the published client does with jose in Web Cryptography, which takes a tenth of a second for its first deliveries in Node.

export interface DeliveryKey {
  /** The `recipient` of `resolveSecrets`. */
  readonly publicJwk: { readonly kty: string; readonly crv: string; readonly x: string };
  readonly privateKey: KeyObject;
}

/** A key on X25519 that values are delivered to. */
export function createDeliveryKey(): DeliveryKey {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const { kty = '', crv = '', x = '' } = publicKey.export({ format: 'jwk' });
  return { publicJwk: { kty, crv, x }, privateKey };
}

/** OpenSSL looks an algorithm up at its first use. Whoever waits for an answer can do that meanwhile. */
export function prepareToOpen(): void {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const key = wrappingKeyFrom(diffieHellman({ privateKey, publicKey }));
  createDecipheriv('aes-256-gcm', unwrapKey(wrapKey(key, key), key), Buffer.alloc(12), { authTagLength: tagBytes });
}

export interface OpenedDelivery {
  readonly value: string;
  readonly secretId: string;
  /** The version of the secret when it was delivered. */
  readonly version: number;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const tagBytes = 16;

/**
 * Opens a delivery to this key.
 * @returns null for what is no delivery, was sealed to another key, or was changed
 */
export function openDelivery(jwe: string, privateKey: KeyObject): OpenedDelivery | null {
  const parts = jwe.split('.', 6);
  // The one form of a compact JWE (RFC 7516, section 7.1).
  if (parts.length !== 5) return null;
  const [protectedText = ''] = parts;
  const [headerBytes, encryptedKey, iv, ciphertext, tag] = parts.map(decodeBase64url);
  if (!headerBytes || !encryptedKey || iv?.length !== 12 || !ciphertext || tag?.length !== tagBytes) return null;
  try {
    const header = readHeader(headerBytes);
    if (!header) return null;
    // OpenSSL refuses a point of small order.
    const shared = diffieHellman({ privateKey, publicKey: header.ephemeralKey });
    const contentKey = unwrapKey(encryptedKey, wrappingKeyFrom(shared));
    const decipher = createDecipheriv('aes-256-gcm', contentKey, iv, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(protectedText, 'ascii'));
    decipher.setAuthTag(tag);
    const plaintext = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    return { value: decoder.decode(plaintext), secretId: header.secretId, version: header.version };
  } catch {
    return null;
  }
}

interface Header {
  readonly secretId: string;
  readonly version: number;
  /** Of `epk`. */
  readonly ephemeralKey: KeyObject;
}

/** @returns null for what is not exactly a header of a delivery to a key on X25519 */
function readHeader(bytes: Buffer): Header | null {
  const header: unknown = JSON.parse(decoder.decode(bytes));
  if (typeof header !== 'object' || header === null) return null;
  const { alg, enc, typ, secretId, version, epk, ...others } = header as Record<string, unknown>;
  const isDelivery = alg === keyManagement && enc === contentEncryption && typ === 'delivered-secret+jwe';
  // They would change what the other members mean.
  if (!isDelivery || ['zip', 'crit', 'apu', 'apv'].some((name) => name in others)) return null;
  if (typeof secretId !== 'string' || typeof version !== 'number' || !Number.isSafeInteger(version)) return null;
  const { kty, crv, x } = (epk ?? {}) as Record<string, unknown>;
  if (kty !== 'OKP' || crv !== 'X25519' || !isCoordinate(x)) return null;
  const ephemeralKey = createPublicKey({
    format: 'raw-public',
    asymmetricKeyType: 'x25519',
    key: Buffer.from(x, 'base64url'),
  });
  return { secretId, version, ephemeralKey };
}
