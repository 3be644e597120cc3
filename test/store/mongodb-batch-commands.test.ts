import type { CommandStartedEvent } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, sealed, update } from '../contract/fixtures.ts';
import { newKept } from '../contract/kept-results.ts';
import { expectValidChain } from '../contract/subject.ts';
import { newDatabaseUrl } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';

describe.skipIf(!inject('mongodbUri'))('the commands of a commit of many writes to MongoDB', () => {
  let url: string;
  let store: Store;
  let commands: CommandStartedEvent[] = [];
  beforeAll(async () => {
    url = newDatabaseUrl('mongodb', '');
    store = await openMongodbStore(url, { ...withTestMac, onCommand: (event) => commands.push(event) });
    // The first sessions and connections.
    await store.commit([insert(newRecord(newOwner()))]);
  });
  afterAll(() => store.close());

  async function sentFor(work: () => Promise<unknown>): Promise<string[]> {
    commands = [];
    await work();
    return commands.map((event) => event.commandName);
  }

  it('are as many for 500 creates, or 500 new values, of one commit as for one', async () => {
    const records = Array.from({ length: 500 }, () => newRecord(newOwner()));
    const created = await sentFor(() => store.commit(records.map(insert)));
    expect(created).toEqual(['find', 'insert', 'insert', 'insert', 'insert', 'commitTransaction']);
    const updates = records.map((record) => update(record, {}, sealed(2)));
    const updated = await sentFor(() => store.commit(updates));
    expect(updated).toEqual(['find', 'update', 'update', 'insert', 'update', 'commitTransaction']);
  });

  it('are one where 500 kept results are read', async () => {
    const writes = Array.from({ length: 500 }, () => newKept());
    await store.commit(writes);
    const ids = writes.map(({ kept }) => kept.id);
    expect(await sentFor(() => store.keptResults('user:ada', ids))).toEqual(['find']);
  });

  it('of a commit of many large values have at most 2 MB each, or so', async () => {
    const owner = newOwner();
    const records = Array.from({ length: 100 }, () => newRecord(owner, { sealed: sealed(1, 'x'.repeat(80_000)) }));
    await sentFor(() => store.commit(records.map(insert)));
    const ofSecrets = commands.filter(({ command }) => command.insert === 'secrets');
    expect(ofSecrets.map(({ command }) => command.documents.length)).toEqual([24, 24, 24, 24, 4]);
  });

  it('that find which of 500 updates conflicts are few', async () => {
    const owner = newOwner();
    const records = Array.from({ length: 500 }, () => newRecord(owner));
    await store.commit(records.map(insert));
    const writes = records.map((record, index) => update(record, index === 321 ? { version: 7 } : {}));
    const sent = await sentFor(() =>
      expect(store.commit(writes)).rejects.toMatchObject({ name: 'StoreConflict', index: 321, on: 'version' }),
    );
    expect(sent.length).toBeLessThan(50);
  });

  it('are made again after another gateway changed the same owner', async () => {
    const owner = newOwner();
    const other = await openMongodbStore(url, withTestMac);
    const batch = () => Array.from({ length: 100 }, () => insert(newRecord(owner)));
    await Promise.all([store.commit(batch()), other.commit(batch()), store.commit(batch()), other.commit(batch())]);
    expect(await expectValidChain(store, owner)).toHaveLength(400);
    await other.close();
  });
});
