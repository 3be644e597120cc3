import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';

export interface RecipientKeys {
  /** The `recipient` of `resolveSecrets`. */
  readonly publicJwk: JWK;
  /** For `openDelivery`. It cannot be exported, and is gone with the process. */
  readonly privateKey: CryptoKey;
}

/** Makes a key pair that values are delivered to: X25519, or P-256 where the platform has no X25519. */
export async function createRecipient(): Promise<RecipientKeys> {
  const { publicKey, privateKey } = await pair('X25519').catch(() => pair('P-256'));
  return { publicJwk: await exportJWK(publicKey), privateKey };
}

function pair(crv: 'X25519' | 'P-256') {
  return generateKeyPair('ECDH-ES+A256KW', { crv, extractable: false });
}
