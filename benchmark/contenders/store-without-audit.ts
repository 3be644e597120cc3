import { openStore as openShipped } from '../../src/store/open-store.ts';
import type { Store, Write } from '../../src/store/store.ts';

/**
 * The store as shipped, but for the commit of a use, which does nothing: so the price of the audit can be told apart. All else
 * is done, also the making of the event.
 */
export async function openStore(...args: Parameters<typeof openShipped>): Promise<Store> {
  const store = await openShipped(...args);
  const commit = store.commit.bind(store);
  return Object.assign(store, {
    commit: async (writes: readonly Write[]) => {
      if (!writes.every(({ type }) => type === 'useSecret')) await commit(writes);
    },
  });
}
