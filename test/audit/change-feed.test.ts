import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Follower } from '../../src/audit/change-feed.ts';
import { ChangeFeeds } from '../../src/audit/change-feeds.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, marked, newOwner, newRecord, update, useAt } from '../contract/fixtures.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { testKeyring, withTestMac } from '../support/keyring.ts';

const [rounds, atOnce] = [6, 100];

describe.each(storeNames)('the changes of an owner whose secret is used all the time, on %s', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'change-feed-'));
  let store: Store;
  let changes: ChangeFeeds;

  beforeAll(async () => {
    const hear: ChangeFeeds['hear'] = (owner, head) => changes.hear(owner, head);
    store = await openStore(newDatabaseUrl(name, folder), { ...withTestMac, onHead: hear });
    changes = new ChangeFeeds({ store, keyring: () => testKeyring });
  });
  afterAll(async () => {
    await changes?.close();
    await store?.close();
    rmSync(folder, { recursive: true });
  });

  it('are told without the uses, which are read many at once and once for all followers', async () => {
    const owner = newOwner();
    let record = newRecord(owner);
    await store.commit([insert(record)]);
    const { feed, close } = changes.open(owner, { tick() {} });
    const live = [1, 2, 3].map(() => new Follower(feed, 1));
    feed.hear(1);
    const read = vi.spyOn(store, 'auditEvents');
    const told = live.map(async (follower) => {
      const types: string[] = [];
      while (types.length < rounds) {
        for (const { type, version } of (await follower.next(() => {})) ?? []) types.push(`${type} ${version}`);
      }
      return types;
    });
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(Array.from({ length: atOnce }, () => store.commit([useAt(record, new Date(round))])));
      const change = update(record);
      await store.commit([change]);
      record = marked({ ...change.secret, sealed: record.sealed });
    }
    const expected = Array.from({ length: rounds }, (_, round) => `UPDATED ${round + 2}`);
    expect(await Promise.all(told)).toEqual(live.map(() => expected));
    const events = rounds * (atOnce + 1);
    expect(read.mock.calls.length).toBeLessThan(events / 4);

    // One that is behind is told the same, and looked at each event once.
    const late = new Follower(feed, 0);
    const types: string[] = [];
    let looked = 0;
    while (types.length < 1 + rounds) {
      for (const { type } of (await late.next((some) => (looked += some))) ?? []) types.push(type);
    }
    expect(types).toEqual(['CREATED', ...expected.map(() => 'UPDATED')]);
    expect(looked).toBe(1 + events);
    close();
  });
});
