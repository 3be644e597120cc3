import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as openStores from '../../src/store/open-store.ts';
import type { Write } from '../../src/store/store.ts';
import { FakeProvider, gatewayOf } from '../support/fake-provider.ts';
import { storeNames, type TestGateway } from '../support/gateway.ts';
import { Keeper } from '../support/health.ts';

const { openStore } = openStores;
const setTimer = setTimeout;
/** The longest that an answer waits until the health is stored. */
const recordMs = 2000;

const hasHealth = (write: Write) => write.type === 'useSecret' && write.health !== undefined;

describe.each(storeNames)('health that is stored slowly, on %s', (name) => {
  let gateway: TestGateway;
  let provider: FakeProvider;
  let held = Promise.withResolvers<void>();
  beforeAll(async () => {
    provider = await FakeProvider.start();
    vi.spyOn(openStores, 'openStore').mockImplementation(async (...of) => {
      const store = await openStore(...of);
      const [commit, setHealth] = [store.commit.bind(store), store.setHealth.bind(store)];
      return Object.assign(store, {
        async commit(writes: readonly Write[]) {
          if (writes.some(hasHealth)) await held.promise;
          return commit(writes);
        },
        async setHealth(...change: Parameters<typeof setHealth>) {
          await held.promise;
          return setHealth(...change);
        },
      });
    });
    gateway = await gatewayOf(name, provider);
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(async () => {
    held.resolve();
    await gateway?.close();
    await provider?.close();
  });

  it('holds the answer to a use up for 2 s at most, and is stored all the same', async () => {
    const keeper = await Keeper.new(gateway, provider);
    const { id, key } = await keeper.newSecret();
    // These 2 s pass at once.
    const passing = (run: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) =>
      setTimer(run, ms === recordMs ? 0 : ms, ...given);
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(passing as typeof setTimeout);
    let before: unknown = null;
    for (const [status, found] of [
      [200, ['VALID', 'USE']],
      [401, ['REJECTED', 'USE']],
    ] as const) {
      if (status === 401) provider.known.delete(key);
      held = Promise.withResolvers<void>();
      expect([await keeper.use(id), await keeper.health(id)]).toEqual([status, before]);
      held.resolve();
      await expect.poll(() => keeper.health(id)).toEqual(found);
      before = found;
    }
    expect(await keeper.events(id)).toEqual(['created', 'used', 'used', 'rejected']);
  });
});
