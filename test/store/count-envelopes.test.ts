import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countEnvelopes } from '../../src/keyring/count.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, sealed } from '../contract/fixtures.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';

describe.each(storeNames)('the counts of envelopes, on %s', (name) => {
  let directory: string;
  let store: Store;
  const kids = ['one', 'two', 'one', 'three', 'one', 'two', null, 'one'];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'counts-'));
    store = await openStore(newDatabaseUrl(name, directory));
    expect(await store.countEnvelopes('', 10)).toEqual({ counts: new Map(), lastId: null });
    const records = kids.map((kid) => {
      const { version, envelope } = sealed();
      const value = kid === null ? null : { version, envelope: { ...envelope, header: { alg: 'A256KW', kid } } };
      return newRecord(newOwner(), { sealed: value });
    });
    for (const record of records) await store.commit([insert(record)]);
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  const expected = new Map([
    ['one', 4],
    ['two', 2],
    ['three', 1],
  ]);

  it('are by key, over all owners, without the secrets that have no value', async () => {
    expect(await countEnvelopes(store)).toEqual(expected);
  });

  it.each([1, 2, 3, 7, 8])('add up over ranges of %i', async (size) => {
    const total = new Map<string, number>();
    let envelopes = 0;
    for (let afterId = ''; ; ) {
      const { counts, lastId } = await store.countEnvelopes(afterId, size);
      if (lastId === null) break;
      const inRange = [...counts.values()].reduce((sum, count) => sum + count, 0);
      expect(inRange).toBeGreaterThan(0);
      expect(inRange).toBeLessThanOrEqual(size);
      envelopes += inRange;
      for (const [kid, count] of counts) total.set(kid, (total.get(kid) ?? 0) + count);
      expect(lastId > afterId).toBe(true);
      afterId = lastId;
    }
    expect(total).toEqual(expected);
    expect(envelopes).toBe(7);
  });

  it('match the pages of wrapped keys', async () => {
    const page = await store.wrappedKeys('', 100);
    const byKid = Map.groupBy(page, ({ kid }) => kid);
    expect(await countEnvelopes(store)).toEqual(new Map([...byKid].map(([kid, keys]) => [kid, keys.length])));
  });
});
