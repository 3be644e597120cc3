import { EnvelopeRejected, rewrap } from '../crypto/envelope.ts';
import { type Keyring, opens } from '../crypto/keyring.ts';
import type { Store, WrappedKey } from '../store/store.ts';
import { countEnvelopes, wrappedKeyPages } from './count-envelopes.ts';
import { retried } from './retry.ts';

export interface RewrapOptions {
  /** Told after every page how many of how many are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends it after the page at hand; another run goes on from there. */
  readonly signal?: AbortSignal;
}

export interface RewrapReport {
  readonly rewrapped: number;
  /** How many envelopes are still under other keys than the active one, by `kid`. */
  readonly left: ReadonlyMap<string, number>;
  /** Ids of secrets whose content key does not unwrap. */
  readonly damaged: readonly string[];
}

/** A gateway that has not heard of the new key yet seals under the old one behind a pass; the next gathers it. */
const maxPasses = 3;

/**
 * Puts the content key of every envelope under the active key. Values and ciphertexts are neither read nor written, so that
 * gateways go on meanwhile, and wherever a run is cut off, each envelope is whole, under one key or the other.
 * @throws DomainError when the store stays away
 */
export async function rewrapSecrets(
  { store, keyring }: { readonly store: Store; readonly keyring: Keyring },
  { onProgress, signal }: RewrapOptions = {},
): Promise<RewrapReport> {
  let left = await countOthers(store, keyring);
  let rewrapped = 0;
  let damaged: string[] = [];
  for (let pass = 1; pass <= maxPasses && openable(left, keyring) > damaged.length; pass += 1) {
    const total = rewrapped + openable(left, keyring);
    damaged = [];
    for await (const page of wrappedKeyPages(store)) {
      const { replacements, rejected } = await rewrapPage(page, keyring);
      damaged.push(...rejected);
      // What a gateway sealed anew meanwhile stays as that gateway left it.
      rewrapped += await retried(() => store.replaceWrappedKeys(replacements));
      onProgress?.(rewrapped, total);
      if (signal?.aborted) break;
    }
    left = await countOthers(store, keyring);
    if (signal?.aborted) break;
  }
  return { rewrapped, left, damaged };
}

async function rewrapPage(page: readonly WrappedKey[], keyring: Keyring) {
  const rejected: string[] = [];
  const replacements: { from: WrappedKey; to: WrappedKey }[] = [];
  const due = page.filter(({ kid }) => kid !== keyring.active.kid && isOpenable(kid, keyring));
  await Promise.all(
    due.map(async (from) => {
      try {
        replacements.push({ from, to: await rewrap(from, keyring) });
      } catch (error) {
        if (!(error instanceof EnvelopeRejected)) throw error;
        rejected.push(from.secretId);
      }
    }),
  );
  return { replacements, rejected };
}

async function countOthers(store: Store, { active }: Keyring): Promise<Map<string, number>> {
  const counts = await countEnvelopes(store);
  counts.delete(active.kid);
  return counts;
}

function openable(counts: ReadonlyMap<string, number>, keyring: Keyring): number {
  return [...counts].reduce((sum, [kid, count]) => sum + (isOpenable(kid, keyring) ? count : 0), 0);
}

function isOpenable(kid: string, keyring: Keyring): boolean {
  const key = keyring.keys.get(kid);
  return key !== undefined && opens(key.state);
}
