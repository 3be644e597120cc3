import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Principal } from '../../src/model/principal.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { ada, operationsOn } from '../support/documents.ts';
import { withTestMac } from '../support/keyring.ts';

const admin: Principal = { ...ada, teams: [{ id: 'red', role: 'admin' }], scopes: new Set(['keys:manage']) };

let store: Store;
beforeEach(async () => {
  store = await openSqliteStore(':memory:', withTestMac);
});
afterEach(() => store.close());

it('lists of one document are read one after the other, not all at once', async () => {
  const operations = await operationsOn(store, { principal: admin });
  let [underWay, most] = [0, 0];
  const list = store.apiKeys.list.bind(store.apiKeys);
  vi.spyOn(store.apiKeys, 'list').mockImplementation(async (query) => {
    underWay += 1;
    most = Math.max(most, underWay);
    const read = await list(query);
    underWay -= 1;
    return read;
  });
  const input = { teamId: 'red', first: 1000, select: { page: true, totalCount: false } };
  const pages = await Promise.all(Array.from({ length: 20 }, () => operations.listApiKeys(input)));
  expect(pages.map(({ apiKeys }) => apiKeys)).toEqual(Array(20).fill([]));
  // 8 MiB of keys at once; 1,000 keys before it is known how long they are.
  expect(most).toBeLessThan(10);
  expect(underWay).toBe(0);
});
