import type { CryptoKey, JWK } from 'jose';
import { exportJWK } from 'jose/key/export';
import { generateKeyPair } from 'jose/key/generate/keypair';
import { hasX25519 } from './platform.ts';
import { algorithm } from './sealing-key.ts';

export interface RecipientKeys {
  /** The `recipient` of `resolveSecrets`. */
  readonly publicJwk: JWK;
  /** For `openDelivery`. It cannot be exported, and is gone with the process. */
  readonly privateKey: CryptoKey;
}

/** Makes a key pair that values are delivered to: X25519, or P-256 where the platform has no X25519. */
export async function createRecipient(): Promise<RecipientKeys> {
  const crv = (await hasX25519()) ? 'X25519' : 'P-256';
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { crv, extractable: false });
  return { publicJwk: await exportJWK(publicKey), privateKey };
}
