import { hasValue } from '../crypto/equality.ts';
import { authenticated } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { StoredSecret } from '../model/secret.ts';
import { createPacing } from '../runtime/pacing.ts';
import type { Dependencies } from './dependencies.ts';

/** A stored secret, and a value that may be the one that it has. */
export interface Compared {
  readonly secret: StoredSecret;
  /** Text, or the UTF-8 of one. */
  readonly value: string | Uint8Array;
}

/**
 * Whether each value is the one that its secret has, by their digests: nothing is opened. All secrets are of one owner, whom the
 * operation has authorised, and are as they were read.
 * @returns in the same order
 * @throws DomainError TOO_MANY_REQUESTS
 */
export type SameValues = (owner: Owner, compared: readonly Compared[]) => Promise<readonly boolean[]>;

/** In bytes of values: some milliseconds of HMACs. What one value takes besides is as much as some bytes more. */
const pace = createPacing(256 * 1024);
const bytesPerValue = 4096;

/**
 * For one call of an operation that tells callers which values are the same. It takes one from the caller's budget when it first
 * has something to compare. Without the scope `secrets:match` no value is the same as any: nothing is read and nothing is
 * computed, so that neither the answer nor the time tells.
 */
export function sameValues({ store, keyring, spendMatch }: Dependencies, caller: Caller): SameValues {
  const principal = authenticated(caller);
  const isAllowed = principal.scopes.has('secrets:match');
  let isSpent = false;
  return async (owner, compared) => {
    if (!isAllowed || compared.length === 0) return compared.map(() => false);
    if (!isSpent) {
      isSpent = true;
      await spendMatch(principal);
    }
    const digests = await store.digests.of(
      owner,
      compared.map(({ secret }) => secret.id),
    );
    const ring = keyring();
    const same: boolean[] = [];
    for (const { secret, value } of compared) {
      const turn = pace(bytesPerValue + value.length);
      if (turn) await turn;
      same.push(hasValue(secret, digests.get(secret.id), value, ring));
    }
    return same;
  };
}
