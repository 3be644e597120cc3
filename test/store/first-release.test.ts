import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Document, MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireDeletedMac } from '../../src/crypto/deleted-record.ts';
import { requireRecordMac } from '../../src/crypto/record.ts';
import * as ofMongodb from '../../src/store/mongodb/migrations.ts';
import { validators } from '../../src/store/mongodb/validators.ts';
import { openStore } from '../../src/store/open-store.ts';
import * as ofSqlite from '../../src/store/sqlite/schema.ts';
import {
  chain,
  deletedBy,
  destination,
  insert,
  keptOf,
  names,
  newOwner,
  newRecord,
  query,
  rejected,
  remove,
  restore,
  sealed,
  update,
  useAt,
  withoutEnvelope,
} from '../contract/fixtures.ts';
import { newDatabaseUrl, type StoreName, storeNames } from '../support/gateway.ts';
import { testKeyring, withTestMac } from '../support/keyring.ts';

/** How many steps the schema had: in version 0.1.0, and before values had destinations and health. */
const olderSchemas = [
  { when: 'of version 0.1.0', steps: { sqlite: 1, mongodb: 2 } },
  { when: 'from before destinations', steps: { sqlite: 3, mongodb: 4 } },
  { when: 'from before health', steps: { sqlite: 5, mongodb: 6 } },
] as const;

/** Makes a database with an older schema, with all of another that version 0.1.0 had a place for. */
const copyWithOlder: Record<StoreName, (from: string, to: string, steps: number) => Promise<void>> = {
  async sqlite(from, to, steps) {
    const path = (url: string) => url.slice('sqlite:'.length);
    const database = new DatabaseSync(path(to));
    ofSqlite.migrate(database, ofSqlite.migrations.slice(0, steps));
    database.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF');
    database.prepare('ATTACH ? AS newer').run(path(from));
    const tables = database.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table'").all();
    for (const { name } of tables) {
      const columns = database.prepare(`SELECT name FROM pragma_table_info('${name}', 'main')`).all();
      const list = columns.map((column) => column.name).join(', ');
      database.exec(`INSERT INTO main.${name} (${list}) SELECT ${list} FROM newer.${name}`);
    }
    database.close();
    chmodSync(path(to), 0o600);
  },
  async mongodb(from, to, steps) {
    const [source, target] = [new MongoClient(from), new MongoClient(to)];
    await ofMongodb.migrate(target.db(), ofMongodb.migrations.slice(0, steps));
    for (const [collection, { properties }] of Object.entries(validators as Record<string, Document>)) {
      const documents = await source.db().collection(collection).find().toArray();
      const kept = documents.map((document) =>
        Object.fromEntries(Object.entries(document).filter(([field]) => !properties || field in properties)),
      );
      if (kept.length > 0) await target.db().collection(collection).insertMany(kept);
    }
    await Promise.all([source.close(), target.close()]);
  },
};

const subjects = storeNames.flatMap((name) =>
  olderSchemas.map(({ when, steps }) => ({ name, when, steps: steps[name] })),
);

describe.each(subjects)('a database $when, on $name', ({ name, steps }) => {
  let folders: string[];
  let url: string;
  const owner = newOwner();
  const [a, b, c] = ['a', 'b', 'c'].map((letter) =>
    newRecord(owner, { name: letter, tags: ['t'], destination: null }),
  ) as [ReturnType<typeof newRecord>, ReturnType<typeof newRecord>, ReturnType<typeof newRecord>];
  const second = update(a, {}, sealed(2));
  const deletion = remove(c);

  beforeEach(async () => {
    folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'first-release-')));
    const [newer, older] = folders.map((folder) => newDatabaseUrl(name, folder)) as [string, string];
    const store = await openStore(newer, withTestMac);
    await store.commit([a, b, c].map(insert));
    await store.commit([second]);
    await store.commit([deletion]);
    await store.close();
    await copyWithOlder[name](newer, older, steps);
    url = older;
  });
  afterEach(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  it('is brought up to date with all that it holds, and the MACs of it hold', async () => {
    for (let start = 0; start < 2; start += 1) {
      const store = await openStore(url, withTestMac);
      expect(await names(store, owner)).toEqual(['a', 'b']);
      expect((await store.list(query(owner))).secrets.map(({ expiresAt }) => expiresAt)).toEqual([null, null]);
      const found = await store.findRecord(a.id);
      expect(found).toEqual({ ...second.secret, sealed: second.sealed, mac: second.mac });
      if (found) requireRecordMac(found, testKeyring);
      expect(await store.find(b.id)).toEqual(withoutEnvelope(b));
      expect(await store.versions.find(owner, a.id, 1)).toEqual(keptOf(a));
      const deleted = await store.deletedSecrets.find(c.id);
      expect(deleted).toEqual(deletedBy(deletion));
      if (deleted) requireDeletedMac(deleted, testKeyring);
      expect(await chain(store, owner)).toHaveLength(5);
      await store.close();
    }
  });

  it('has no digests until they are computed, and finds them from then on', async () => {
    const store = await openStore(url, withTestMac);
    const page = await store.digests.undigested('equality-1', '', 10);
    expect(page.records.map(({ id }) => id)).toEqual([a.id, b.id].sort());
    expect((await store.countKids('digests', '', 10)).counts).toEqual(new Map([['', 2]]));
    const digest = { kid: 'equality-1', digest: 'digest', mac: 'mac' };
    expect(await store.digests.match(owner, [digest.digest], 10)).toEqual([]);
    expect(await store.digests.put(page.records.map((record) => ({ record, digest })))).toBe(2);
    const found = await store.digests.match(owner, [digest.digest], 10);
    expect(found.map(({ secret }) => secret.id).sort()).toEqual([a.id, b.id].sort());
    for (const { secret } of found) requireRecordMac(secret, testKeyring);
    await store.close();
  });

  it('has what is new from then on', async () => {
    const store = await openStore(url, withTestMac);
    const expiresAt = new Date('2031-01-01T00:00:00.000Z');
    const filter = { expiresBefore: new Date('2031-01-01T00:00:00.001Z') };
    expect(await names(store, owner, { filter })).toEqual([]);
    const expiring = update(b, { expiresAt });
    const b2 = { ...expiring.secret, sealed: b.sealed, mac: expiring.mac };
    await store.commit([expiring]);
    await store.commit([restore(deletedBy(deletion), { expiresAt })]);
    expect(await names(store, owner, { filter })).toEqual(['b', 'c']);
    expect((await store.list(query(owner, { filter, limit: 1 }))).totalCount).toBe(2);
    const to = { ...destination, paths: null };
    const third = update({ ...second.secret, sealed: sealed(2), mac: second.mac }, { destination: to }, sealed(3));
    await store.commit([third]);
    const current = { ...third.secret, sealed: sealed(3), mac: third.mac };
    const lastUsedAt = new Date(1000);
    await store.commit([useAt(current, lastUsedAt)]);
    expect(await store.find(a.id)).toEqual(withoutEnvelope({ ...current, lastUsedAt }));
    const health = { status: 'REJECTED', checkedAt: lastUsedAt, source: 'USE' } as const;
    expect(await store.setHealth(current, health)).toBe(true);
    await store.commit([rejected(b2, health)]);
    expect(await names(store, owner, { filter: { health: 'REJECTED' } })).toEqual(['a', 'b']);
    const unused = { notUsedSince: new Date(1000) };
    expect((await store.list(query(owner, { filter: unused }))).secrets.map(({ name: of }) => of)).toEqual(['b', 'c']);
    expect(await names(store, owner, { filter: { ...unused, health: 'REJECTED' } })).toEqual(['b']);
    const kept = await store.versions.list(owner, a.id);
    expect(kept.map((version) => version.destination)).toEqual([to, null, null]);
    const removal = remove(current);
    await store.commit([removal]);
    expect(await store.deletedSecrets.find(a.id)).toMatchObject({
      destination: to,
      lastUsedAt,
      health,
      mac: removal.mac,
    });
    for (const { id } of [b, c]) {
      const found = await store.findRecord(id);
      expect(found).toMatchObject({ expiresAt, version: 2 });
      if (found) requireRecordMac(found, testKeyring);
    }
    await store.close();
  });
});
