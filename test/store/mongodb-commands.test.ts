import { randomUUID } from 'node:crypto';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownerKey } from '../../src/model/owner.ts';
import type { SecretDocument } from '../../src/store/mongodb/documents.ts';
import { listCommand } from '../../src/store/mongodb/list.ts';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { filterOf } from '../../src/store/mongodb/select.ts';
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

  describe('the plan of a MongoDB list', () => {
    const owner = newOwner();
    const daysAfter = (days: number) => new Date(Date.UTC(2031, 0, 1 + days));
    let store: Store;
    let database: ReturnType<MongoClient['db']>;

    beforeAll(async () => {
      store = await openMongodbStore(freshUri(), withTestMac);
      database = client.db(databases.at(-1));
      const records = Array.from({ length: 500 }, (_, index) => {
        const tags = ['all', index % 10 ? 'many' : 'few'];
        return newRecord(owner, {
          name: `N${String(index).padStart(3, '0')}`,
          provider: index % 2 ? 'a' : 'b',
          tags,
          updatedAt: daysAfter(index),
          ...(index % 2 === 0 && { expiresAt: daysAfter(index) }),
          ...(index % 50 === 0 && { sealed: null }),
        });
      });
      await store.commit(records.map(insert));
    });
    afterAll(() => store.close());

    it('of a selection looks up each name, placeholder and id in an index of its own', async () => {
      const named = { names: ['N001', 'N002', 'none'], placeholders: ['none'], ids: [randomUUID(), randomUUID()] };
      const filter = filterOf(ownerKey(owner), named) ?? {};
      const plan = JSON.stringify(
        await database.collection<SecretDocument>('secrets').find(filter).explain('executionStats'),
      );
      const winning = /"winningPlan":.*?"rejectedPlans"/.exec(plan)?.[0] ?? '';
      const indexes = [...winning.matchAll(/"indexName":"(\w+)"/g)].map(([, index]) => index);
      expect(indexes.sort()).toEqual(['_id_', 'owner_name', 'owner_placeholder']);
      expect(winning).not.toMatch(/COLLSCAN/);
      expect(Number(/"totalDocsExamined":(\d+)/.exec(plan)?.[1])).toBeLessThanOrEqual(3);
    });

    async function explain(fields: Partial<ListQuery>): Promise<Document> {
      const command = listCommand([query(owner, { limit: 10, count: false, ...fields })]);
      return database.collection('secrets').aggregate(command?.pipeline).explain('executionStats');
    }

    it.each<[string, Partial<ListQuery>, string[], number]>([
      ['no filter', {}, ['owner_name'], 11],
      ['a position far from the start', { after: { name: 'N400', id: '' } }, ['owner_name'], 11],
      [
        'a position far from the start, read from the end',
        { before: { name: 'N100', id: '' }, from: 'end' },
        ['owner_name'],
        11,
      ],
      ['nameStartsWith', { filter: { nameStartsWith: 'N30' } }, ['owner_name'], 11],
      [
        'nameStartsWith and a position',
        { filter: { nameStartsWith: 'N' }, after: { name: 'N400', id: '' } },
        ['owner_name'],
        11,
      ],
      ['a provider', { filter: { provider: 'a' } }, ['owner_provider_name', 'owner_name'], 25],
      ['a tag', { filter: { tags: ['few'] } }, ['owner_tags_name'], 11],
      ['a tag and a position', { filter: { tags: ['few'] }, after: { name: 'N300', id: '' } }, ['owner_tags_name'], 11],
      ['a placeholder', { filter: { placeholder: 'none' } }, ['owner_placeholder'], 0],
      ['expiresBefore', { filter: { expiresBefore: daysAfter(400) } }, ['owner_name_expiresAt', 'owner_name'], 25],
      ['expiresBefore, of few', { filter: { expiresBefore: daysAfter(9) } }, ['owner_name_expiresAt'], 11],
      [
        'expiresBefore and a position',
        { filter: { expiresBefore: daysAfter(490) }, after: { name: 'N400', id: '' } },
        ['owner_name_expiresAt', 'owner_name'],
        25,
      ],
      ['no value', { filter: { hasValue: false } }, ['owner_name_withoutValue'], 11],
      ['a value', { filter: { hasValue: true } }, ['owner_name'], 13],
      ['notUpdatedSince', { filter: { notUpdatedSince: daysAfter(490) } }, ['owner_name'], 11],
      [
        'notUpdatedSince, of few',
        { filter: { notUpdatedSince: daysAfter(5) } },
        ['owner_updatedAt_name', 'owner_name'],
        11,
      ],
    ])(
      'with %s reads an index that begins with the owner, in its order, and few more entries than it returns',
      async (_, fields, indexes, most) => {
        const plan = JSON.stringify(await explain(fields));
        const winning = /"winningPlan":.*?"rejectedPlans"/.exec(plan)?.[0] ?? '';
        expect(indexes).toContain(/"indexName":"(\w+)"/.exec(winning)?.[1]);
        expect(winning).not.toMatch(/COLLSCAN/);
        // A placeholder matches at most one secret, so there is nothing to sort. Few are sorted without reading them.
        const sorts = winning.includes('"indexName":"owner_updatedAt_name"');
        if (!fields.filter?.placeholder && !sorts) expect(winning).not.toMatch(/"SORT"/);
        expect(Number(/"totalDocsExamined":(\d+)/.exec(plan)?.[1])).toBeLessThanOrEqual(most);
      },
    );
  });
});
