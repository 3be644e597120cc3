import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { countStatement, pageStatement, type Statement } from '../../src/store/sqlite/list.ts';
import { selectNamed, selectOne } from '../../src/store/sqlite/select.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { ListQuery } from '../../src/store/store.ts';
import { chain, countOf, insert, names, newOwner, newRecord, query } from '../contract/fixtures.ts';
import { storeContract } from '../contract/store.ts';
import { withTestMac } from '../support/keyring.ts';

storeContract('SQLite', () => openSqliteStore(':memory:', withTestMac));

describe('a SQLite file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-store-'));
    path = join(folder, 'data', 'secrets.db');
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is readable by its user only, whatever the umask, as are its directory and the files beside it', async () => {
    const umask = process.umask(0);
    try {
      const store = await openSqliteStore(path, withTestMac);
      await store.commit([insert(newRecord(newOwner()))]);
      const files = readdirSync(join(folder, 'data'));
      expect(files.toSorted()).toEqual(['secrets.db', 'secrets.db-shm', 'secrets.db-wal']);
      for (const file of files) expect(statSync(join(folder, 'data', file)).mode & 0o777, file).toBe(0o600);
      expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
      await store.close();
    } finally {
      process.umask(umask);
    }
  });

  it('has all its content when it is opened again', async () => {
    const record = newRecord(newOwner(), { tags: ['t'], notes: 'a\0b' });
    const first = await openSqliteStore(path, withTestMac);
    await first.commit([insert(record)]);
    const events = await chain(first, record.owner);
    await first.close();

    const second = await openSqliteStore(path, withTestMac);
    expect(await second.findRecord(record.id)).toEqual(record);
    expect(await names(second, record.owner, { filter: { tags: ['t'] } })).toEqual([record.name]);
    expect(await countOf(second, record.owner)).toBe(1);
    expect(await chain(second, record.owner)).toEqual(events);
    await second.close();
  });

  it('uses write-ahead logging (WAL), so that readers in other processes do not wait', async () => {
    const store = await openSqliteStore(path, withTestMac);
    const other = new DatabaseSync(path);
    expect(other.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    other.close();
    await store.close();
  });

  it('is synced before a commit is acknowledged, and enforces its foreign keys', async () => {
    const exec = DatabaseSync.prototype.exec;
    const opened = new Set<DatabaseSync>();
    vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql: string) {
      opened.add(this);
      exec.call(this, sql);
    });
    const store = await openSqliteStore(path, withTestMac);
    const [database] = opened;
    expect(database?.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(database?.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
    await store.close();
  });

  it('of a newer gateway is refused, and not changed', async () => {
    await (await openSqliteStore(path)).close();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(/DATABASE_URL.*version 99.*newer gateway/),
    });
    const after = new DatabaseSync(path);
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    after.close();
  });

  it('that is not a database, or cannot be created, is refused with the name of the setting', async () => {
    const text = join(folder, 'text');
    writeFileSync(text, 'this is not a database, and long enough to be seen as none. '.repeat(20));
    for (const bad of [text, join(text, 'below', 'a-file.db'), folder]) {
      await expect(openSqliteStore(bad), bad).rejects.toMatchObject({
        name: 'ConfigurationError',
        message: expect.stringContaining('DATABASE_URL'),
      });
    }
  });

  it('that another process writes to is temporarily unavailable, and accepts the same commit later', async () => {
    const store = await openSqliteStore(path, withTestMac);
    const record = newRecord(newOwner(), { notes: 'a value in the wrong place' });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const refused = await store.commit([insert(record)]).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'SERVICE_UNAVAILABLE', details: { retryAfterSeconds: 1 } });
    expect(String((refused as Error).cause)).not.toContain(record.notes);
    expect(await store.find(record.id)).toBeUndefined();
    other.exec('ROLLBACK');
    other.close();
    await store.commit([insert(record)]);
    expect(await store.findRecord(record.id)).toEqual(record);
    await store.close();
  });

  it('that another process writes to can still be opened and read', async () => {
    const first = await openSqliteStore(path, withTestMac);
    const record = newRecord(newOwner());
    await first.commit([insert(record)]);
    await first.close();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const store = await openSqliteStore(path, withTestMac);
    expect(await store.findRecord(record.id)).toEqual(record);
    await store.close();
    other.close();
  });
});

describe('a group of SQLite commits', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Records every statement that the store runs without preparing it. */
  function watchCommits(fail: () => void = () => {}) {
    const exec = DatabaseSync.prototype.exec;
    const seen: string[] = [];
    vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql: string) {
      if (sql === 'COMMIT') {
        seen.push(sql);
        fail();
      }
      exec.call(this, sql);
    });
    return seen;
  }

  it.each([
    [1, 1],
    [64, 1],
    [65, 2],
    [200, 4],
  ])('of %i that wait together syncs to disk %i times', async (commits, syncs) => {
    const store = await openSqliteStore(':memory:', withTestMac);
    const seen = watchCommits();
    const owner = newOwner();
    await Promise.all(Array.from({ length: commits }, () => store.commit([insert(newRecord(owner))])));
    expect(seen).toHaveLength(syncs);
    expect(await countOf(store, owner)).toBe(commits);
    await store.close();
  });

  it('whose COMMIT fails writes nothing, and fails every commit in it', async () => {
    const store = await openSqliteStore(':memory:', withTestMac);
    const owner = newOwner();
    const records = Array.from({ length: 10 }, () => newRecord(owner));
    watchCommits(() => {
      throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
    });
    const outcomes = await Promise.allSettled(records.map((record) => store.commit([insert(record)])));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SERVICE_UNAVAILABLE' } });
    }
    vi.restoreAllMocks();
    expect(await names(store, owner)).toEqual([]);
    expect(await chain(store, owner)).toEqual([]);
    await Promise.all(records.map((record) => store.commit([insert(record)])));
    expect(await countOf(store, owner)).toBe(10);
    await store.close();
  });
});

describe('the plan of a SQLite list', () => {
  const owner = newOwner();
  const place = { name: 'n', id: '' };
  const time = new Date();

  async function plan({ sql, values }: Statement): Promise<string[]> {
    const folder = mkdtempSync(join(tmpdir(), 'sqlite-plan-'));
    const path = join(folder, 'secrets.db');
    await (await openSqliteStore(path)).close();
    const database = new DatabaseSync(path);
    try {
      const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
      return rows.map((row) => String(row.detail));
    } finally {
      database.close();
      rmSync(folder, { recursive: true });
    }
  }

  it('of a selection looks up each name, placeholder and id in an index of its own', async () => {
    const sql = selectNamed(['names', 'placeholders', 'ids']);
    const steps = await plan({ sql, values: ['owner', '[]', '[]', '[]', 1] });
    const searches = steps.filter((step) => step.includes(' secrets '));
    expect(searches).toHaveLength(4);
    expect(searches.filter((step) => step.includes('sqlite_autoindex_secrets_1 (id=?)'))).toHaveLength(2);
    for (const index of [
      'secrets_owner_name (owner=? AND name=?)',
      'secrets_owner_placeholder (owner=? AND placeholder=?)',
    ]) {
      expect(searches.filter((step) => step.endsWith(index))).toHaveLength(1);
    }
  });

  it.each([
    ['name', selectOne.names, 'secrets_owner_name (owner=? AND name=?)'],
    ['placeholder', selectOne.placeholders, 'secrets_owner_placeholder (owner=? AND placeholder=?)'],
    ['id', selectOne.ids, 'sqlite_autoindex_secrets_1 (id=?)'],
  ])('of a selection of one %s looks it up, and makes no table of its own', async (_, sql, index) => {
    const steps = await plan({ sql, values: ['owner', 'text'] });
    expect(steps).toEqual([`SEARCH secrets USING INDEX ${index}`, expect.stringContaining('LEFT-JOIN')]);
  });

  it.each<[string, Partial<ListQuery>, string]>([
    ['no filter', {}, 'SEARCH secrets USING INDEX secrets_owner_name (owner=?)'],
    ['a position', { after: place }, 'SEARCH secrets USING INDEX secrets_owner_name (owner=? AND name>?)'],
    ['a position, read from the end', { before: place, from: 'end' }, 'secrets_owner_name (owner=? AND name<?)'],
    ['nameStartsWith', { filter: { nameStartsWith: 'N' } }, 'secrets_owner_name (owner=? AND name>? AND name<?)'],
    ['name', { filter: { name: 'N' } }, 'secrets_owner_name (owner=? AND name=?)'],
    ['provider', { filter: { provider: 'p' } }, 'secrets_owner_provider_name (owner=? AND provider=?)'],
    [
      'provider and position',
      { filter: { provider: 'p' }, after: place },
      'provider_name (owner=? AND provider=? AND name>?)',
    ],
    ['placeholder', { filter: { placeholder: 'p' } }, 'secrets_owner_placeholder (owner=? AND placeholder=?)'],
    [
      'provider and times',
      { filter: { provider: 'p', expiresBefore: time, notUpdatedSince: time, hasValue: false } },
      'secrets_owner_provider_name (owner=? AND provider=?)',
    ],
    ['expiresBefore', { filter: { expiresBefore: time } }, 'secrets_owner_name_expires_at (owner=?)'],
    [
      'expiresBefore and position',
      { filter: { expiresBefore: time, notUpdatedSince: time }, after: place },
      'secrets_owner_name_expires_at (owner=? AND name>?)',
    ],
    ['notUpdatedSince', { filter: { notUpdatedSince: time } }, 'secrets_owner_name_updated_at (owner=?)'],
    [
      'notUpdatedSince and nameStartsWith, read from the end',
      { filter: { notUpdatedSince: time, nameStartsWith: 'N', hasValue: true }, from: 'end' },
      'secrets_owner_name_updated_at (owner=? AND name>? AND name<?)',
    ],
    ['no value', { filter: { hasValue: false } }, 'secrets_owner_name_without_value (owner=?)'],
    ['no value and position', { filter: { hasValue: false }, after: place }, 'without_value (owner=? AND name>?)'],
    ['a value', { filter: { hasValue: true } }, 'secrets_owner_name (owner=?)'],
    ['health', { filter: { health: 'REJECTED' } }, 'secrets_owner_health_name (owner=? AND health_status=?)'],
    ['health and position', { filter: { health: 'VALID' }, after: place }, '(owner=? AND health_status=? AND name>?)'],
    ['notUsedSince', { filter: { notUsedSince: time } }, 'secrets_owner_name_last_used_at (owner=?)'],
    ['notUsedSince and position', { filter: { notUsedSince: time }, after: place }, 'used_at (owner=? AND name>?)'],
    ['name and times', { filter: { name: 'N', expiresBefore: time } }, '(owner=? AND name=?)'],
    ['tags', { filter: { tags: ['t'] } }, 'SEARCH secret_tags USING PRIMARY KEY (owner=? AND tag=?)'],
    ['tags and position', { filter: { tags: ['t', 'u'] }, after: place }, 'PRIMARY KEY (owner=? AND tag=? AND name>?)'],
  ])('with %s reads an index that begins with the owner, in its order', async (_, fields, expected) => {
    const details = await plan(pageStatement(query(owner, fields)));
    expect(details[0]).toContain(expected);
    for (const detail of details)
      expect(detail).toMatch(/^(SEARCH \w+ (EXISTS )?USING .*\(owner=\?|CORRELATED SCALAR SUBQUERY)/);
  });

  it.each<Partial<ListQuery>>([
    { filter: { nameStartsWith: 'N' } },
    { filter: { provider: 'p' } },
    { filter: { tags: ['t', 'u'] } },
    { filter: { expiresBefore: time } },
    { filter: { notUpdatedSince: time } },
    { filter: { hasValue: false } },
    { filter: { hasValue: true } },
    { filter: { health: 'REJECTED' } },
    { filter: { notUsedSince: time } },
    { filter: { expiresBefore: time, notUpdatedSince: time, hasValue: false, tags: ['t'] } },
  ])('for the count of %j reads an index that begins with the owner', async (fields) => {
    for (const detail of await plan(countStatement(query(owner, fields)))) {
      expect(detail).toMatch(/^(SEARCH \w+ (EXISTS )?USING .*\(owner=\?|CORRELATED SCALAR SUBQUERY)/);
    }
  });

  it('never reads the envelope', () => {
    expect(pageStatement(query(owner, { filter: { tags: ['t'] } })).sql).not.toMatch(/envelope|\*/);
  });
});
