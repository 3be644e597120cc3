import { retried } from '../runtime/retry.ts';
import type { Store } from '../store/store.ts';

/** Secrets that one call to the store counts: few enough for its deadline, many enough for few calls. */
const rangeSize = 50_000;

/**
 * How many envelopes are under each key, by its `kid`; damaged envelopes are under `unknownKid`. An envelope that is
 * written meanwhile may be counted or not.
 * @throws DomainError when the store stays away
 */
export async function countEnvelopes(store: Store): Promise<Map<string, number>> {
  const total = new Map<string, number>();
  for await (const counts of countedRanges(store, rangeSize)) {
    for (const [kid, count] of counts) total.set(kid, (total.get(kid) ?? 0) + count);
  }
  return total;
}

/** The counts of all secrets, range by range. */
export async function* countedRanges(store: Store, size: number): AsyncGenerator<ReadonlyMap<string, number>> {
  for (let afterId = ''; ; ) {
    const { counts, lastId } = await retried(() => store.countEnvelopes(afterId, size));
    if (lastId === null) return;
    yield counts;
    afterId = lastId;
  }
}
