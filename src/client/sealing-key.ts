import type { JWK } from 'jose';
import { hasX25519 } from './platform.ts';

/** One of `Query.sealingKeys`. */
export interface SealingKey {
  readonly kid: string;
  /** `ECDH-ES+A256KW` */
  readonly alg: string;
  readonly jwk: JWK;
}

/** A key of the schema, or of `/.well-known/jwks.json`, where the key itself has the id. */
export type AnySealingKey = SealingKey | JWK;

export const algorithm = 'ECDH-ES+A256KW';

/** The id of a sealing key, and its public key. */
export function partsOf(sealingKey: AnySealingKey): { kid: string; jwk: JWK } {
  const { kid, alg, jwk = sealingKey } = (sealingKey ?? {}) as SealingKey;
  const { kty, crv, x, y } = (jwk ?? {}) as JWK;
  if (typeof kid !== 'string' || (alg ?? algorithm) !== algorithm || (crv !== 'X25519' && crv !== 'P-256')) {
    throw new TypeError('sealingKey must be one of Query.sealingKeys, or of the keys at /.well-known/jwks.json.');
  }
  // Without the members that say what the key is for: platforms read them differently.
  return { kid, jwk: { kty, crv, x, ...(y !== undefined && { y }) } as JWK };
}

/**
 * Takes one of the published keys: X25519, or P-256 where the platform has no X25519.
 * @param keys `Query.sealingKeys`, or the `keys` of `/.well-known/jwks.json`
 * @throws TypeError when there is none that can be used
 */
export async function chooseSealingKey<Key extends AnySealingKey>(keys: readonly Key[]): Promise<Key> {
  const ofCurve = (crv: string) => keys.find((key) => ((key as SealingKey).jwk ?? key).crv === crv);
  const key = ((await hasX25519()) && ofCurve('X25519')) || ofCurve('P-256');
  if (!key) throw new TypeError('None of these sealing keys can be used on this platform.');
  return key;
}
