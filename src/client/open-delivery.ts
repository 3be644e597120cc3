import type { CryptoKey, JWK } from 'jose';
import * as base64url from 'jose/base64url';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { importJWK } from 'jose/key/import';
import { requireCrypto } from './platform.ts';
import { algorithm } from './sealing-key.ts';

export interface OpenedDelivery {
  readonly value: string;
  readonly secretId: string;
  /** The version of the secret when it was delivered. */
  readonly version: number;
}

/** A delivery that cannot be opened. It holds nothing of the delivery. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Opens a `jwe` of `resolveSecrets`.
 * @param privateKey of `createRecipient`, or another private key on X25519 or P-256
 * @throws DeliveryError when it is no delivery, was sealed to another key, or was changed
 * @throws TypeError when the key is none for deliveries
 */
export async function openDelivery(jwe: string, privateKey: CryptoKey | JWK): Promise<OpenedDelivery> {
  requireCrypto();
  const key = await importPrivateKey(privateKey);
  const { secretId, version } = readHeader(jwe);
  const plaintext = await compactDecrypt(jwe, key, {
    keyManagementAlgorithms: [algorithm],
    contentEncryptionAlgorithms: ['A256GCM'],
  }).then(
    (decrypted) => decrypted.plaintext,
    () => {
      throw new DeliveryError('This delivery was sealed to another key, or was changed on its way.');
    },
  );
  return { value: decode(plaintext), secretId, version };
}

/** @throws DeliveryError for what is not exactly a header of a delivery */
function readHeader(jwe: string): { secretId: string; version: number } {
  const { alg, enc, typ, secretId, version, zip, crit } = decodeHeader(jwe);
  const isDelivery =
    alg === algorithm && enc === 'A256GCM' && typ === 'delivered-secret+jwe' && zip === undefined && crit === undefined;
  if (!isDelivery || typeof secretId !== 'string' || typeof version !== 'number' || !Number.isSafeInteger(version)) {
    throw noDelivery();
  }
  return { secretId, version };
}

function decodeHeader(jwe: string): Record<string, unknown> {
  try {
    // The one form of a compact JWE (RFC 7516, section 7.1): padding, spaces or other last bits would decode to the same.
    const parts = jwe.split('.', 6);
    if (parts.length === 5 && parts.every((part) => base64url.encode(base64url.decode(part)) === part)) {
      return decodeProtectedHeader(jwe);
    }
  } catch {
    // As below.
  }
  throw noDelivery();
}

function decode(plaintext: Uint8Array): string {
  try {
    return decoder.decode(plaintext);
  } catch {
    throw noDelivery();
  }
}

function noDelivery(): DeliveryError {
  return new DeliveryError('This is no delivery of secrets-gateway.');
}

async function importPrivateKey(given: CryptoKey | JWK): Promise<CryptoKey> {
  const { kty } = (given ?? {}) as JWK;
  const key = kty === undefined ? given : await importJWK(given as JWK, algorithm).catch(() => null);
  const { type, algorithm: { name, namedCurve } = {} } = (key ?? {}) as KeyShape;
  const isOnCurve = name === 'X25519' || (name === 'ECDH' && namedCurve === 'P-256');
  if (type === 'private' && isOnCurve) return key as CryptoKey;
  throw new TypeError('privateKey must be the private key of createRecipient(), or another on X25519 or P-256.');
}

interface KeyShape {
  readonly type?: string;
  readonly algorithm?: { readonly name?: string; readonly namedCurve?: string };
}
