import type { SealKey } from '../crypto/keyring.ts';
import { authenticated } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Dependencies } from './dependencies.ts';

/** A key that clients seal values to. */
export interface SealingKey {
  readonly kid: string;
  readonly alg: string;
  readonly jwk: SealKey['publicJwk'];
}

/**
 * The active key of each curve, X25519 first.
 * @throws DomainError UNAUTHORIZED
 */
export function listSealingKeys({ keyring }: Pick<Dependencies, 'keyring'>, caller: Caller): SealingKey[] {
  authenticated(caller);
  return Object.values(keyring().seal).map(({ active: { kid, publicJwk } }) => {
    return { kid, alg: publicJwk.alg ?? '', jwk: publicJwk };
  });
}
