import { retried } from '../runtime/retry.ts';
import type { Store, WrappedKey } from '../store/store.ts';

const pageSize = 1000;

/**
 * How many envelopes are under each key, by its `kid`. One that is written meanwhile may be counted or not.
 * @throws DomainError when the store stays away
 */
export async function countEnvelopes(store: Store): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const page of wrappedKeyPages(store)) {
    for (const { kid } of page) counts.set(kid, (counts.get(kid) ?? 0) + 1);
  }
  return counts;
}

/** The wrapped content keys of all secrets, page by page. */
export async function* wrappedKeyPages(store: Store): AsyncGenerator<WrappedKey[]> {
  for (let afterId = ''; ; ) {
    const page = await retried(() => store.wrappedKeys(afterId, pageSize));
    const last = page.at(-1);
    if (!last) return;
    yield page;
    afterId = last.secretId;
  }
}
