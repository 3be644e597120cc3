import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { collectionsOf } from '../../src/store/mongodb/collections.ts';
import { documentOf } from '../../src/store/mongodb/documents.ts';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import type { Store } from '../../src/store/store.ts';
import { chain, countOf, insert, names, newOwner, newRecord, remove, sealed, update } from '../contract/fixtures.ts';
import { newNonce, withNonce } from '../contract/nonces.ts';
import { storeContract } from '../contract/store.ts';
import { withTestMac } from '../support/keyring.ts';
import { startStandalone, withDatabase } from '../support/mongod.ts';
import { requireShards, watchShards } from '../support/mongos.ts';

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
    watchShards();
    client = new MongoClient(uri);
  });
  afterAll(async () => {
    expect(requireShards()).toBeGreaterThan(1000);
    for (const database of databases) await client.db(database).dropDatabase();
    await client.close();
  });

  storeContract('MongoDB', () => openMongodbStore(freshUri(), withTestMac));

  describe('two gateways on one database', () => {
    it('that start at once on an empty one both start, with each index once', async () => {
      const shared = freshUri();
      const stores = await Promise.all(Array.from({ length: 4 }, () => openMongodbStore(shared, withTestMac)));
      await Promise.all(stores.map((store) => store.commit([insert(newRecord(newOwner()))])));
      const database = client.db(databases.at(-1));
      const { secrets, owners, audit, nonces } = collectionsOf(database);
      const indexNames = async (of: { indexes(): Promise<Document[]> }) =>
        (await of.indexes()).map((index) => index.name);
      expect(await indexNames(secrets)).toEqual([
        '_id_',
        'owner_name',
        'owner_placeholder',
        'owner_tags_name',
        'owner_provider_name',
        'owner_digest',
        'owner_name_expiresAt',
        'owner_updatedAt_name',
        'owner_name_withoutValue',
        'owner_health_name',
        'owner_lastUsedDay_name',
      ]);
      expect(await indexNames(owners)).toEqual(['_id_']);
      expect(await indexNames(audit)).toEqual([
        '_id_',
        'owner_sequence',
        'owner_secretId_sequence',
        'owner_secretId_type_sequence',
      ]);
      // By which the server removes them.
      expect(await nonces.indexes()).toMatchObject([
        { name: '_id_' },
        { key: { keptUntil: 1 }, expireAfterSeconds: 0 },
      ]);
      expect(await database.collection('schema').find().toArray()).toEqual([
        { _id: 'schema', version: expect.any(Number) },
      ]);
      await Promise.all(stores.map((store) => store.close()));
    });

    it('spend a nonce once between them, of 20 commits at once', async () => {
      const shared = freshUri();
      const stores = await Promise.all([openMongodbStore(shared, withTestMac), openMongodbStore(shared, withTestMac)]);
      const [owner, nonce] = [newOwner(), newNonce()];
      const commits = stores.flatMap((store) =>
        Array.from({ length: 10 }, () => store.commit([withNonce(insert(newRecord(owner)), nonce)])),
      );
      const outcomes = await Promise.allSettled(commits);
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost).toHaveLength(19);
      for (const { reason } of lost) expect(reason).toMatchObject({ name: 'StoreConflict', on: 'nonce' });
      await Promise.all(stores.map((store) => store.close()));
    });

    it('that write for one owner at once lose nothing: count and chain are correct', async () => {
      const shared = freshUri();
      const stores = await Promise.all([openMongodbStore(shared, withTestMac), openMongodbStore(shared, withTestMac)]);
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

    it('that change one version at once: exactly one succeeds', async () => {
      const shared = freshUri();
      const stores = await Promise.all([openMongodbStore(shared, withTestMac), openMongodbStore(shared, withTestMac)]);
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
    const stores = await Promise.all([openMongodbStore(shared, withTestMac), openMongodbStore(shared, withTestMac)]);
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
      store = await openMongodbStore(freshUri(), withTestMac);
      secrets = collectionsOf(client.db(databases.at(-1))).secrets;
    });
    afterAll(() => store.close());

    const good = documentOf(newRecord(newOwner()));

    it('accept what the gateway writes', async () => {
      await expect(secrets.insertOne(good)).resolves.toMatchObject({ acknowledged: true });
    });

    it.each<[string, Document]>([
      ['a plaintext value', { value: 'hunter2' }],
      ['a value beside the envelope', { sealed: { ...sealed(), value: 'hunter2' } }],
      ['a value in place of the envelope', { sealed: 'hunter2' }],
      [
        'a value inside the envelope',
        { sealed: { version: 1, envelope: { ...sealed().envelope, plaintext: 'hunter2' } } },
      ],
      ['a version below 1', { version: 0 }],
      ['a version that is not an integer', { version: 1.5 }],
      ['an empty name', { name: '' }],
      ['a date as text', { createdAt: '2026-01-01T00:00:00Z' }],
      ['an expiry as text', { expiresAt: '2026-01-01T00:00:00Z' }],
      ['an expiry that is null', { expiresAt: null }],
      ['tags that are not text', { tags: [1] }],
    ])('refuse %s', async (_, fields) => {
      const bad = { ...documentOf(newRecord(newOwner())), ...fields };
      await expect(secrets.insertOne(bad)).rejects.toMatchObject({ code: 121 });
    });

    it('refuse an invalid commit without its content in the error, and accept the commits beside it', async () => {
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

    it('are added to a collection that existed before the gateway', async () => {
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

    it.skipIf(process.env.MONGODB_URI)('when it is not in a replica set', async () => {
      const standalone = await startStandalone();
      await expect(openMongodbStore(standalone.uri)).rejects.toMatchObject(refusal(/DATABASE_URL.*replica set/));
      await standalone.stop();
    });

    it('when no server answers, after a short time and without the password in the error', async () => {
      const began = performance.now();
      const error: unknown = await openMongodbStore('mongodb://u:hunter2@127.0.0.1:1/d?replicaSet=r').catch(
        (reason) => reason,
      );
      expect(error).toMatchObject(refusal(/DATABASE_URL.*nothing listens/));
      expect(String(error) + String((error as Error).cause)).not.toContain('hunter2');
      expect(performance.now() - began).toBeLessThan(4000);
    });

    it('when a newer gateway has migrated it', async () => {
      const newer = freshUri();
      await client
        .db(databases.at(-1))
        .collection<{ _id: string; version: number }>('schema')
        .insertOne({ _id: 'schema', version: 99 });
      await expect(openMongodbStore(newer)).rejects.toMatchObject(refusal(/DATABASE_URL.*version 99.*newer gateway/));
    });
  });

  describe('the database of a MongoDB store', () => {
    it('is the one in the URI', async () => {
      const named = freshUri();
      const store = await openMongodbStore(named, withTestMac);
      const record = newRecord(newOwner());
      await store.commit([insert(record)]);
      const { secrets } = collectionsOf(client.db(databases.at(-1)));
      expect(await secrets.findOne({ _id: record.id })).toEqual(documentOf(record));
      await store.close();
    });

    it('is secrets-gateway when the URI has none, and not the default of the driver', async () => {
      const store = await openMongodbStore(uri, withTestMac);
      const record = newRecord(newOwner());
      await store.commit([insert(record)]);
      const { secrets } = collectionsOf(client.db('secrets-gateway'));
      expect(await secrets.countDocuments({ _id: record.id })).toBe(1);
      await store.commit([remove(record)]);
      await store.close();
    });
  });
});
