import { randomUUID } from 'node:crypto';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { listCommand } from '../../src/store/mongodb/list.ts';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import type { ListQuery, Store } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, query, use } from '../contract/fixtures.ts';
import { newNonce, withNonce } from '../contract/nonces.ts';
import { withTestMac } from '../support/keyring.ts';
import { withDatabase } from '../support/mongod.ts';

const uri = inject('mongodbUri') ?? '';
const databases: string[] = [];
const freshUri = () => {
  const database = `test-${randomUUID()}`;
  databases.push(database);
  return withDatabase(uri, database);
};

describe.skipIf(uri === '')('with a mongod', () => {
  let client: MongoClient;
  beforeAll(() => {
    client = new MongoClient(uri);
  });
  afterAll(async () => {
    for (const database of databases) await client.db(database).dropDatabase();
    await client.close();
  });

  describe('the commands of a MongoDB store', () => {
    let store: Store;
    let commands: CommandStartedEvent[] = [];
    const owners = Array.from({ length: 101 }, newOwner);

    beforeAll(async () => {
      store = await openMongodbStore(freshUri(), { ...withTestMac, onCommand: (event) => commands.push(event) });
      await store.commit(owners.flatMap((owner) => [insert(newRecord(owner)), insert(newRecord(owner))]));
    });
    afterAll(() => store.close());

    async function sentFor(work: () => Promise<unknown>): Promise<string[]> {
      commands = [];
      await work();
      return commands.map((event) => event.commandName);
    }

    it.each<[string, Partial<ListQuery>]>([
      ['its count', { count: true }],
      ['more secrets than its limit', { limit: 1 }],
      ['exactly as many secrets as its limit', { limit: 2 }],
      ['a filter and its count', { filter: { provider: 'aws' } }],
      ['its count alone', { limit: 0 }],
    ])('are one for a list with %s', async (_, fields) => {
      expect(await sentFor(() => store.list(query(owners[0] ?? newOwner(), fields)))).toEqual(['aggregate']);
    });

    it('are none for a list with limit 0 and no count', async () => {
      const nothing = query(newOwner(), { limit: 0, count: false });
      expect(await sentFor(() => store.list(nothing))).toEqual([]);
    });

    it('are one for up to 100 lists of one tick, counts and filters among them', async () => {
      const lists = (count: number) =>
        owners.slice(0, count).map((owner, index) => query(owner, index % 2 ? { filter: { provider: 'aws' } } : {}));
      const all = (count: number) => () => Promise.all(lists(count).map((one) => store.list(one)));
      expect(await sentFor(all(100))).toEqual(['aggregate']);
      expect(await sentFor(all(101))).toEqual(['aggregate', 'aggregate']);
    });

    it('are one for the same list requested many times in one tick, and one more for the next request', async () => {
      const owner = newOwner();
      const same = () => Promise.all(Array.from({ length: 250 }, () => store.list(query(owner))));
      expect(await sentFor(same)).toEqual(['aggregate']);
      expect(JSON.stringify(commands[0]?.command.pipeline)).not.toContain('$literal');
      await store.commit([insert(newRecord(owner))]);
      for (const list of await same()) expect(list.totalCount).toBe(1);
    });

    it('are one for lists that are requested after promises of the same tick', async () => {
      const late = async (owner: (typeof owners)[0], turns: number) => {
        for (let turn = 0; turn < turns; turn += 1) await undefined;
        return store.list(query(owner));
      };
      expect(await sentFor(() => Promise.all(owners.slice(0, 5).map(late)))).toEqual(['aggregate']);
    });

    it('read the count from the document of the owner when there is no filter, and read none when none is requested', async () => {
      await sentFor(() => store.list(query(newOwner())));
      expect(JSON.stringify(commands[0]?.command.pipeline)).not.toContain('$count');
      await sentFor(() => store.list(query(newOwner(), { count: false })));
      expect(commands[0]?.command.pipeline).toHaveLength(4);
    });

    it('have no $literal for a list that is alone in its tick', async () => {
      await sentFor(() => store.list(query(newOwner())));
      expect(JSON.stringify(commands[0]?.command.pipeline)).not.toContain('$literal');
    });

    it('never read an envelope or a digest for a list or a find', async () => {
      const both = owners.slice(0, 2).map((owner) => query(owner));
      const { collection, pipeline } = listCommand(both) ?? { collection: 'secrets' as const, pipeline: [] };
      const database = client.db(databases.at(-1));
      const rows: Document[] = await database.collection(collection).aggregate(pipeline).toArray();
      expect(rows.filter((row) => 'name' in row)).toHaveLength(4);
      for (const row of rows) expect(row).not.toHaveProperty('sealed');
      for (const row of rows) expect(row).not.toHaveProperty('mac');
      const record = newRecord(newOwner());
      await store.commit([insert(record)]);
      await sentFor(() => store.find(record.id));
      expect(commands[0]?.command.projection).toEqual({ 'sealed.envelope': 0, 'sealed.digest': 0 });
    });

    it('are one for all finds of one tick', async () => {
      const [owner = newOwner()] = owners;
      const ids = (await store.list(query(owner))).secrets.map((secret) => secret.id);
      const finds = () => Promise.all([...ids, randomUUID()].map((id) => store.find(id)));
      expect(await sentFor(finds)).toEqual(['find', 'find']);
      expect(commands.map(({ command }) => command.find)).toEqual(['secretIds', 'secrets']);
      expect(await sentFor(() => Promise.all(ids.map((id) => store.find(id))))).toEqual(['find']);
    });

    it('are two for the finds of ids that the gateway has not seen, and one once it has', async () => {
      const records = owners.slice(0, 5).map((owner) => newRecord(owner));
      await store.commit(records.map(insert));
      const onCommand = (event: CommandStartedEvent) => commands.push(event);
      const another = await openMongodbStore(withDatabase(uri, databases.at(-1) ?? ''), { ...withTestMac, onCommand });
      const findAll = () => Promise.all(records.map(({ id }) => another.find(id)));
      expect(await sentFor(findAll)).toEqual(['find', 'find']);
      expect(await sentFor(findAll)).toEqual(['find']);
      expect(await sentFor(() => another.find(randomUUID()))).toEqual(['find']);
      await another.close();
    });

    it('are six for 64 creates of one tick', async () => {
      const many = Array.from({ length: 64 }, (_, index) => newRecord(owners[index % 3] ?? newOwner()));
      const sent = await sentFor(() => Promise.all(many.map((record) => store.commit([insert(record)]))));
      expect(sent).toEqual(['find', 'insert', 'insert', 'insert', 'update', 'commitTransaction']);
    });

    it('are one for a selection, five for the uses of one secret, and one more for each further 500', async () => {
      const owner = newOwner();
      const records = Array.from({ length: 1000 }, () => newRecord(owner));
      await store.commit(records.map(insert));
      const [, ...named] = records.map(({ name }) => name);
      for (const some of [null, { names: named, placeholders: [], ids: records.map(({ id }) => id) }]) {
        expect(await sentFor(() => store.select(owner, some, 1001))).toEqual(['find']);
        expect(commands[0]?.command.readConcern).toMatchObject({ level: 'majority' });
      }
      for (const used of [records.slice(0, 1), records]) {
        const inserts = Array(Math.ceil(used.length / 500)).fill('insert');
        const sent = await sentFor(() => store.commit(used.map((record) => use(record))));
        expect(sent).toEqual(['find', 'find', ...inserts, 'update', 'commitTransaction']);
      }
    });

    it('are one for all selections of one secret in one tick, each by its owner', async () => {
      const records = Array.from({ length: 20 }, (_, index) => newRecord(owners[index % 3] ?? newOwner()));
      await store.commit(records.map(insert));
      const none = { names: [], placeholders: [], ids: [] };
      const sent = await sentFor(async () => {
        const selected = await Promise.all(
          records.map(({ owner: of, name, placeholder, id }, index) =>
            store.select(
              of,
              { ...none, ...[{ names: [name] }, { placeholders: [placeholder] }, { ids: [id] }][index % 3] },
              2,
            ),
          ),
        );
        expect(selected.map((found) => found.map(({ secret }) => secret.id))).toEqual(records.map(({ id }) => [id]));
      });
      expect(sent).toEqual(['find']);
      const branches: object[] = commands[0]?.command.filter.$or ?? [];
      expect(branches.map((branch) => Object.keys(branch)[0])).toEqual(records.map(() => 'owner'));
    });

    it('are one more for any number of creates with a nonce, and its shard key is in it', async () => {
      const many = Array.from({ length: 20 }, (_, index) => insert(newRecord(owners[index % 3] ?? newOwner())));
      const sent = await sentFor(() =>
        Promise.all(many.map((write, index) => store.commit([index % 2 ? withNonce(write, newNonce()) : write]))),
      );
      expect(sent).toEqual(['insert', 'find', 'insert', 'insert', 'insert', 'update', 'commitTransaction']);
      const { insert: collection, documents } = commands[0]?.command ?? {};
      expect(collection).toBe('nonces');
      expect(documents).toHaveLength(10);
      for (const document of documents) expect(Object.keys(document)).toEqual(['_id', 'keptUntil']);
    });

    it('write in a transaction with majority and journaled write concern, and read with majority read concern', async () => {
      await sentFor(() => store.commit([insert(newRecord(newOwner()))]));
      const ofTransaction = commands.map((event) => event.command);
      expect(ofTransaction[0]).toMatchObject({ startTransaction: true, readConcern: { level: 'snapshot' } });
      expect(ofTransaction.at(-1)).toMatchObject({ writeConcern: { w: 'majority', j: true } });
      for (const command of ofTransaction) expect(command.autocommit).toBe(false);
      await sentFor(() => Promise.all([store.list(query(newOwner(), { count: false })), store.find(randomUUID())]));
      for (const { command } of commands) expect(command.readConcern).toMatchObject({ level: 'majority' });
      // Of one moment, and what a majority has as well.
      await sentFor(() => store.list(query(newOwner())));
      for (const { command } of commands) expect(command.readConcern).toMatchObject({ level: 'snapshot' });
    });
  });
});
