import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { collectionsOf, documentOf } from '../../src/store/mongodb/documents.ts';
import { listCommand } from '../../src/store/mongodb/list.ts';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import type { ListQuery, Store } from '../../src/store/store.ts';
import {
  chain,
  countOf,
  insert,
  names,
  newOwner,
  newRecord,
  query,
  remove,
  sealed,
  update,
} from '../contract/fixtures.ts';
import { storeContract } from '../contract/store.ts';
import { startStandalone, withDatabase } from '../support/mongod.ts';

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

  storeContract('MongoDB', () => openMongodbStore(freshUri()));

  describe('the commands of a MongoDB store', () => {
    let store: Store;
    let commands: CommandStartedEvent[] = [];
    const owners = Array.from({ length: 101 }, newOwner);

    beforeAll(async () => {
      store = await openMongodbStore(freshUri(), { onCommand: (event) => commands.push(event) });
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
      ['more secrets than it may show', { limit: 1 }],
      ['exactly as many secrets as it may show', { limit: 2 }],
      ['a filter and its count', { filter: { provider: 'aws' } }],
      ['its count alone', { limit: 0 }],
    ])('are one for a list with %s', async (_, fields) => {
      expect(await sentFor(() => store.list(query(owners[0] ?? newOwner(), fields)))).toEqual(['aggregate']);
    });

    it('are none for a list of which nothing is asked', async () => {
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

    it('are one for the same list asked for many times in one tick, and another for the next time', async () => {
      const owner = newOwner();
      const same = () => Promise.all(Array.from({ length: 250 }, () => store.list(query(owner))));
      expect(await sentFor(same)).toEqual(['aggregate']);
      expect(JSON.stringify(commands[0]?.command.pipeline)).not.toContain('$literal');
      await store.commit([insert(newRecord(owner))]);
      for (const list of await same()) expect(list.totalCount).toBe(1);
    });

    it('are one for lists that are asked for after promises of the same tick', async () => {
      const late = async (owner: (typeof owners)[0], turns: number) => {
        for (let turn = 0; turn < turns; turn += 1) await undefined;
        return store.list(query(owner));
      };
      expect(await sentFor(() => Promise.all(owners.slice(0, 5).map(late)))).toEqual(['aggregate']);
    });

    it('count the owner’s document and not the secrets when there is no filter, and not at all when not asked', async () => {
      await sentFor(() => store.list(query(newOwner())));
      expect(JSON.stringify(commands[0]?.command.pipeline)).not.toContain('$count');
      await sentFor(() => store.list(query(newOwner(), { count: false })));
      expect(commands[0]?.command.pipeline).toHaveLength(4);
    });

    it('leave the literal out of a list that is alone', async () => {
      await sentFor(() => store.list(query(newOwner())));
      expect(JSON.stringify(commands[0]?.command.pipeline)).not.toContain('$literal');
    });

    it('never bring an envelope for a list or a find', async () => {
      const both = owners.slice(0, 2).map((owner) => query(owner));
      const { collection, pipeline } = listCommand(both) ?? { collection: 'secrets' as const, pipeline: [] };
      const database = client.db(databases.at(-1));
      const rows: Document[] = await database.collection(collection).aggregate(pipeline).toArray();
      expect(rows.filter((row) => 'name' in row)).toHaveLength(4);
      for (const row of rows) expect(row).not.toHaveProperty('sealed');
      await sentFor(() => store.find(randomUUID()));
      expect(commands[0]?.command.projection).toEqual({ sealed: 0 });
    });

    it('are one for all finds of one tick', async () => {
      const [owner = newOwner()] = owners;
      const ids = (await store.list(query(owner))).secrets.map((secret) => secret.id);
      expect(await sentFor(() => Promise.all([...ids, randomUUID()].map((id) => store.find(id))))).toEqual(['find']);
    });

    it('are five for 64 creates of one tick', async () => {
      const many = Array.from({ length: 64 }, (_, index) => newRecord(owners[index % 3] ?? newOwner()));
      const sent = await sentFor(() => Promise.all(many.map((record) => store.commit([insert(record)]))));
      expect(sent).toEqual(['find', 'insert', 'insert', 'update', 'commitTransaction']);
    });

    it('write in a transaction that a majority has in its journal, and read what a majority has', async () => {
      await sentFor(() => store.commit([insert(newRecord(newOwner()))]));
      const ofTransaction = commands.map((event) => event.command);
      expect(ofTransaction[0]).toMatchObject({ startTransaction: true, readConcern: { level: 'snapshot' } });
      expect(ofTransaction.at(-1)).toMatchObject({ writeConcern: { w: 'majority', j: true } });
      for (const command of ofTransaction) expect(command.autocommit).toBe(false);
      await sentFor(() => Promise.all([store.list(query(newOwner())), store.find(randomUUID())]));
      for (const { command } of commands) expect(command.readConcern).toEqual({ level: 'majority' });
    });
  });

  describe('the plan of a MongoDB list', () => {
    const owner = newOwner();
    let store: Store;
    let database: ReturnType<MongoClient['db']>;

    beforeAll(async () => {
      store = await openMongodbStore(freshUri());
      database = client.db(databases.at(-1));
      const records = Array.from({ length: 500 }, (_, index) => {
        const tags = ['all', index % 10 ? 'many' : 'few'];
        return newRecord(owner, { name: `N${String(index).padStart(3, '0')}`, provider: index % 2 ? 'a' : 'b', tags });
      });
      await store.commit(records.map(insert));
    });
    afterAll(() => store.close());

    async function explain(fields: Partial<ListQuery>): Promise<Document> {
      const command = listCommand([query(owner, { limit: 10, count: false, ...fields })]);
      return database.collection('secrets').aggregate(command?.pipeline).explain('executionStats');
    }

    it.each<[string, Partial<ListQuery>, string[], number]>([
      ['no filter', {}, ['owner_name'], 11],
      ['a place far on', { after: { name: 'N400', id: '' } }, ['owner_name'], 11],
      ['a place far on, from the end', { before: { name: 'N100', id: '' }, from: 'end' }, ['owner_name'], 11],
      ['nameStartsWith', { filter: { nameStartsWith: 'N30' } }, ['owner_name'], 11],
      [
        'nameStartsWith and a place',
        { filter: { nameStartsWith: 'N' }, after: { name: 'N400', id: '' } },
        ['owner_name'],
        11,
      ],
      ['a provider', { filter: { provider: 'a' } }, ['owner_provider_name', 'owner_name'], 25],
      ['a tag', { filter: { tags: ['few'] } }, ['owner_tags_name'], 11],
      ['a tag and a place', { filter: { tags: ['few'] }, after: { name: 'N300', id: '' } }, ['owner_tags_name'], 11],
      ['a placeholder', { filter: { placeholder: 'none' } }, ['owner_placeholder'], 0],
    ])(
      'with %s reads an index led by the owner, in its order, and hardly more than it shows',
      async (_, fields, indexes, most) => {
        const plan = JSON.stringify(await explain(fields));
        const winning = /"winningPlan":.*?"rejectedPlans"/.exec(plan)?.[0] ?? '';
        expect(indexes).toContain(/"indexName":"(\w+)"/.exec(winning)?.[1]);
        expect(winning).not.toMatch(/COLLSCAN/);
        // A placeholder finds at most one secret: there is nothing to sort.
        if (!fields.filter?.placeholder) expect(winning).not.toMatch(/"SORT"/);
        expect(Number(/"totalDocsExamined":(\d+)/.exec(plan)?.[1])).toBeLessThanOrEqual(most);
      },
    );
  });

  describe('two gateways on one database', () => {
    it('that start at once on an empty one both come up, with each index once', async () => {
      const shared = freshUri();
      const stores = await Promise.all(Array.from({ length: 4 }, () => openMongodbStore(shared)));
      await Promise.all(stores.map((store) => store.commit([insert(newRecord(newOwner()))])));
      const database = client.db(databases.at(-1));
      const { secrets, owners, audit } = collectionsOf(database);
      const indexNames = async (of: { indexes(): Promise<Document[]> }) =>
        (await of.indexes()).map((index) => index.name);
      expect(await indexNames(secrets)).toEqual([
        '_id_',
        'owner_name',
        'owner_placeholder',
        'owner_tags_name',
        'owner_provider_name',
      ]);
      expect(await indexNames(owners)).toEqual(['_id_']);
      expect(await indexNames(audit)).toEqual(['_id_', 'owner_sequence']);
      expect(await database.collection('schema').find().toArray()).toEqual([
        { _id: 'schema', version: expect.any(Number) },
      ]);
      await Promise.all(stores.map((store) => store.close()));
    });

    it('that write for one owner at once lose nothing: count and chain hold', async () => {
      const shared = freshUri();
      const stores = await Promise.all([openMongodbStore(shared), openMongodbStore(shared)]);
      const owner = newOwner();
      const writes = stores.flatMap((store) =>
        Array.from({ length: 20 }, async (_, nth) => {
          for (let turn = 0; turn < nth; turn += 1) await store.check();
          await store.commit([insert(newRecord(owner))]);
        }),
      );
      await Promise.all(writes);
      for (const store of stores) {
        expect(await countOf(store, owner)).toBe(40);
        const events = await chain(store, owner);
        expect(events.map((event) => event.sequence)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
        for (const [index, event] of events.entries()) expect(event.previousHash).toBe(events[index - 1]?.hash ?? '');
      }
      await Promise.all(stores.map((store) => store.close()));
    });

    it('that change one version at once: exactly one wins', async () => {
      const shared = freshUri();
      const stores = await Promise.all([openMongodbStore(shared), openMongodbStore(shared)]);
      const record = newRecord(newOwner());
      await stores[0].commit([insert(record)]);
      const outcomes = await Promise.allSettled(
        stores.map((store, index) => store.commit([update(record, { notes: String(index) })])),
      );
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost).toEqual([
        { status: 'rejected', reason: expect.objectContaining({ name: 'StoreConflict', on: 'version' }) },
      ]);
      const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
      expect(await stores[1].find(record.id)).toMatchObject({ version: 2, notes: String(winner) });
      await Promise.all(stores.map((store) => store.close()));
    });
  });

  it('counts points together with every gateway on its database', async () => {
    const shared = freshUri();
    const stores = await Promise.all([openMongodbStore(shared), openMongodbStore(shared)]);
    const counters = stores.map((store) => store.counter(60));
    const added = Array.from({ length: 20 }, (_, index) => counters[index % 2]?.add('key', 1));
    const counts = (await Promise.all(added)).map((window) => window?.count ?? 0);
    expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    await Promise.all(stores.map((store) => store.close()));
  });

  describe('the validators of a MongoDB store', () => {
    let store: Store;
    let secrets: ReturnType<typeof collectionsOf>['secrets'];
    beforeAll(async () => {
      store = await openMongodbStore(freshUri());
      secrets = collectionsOf(client.db(databases.at(-1))).secrets;
    });
    afterAll(() => store.close());

    const good = documentOf(newRecord(newOwner()));

    it('take what the gateway writes', async () => {
      await expect(secrets.insertOne(good)).resolves.toMatchObject({ acknowledged: true });
    });

    it.each<[string, Document]>([
      ['a value in clear', { value: 'hunter2' }],
      ['a value beside the envelope', { sealed: { ...sealed(), value: 'hunter2' } }],
      ['a value in place of the envelope', { sealed: 'hunter2' }],
      [
        'a value inside the envelope',
        { sealed: { version: 1, envelope: { ...sealed().envelope, plaintext: 'hunter2' } } },
      ],
      ['a version below 1', { version: 0 }],
      ['a version that is no whole number', { version: 1.5 }],
      ['an empty name', { name: '' }],
      ['a date as text', { createdAt: '2026-01-01T00:00:00Z' }],
      ['tags that are not text', { tags: [1] }],
    ])('refuse %s', async (_, fields) => {
      const bad = { ...documentOf(newRecord(newOwner())), ...fields };
      await expect(secrets.insertOne(bad)).rejects.toMatchObject({ code: 121 });
    });

    it('keep a bad commit out without its words in the error, and let those beside it through', async () => {
      const owner = newOwner();
      const bad = newRecord(owner, { name: '', notes: 'hunter2' });
      const goodOnes = [newRecord(owner), newRecord(owner)];
      const outcomes = await Promise.allSettled([bad, ...goodOnes].map((one) => store.commit([insert(one)])));
      const [refused, ...rest] = outcomes;
      expect(rest.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled']);
      const reason: unknown = refused?.status === 'rejected' && refused.reason;
      expect(reason).toBeInstanceOf(Error);
      expect(String(reason)).toBe('Error: MongoDB refused a command: 121');
      expect(inspect(reason, { depth: null, showHidden: true })).not.toContain('hunter2');
      expect(await names(store, owner)).toHaveLength(2);
    });

    it('come to a collection that was there before the gateway', async () => {
      const elsewhere = freshUri();
      const database = client.db(databases.at(-1));
      await database.createCollection('secrets');
      await (await openMongodbStore(elsewhere)).close();
      const wrong = { ...good, value: 'hunter2' };
      await expect(collectionsOf(database).secrets.insertOne(wrong)).rejects.toMatchObject({ code: 121 });
    });
  });

  describe('a MongoDB that cannot hold secrets is refused at the start', () => {
    const refusal = (message: RegExp) => ({ name: 'ConfigurationError', message: expect.stringMatching(message) });

    it.skipIf(process.env.MONGODB_URI)('when it stands alone', async () => {
      const standalone = await startStandalone();
      await expect(openMongodbStore(standalone.uri)).rejects.toMatchObject(refusal(/DATABASE_URL.*replica set/));
      await standalone.stop();
    });

    it('when nobody answers, soon and without the password', async () => {
      const began = performance.now();
      const error: unknown = await openMongodbStore('mongodb://u:hunter2@127.0.0.1:1/d?replicaSet=r').catch(
        (reason) => reason,
      );
      expect(error).toMatchObject(refusal(/DATABASE_URL.*no MongoDB primary/));
      expect(String(error) + String((error as Error).cause)).not.toContain('hunter2');
      expect(performance.now() - began).toBeLessThan(4000);
    });

    it('when a newer gateway has been there', async () => {
      const newer = freshUri();
      await client
        .db(databases.at(-1))
        .collection<{ _id: string; version: number }>('schema')
        .insertOne({ _id: 'schema', version: 99 });
      await expect(openMongodbStore(newer)).rejects.toMatchObject(refusal(/DATABASE_URL.*version 99.*newer gateway/));
    });
  });

  describe('the database of a MongoDB store', () => {
    it('is the one that the URI names', async () => {
      const named = freshUri();
      const store = await openMongodbStore(named);
      const record = newRecord(newOwner());
      await store.commit([insert(record)]);
      const { secrets } = collectionsOf(client.db(databases.at(-1)));
      expect(await secrets.findOne({ _id: record.id })).toEqual(documentOf(record));
      await store.close();
    });

    it('is secrets-gateway when the URI names none, and not the driver’s test', async () => {
      const store = await openMongodbStore(uri);
      const record = newRecord(newOwner());
      await store.commit([insert(record)]);
      const { secrets } = collectionsOf(client.db('secrets-gateway'));
      expect(await secrets.countDocuments({ _id: record.id })).toBe(1);
      await store.commit([remove(record)]);
      await store.close();
    });
  });
});
