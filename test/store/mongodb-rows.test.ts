import { randomUUID } from 'node:crypto';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import { digestedRow, idDigest } from '../../src/store/mongodb/digests.ts';
import { foundSecret, secretRecord } from '../../src/store/mongodb/documents.ts';
import { listRow } from '../../src/store/mongodb/list.ts';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { selectedSecret } from '../../src/store/mongodb/select.ts';
import { listedVersion, versionRecord } from '../../src/store/mongodb/versions.ts';
import type { Store } from '../../src/store/store.ts';
import {
  destination,
  insert,
  keptOf,
  newOwner,
  newRecord,
  query,
  sealed,
  seen,
  update,
  useAt,
  withoutEnvelope,
} from '../contract/fixtures.ts';
import { withTestMac } from '../support/keyring.ts';
import { withDatabase } from '../support/mongod.ts';

const uri = withDatabase(inject('mongodbUri') ?? '', `rows-${randomUUID()}`);

describe.skipIf(!inject('mongodbUri'))('rows of a mongod', () => {
  let client: MongoClient;
  let store: Store;
  let commands: CommandStartedEvent[] = [];

  beforeAll(async () => {
    client = new MongoClient(uri);
    store = await openMongodbStore(uri, { ...withTestMac, onCommand: (event) => commands.push(event) });
  });
  afterAll(async () => {
    await store?.close();
    await client?.db().dropDatabase();
    await client?.close();
  });

  afterEach(() => void vi.restoreAllMocks());

  async function sentFor(work: () => Promise<unknown>): Promise<string[]> {
    commands = [];
    await work();
    return commands.map((event) => event.commandName);
  }

  it('need no BSON', async () => {
    const owner = newOwner();
    const records = [newRecord(owner), newRecord(owner, { sealed: null }), newRecord(owner, { notes: 'Grüße' })];
    const [first, other] = records;
    if (!first || !other) throw new Error('they are there');
    const digest = { kid: 'equality-1', digest: 'digest', mac: 'mac' };
    const withDigest = (record: SecretRecord) => ({ ...record, sealed: record.sealed && { ...record.sealed, digest } });
    await store.commit(records.map((record) => insert(record === first ? withDigest(record) : record)));
    const expiresAt = new Date('2031-01-01T00:00:00.000Z');
    const expiring = newRecord(owner, { expiresAt });
    // Added by an update, it comes after what the document had before.
    const changed = update(other, { expiresAt });
    await store.commit([insert(expiring), changed]);
    const lastUsedAt = new Date(1000);
    const used = { ...changed.secret, sealed: other.sealed, mac: changed.mac };
    await store.commit([useAt(used, lastUsedAt)]);
    const health = { status: 'VALID', checkedAt: lastUsedAt, source: 'USE' } as const;
    expect(await store.setHealth(used, health)).toBe(true);
    records.splice(1, 1, expiring, { ...used, lastUsedAt, health });
    const revalued = update(expiring, { destination: { ...destination, origin: 'https://api.example' } }, sealed(2));
    await store.commit([insert(newRecord(newOwner())), revalued]);
    records[1] = { ...revalued.secret, sealed: sealed(2, revalued.sealed?.envelope.ciphertext), mac: revalued.mac };
    const ofSecrets = [listRow, foundSecret, secretRecord, selectedSecret, digestedRow, idDigest];
    const toBson = [...ofSecrets, versionRecord, listedVersion].map((decoder) => vi.spyOn(decoder, 'of'));
    const ids = records.map(({ id }) => id);
    const filtered = query(owner, { filter: { provider: 'aws' } });
    expect(await Promise.all([query(owner), filtered].map((one) => store.list(one)))).toEqual([
      expect.objectContaining({ totalCount: 4 }),
      expect.objectContaining({ totalCount: 4 }),
    ]);
    expect(await Promise.all(ids.map((id) => store.find(id)))).toEqual(records.map(withoutEnvelope));
    expect(await store.findRecords(owner, ids)).toEqual(expect.arrayContaining(records));
    expect(await store.select(owner, null, 5)).toHaveLength(4);
    expect(await store.digests.of(owner, ids)).toEqual(new Map([[first.id, digest]]));
    expect(await store.digests.match(owner, ['digest'], 5)).toEqual([{ secret: withoutEnvelope(first), digest }]);
    expect(await store.versions.find(owner, expiring.id, 1)).toEqual(keptOf(expiring));
    expect(await store.versions.list(owner, expiring.id)).toHaveLength(2);
    for (const spy of toBson) expect(spy).not.toHaveBeenCalled();
  });

  it('are read by a cursor of the driver where a reply does not hold them all', async () => {
    const owner = newOwner();
    const notes = 'n'.repeat(600_000);
    const records = Array.from({ length: 30 }, (_, index) => newRecord(owner, { notes, name: `${100 + index}` }));
    const writing = await sentFor(() => store.commit(records.map(insert)));
    expect(writing.filter((command) => command === 'insert').length).toBeGreaterThan(2);
    const sent = await sentFor(async () => {
      const { secrets, totalCount } = await store.list(query(owner));
      expect(secrets).toEqual(records.map(seen));
      expect(totalCount).toBe(30);
    });
    expect(sent).toEqual(['aggregate', 'killCursors', 'aggregate', 'getMore']);
    expect(
      await store.findRecords(
        owner,
        records.map(({ id }) => id),
      ),
    ).toHaveLength(30);
    const idle = { type: 'idleCursor', ns: { $regex: `^${client.db().databaseName}` } };
    const stages = [{ $currentOp: { allUsers: true, idleCursors: true } }, { $match: idle }];
    expect(await client.db('admin').aggregate(stages).toArray()).toEqual([]);
  });

  it('that are damaged fail nobody else whose rows come with the same command', async () => {
    const [owner, other] = [newOwner(), newOwner()];
    const [damaged, whole, listed] = [newRecord(owner), newRecord(owner), newRecord(other)] as const;
    await store.commit([damaged, whole, listed].map(insert));
    const damage = async (collection: string, change: Document) =>
      client.db().collection<{ _id: string }>(collection).updateOne(
        { _id: damaged.id },
        { $set: change },
        {
          bypassDocumentValidation: true,
        },
      );
    await damage('secrets', { 'sealed.setBy': 5 });
    const versions = [damaged, listed].map((one) => store.versions.list(one.owner, one.id));
    expect((await Promise.all(versions)).map(({ length }) => length)).toEqual([1, 1]);
    await damage('secrets', { createdBy: 5 });
    const lists = await Promise.all([query(owner), query(other)].map((one) => store.list(one)));
    expect(lists.map(({ secrets }) => secrets.length)).toEqual([2, 1]);
    for (const collection of ['secrets', 'secretIds']) await damage(collection, { owner: 'user:%zz' });
    const [bad, good] = await Promise.allSettled([damaged, whole].map(({ id }) => store.find(id)));
    expect(bad?.status).toBe('rejected');
    expect(good).toEqual({ status: 'fulfilled', value: withoutEnvelope(whole) });
  });
});
