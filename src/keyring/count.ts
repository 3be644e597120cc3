import { retried } from '../runtime/retry.ts';
import type { Keyed } from '../store/kid-counts.ts';
import type { Store } from '../store/store.ts';

/** What one call to the store counts: little enough for its deadline, much enough for few calls. */
const rangeSize = 50_000;

/**
 * How many need each key, by its `kid`; damaged envelopes are under `unknownKid`. What is written meanwhile may be counted
 * or not.
 * @throws DomainError when the store stays away
 */
export async function countKids(store: Store, of: Keyed): Promise<Map<string, number>> {
  const total = new Map<string, number>();
  for await (const counts of countedRanges(store, of, rangeSize)) {
    for (const [kid, count] of counts) total.set(kid, (total.get(kid) ?? 0) + count);
  }
  return total;
}

/** The counts of all of them, range by range. */
export async function* countedRanges(
  store: Store,
  of: Keyed,
  size: number,
): AsyncGenerator<ReadonlyMap<string, number>> {
  for (let after = ''; ; ) {
    const { counts, last } = await retried(() => store.countKids(of, after, size));
    if (last === null) return;
    yield counts;
    after = last;
  }
}
