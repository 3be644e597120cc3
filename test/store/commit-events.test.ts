import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { type Store, StoreConflict } from '../../src/store/store.ts';
import { breakOf, chain, countOf, eventAlone, insert, newOwner, newRecord, update } from '../contract/fixtures.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';

describe.each(storeNames)('a commit of an audit event alone, on %s', (name) => {
  let directory: string;
  let store: Store;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'events-'));
    store = await openStore(newDatabaseUrl(name, directory), withTestMac);
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('adds the next link of the chain, and changes no secret and no count', async () => {
    const owner = newOwner();
    const record = newRecord(owner);
    await store.commit([insert(record)]);
    await store.commit([eventAlone(record)]);
    const events = await chain(store, owner);
    expect(events.map(({ sequence, type }) => [sequence, type])).toEqual([
      [1, 'secret.created'],
      [2, 'secret.updated'],
    ]);
    expect(breakOf(events, owner)).toBeNull();
    expect(await store.findRecord(record.id)).toEqual(record);
    expect(await countOf(store, owner)).toBe(1);
  });

  it('can add the first event of an owner without secrets', async () => {
    const owner = newOwner();
    await store.commit([eventAlone(newRecord(owner))]);
    expect(await chain(store, owner)).toHaveLength(1);
    expect(await countOf(store, owner)).toBe(0);
  });

  it('can also have changes, in order, and an error has the index of the failed write among all of them', async () => {
    const owner = newOwner();
    const [first, second] = [newRecord(owner), newRecord(owner)];
    await store.commit([eventAlone(first), insert(first), eventAlone(first), insert(second), eventAlone(second)]);
    const events = await chain(store, owner);
    expect(events.map(({ secretId }) => secretId)).toEqual([first.id, first.id, first.id, second.id, second.id]);
    expect(await countOf(store, owner)).toBe(2);

    const stale = update({ ...first, version: 7 });
    await expect(store.commit([eventAlone(first), insert(newRecord(owner)), stale])).rejects.toEqual(
      new StoreConflict(2, 'version'),
    );
    const taken = insert(newRecord(owner, { name: second.name }));
    await expect(store.commit([eventAlone(first), insert(newRecord(owner)), taken])).rejects.toEqual(
      new StoreConflict(2, 'name'),
    );
    expect(await chain(store, owner)).toEqual(events);
  });

  it('is written with the other commits of a group', async () => {
    const owners = Array.from({ length: 20 }, newOwner);
    const records = owners.map((owner) => newRecord(owner));
    await Promise.all(
      records.flatMap((record) => [store.commit([insert(record)]), store.commit([eventAlone(record)])]),
    );
    for (const owner of owners) {
      const events = await chain(store, owner);
      expect(events).toHaveLength(2);
      expect(breakOf(events, owner)).toBeNull();
    }
  });
});
