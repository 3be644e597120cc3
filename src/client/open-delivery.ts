import { type CryptoKey, compactDecrypt, type JWK } from 'jose';

export interface OpenedDelivery {
  readonly value: string;
  readonly secretId: string;
  /** The version of the secret when it was delivered. */
  readonly version: number;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Opens a `jwe` of `resolveSecrets`.
 * @param privateKey of `createRecipient`, or any X25519 or P-256 key
 * @throws jose's JWEDecryptionFailed or JWEInvalid when it was not delivered to this key, or was changed
 */
export async function openDelivery(jwe: string, privateKey: CryptoKey | JWK): Promise<OpenedDelivery> {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey, {
    keyManagementAlgorithms: ['ECDH-ES+A256KW'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  const { typ, secretId, version } = protectedHeader;
  if (typ !== 'delivered-secret+jwe' || typeof secretId !== 'string' || typeof version !== 'number') {
    throw new TypeError('This is no delivery of secrets-gateway.');
  }
  return { value: decoder.decode(plaintext), secretId, version };
}
