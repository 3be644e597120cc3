import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SecretFilter } from '../../src/model/secret.ts';
import { boundaryStatement } from '../../src/store/sqlite/list.ts';
import { PreparedLists } from '../../src/store/sqlite/prepared-lists.ts';
import { rowsPerSlice } from '../../src/store/sqlite/scan.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { ListQuery, Store } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, query, remove } from '../contract/fixtures.ts';
import { withTestMac } from '../support/keyring.ts';

const owner = newOwner();
const long = new Date('2030-01-01T00:00:00Z');
const secrets = 2.5 * rowsPerSlice;
const isExpiring = (index: number) => index % 2 === 0;
const sometimes = (index: number) => index % 3 === 0;
const records = Array.from({ length: secrets }, (_, index) =>
  newRecord(owner, {
    name: `N ${String(index).padStart(5, '0')}`,
    expiresAt: isExpiring(index) ? new Date('2029-01-01T00:00:00Z') : null,
    updatedAt: new Date(sometimes(index) ? '2028-01-01T00:00:00Z' : '2031-01-01T00:00:00Z'),
    tags: index % 5 === 0 ? ['t', 'u'] : ['t'],
  }),
);

describe('lists that look at many secrets', () => {
  let folder: string;
  let path: string;
  let store: Store;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slices-'));
    path = join(folder, 'secrets.db');
    store = await openSqliteStore(path, withTestMac);
    for (let from = 0; from < secrets; from += 500)
      await store.commit(records.slice(from, from + 500).map((one) => insert(one)));
  }, 60_000);
  afterAll(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const all = () => true;
  const inPrefix = (index: number) => index < 1000;
  const filters: [SecretFilter, matches: (index: number) => boolean, isLookedAt: (index: number) => boolean][] = [
    [{ notUpdatedSince: long }, sometimes, all],
    [{ notUsedSince: long, notUpdatedSince: long }, sometimes, all],
    [{ expiresBefore: long, notUpdatedSince: long }, (index) => index % 6 === 0, isExpiring],
    [{ expiresBefore: long, notUsedSince: long }, isExpiring, isExpiring],
    [{ provider: 'aws', notUpdatedSince: long }, sometimes, all],
    [{ tags: ['t'], notUpdatedSince: long }, sometimes, all],
    [{ tags: ['t', 'u'], notUpdatedSince: long }, (index) => index % 15 === 0, all],
    [
      { hasValue: true, notUpdatedSince: long, nameStartsWith: 'N 00' },
      (index) => sometimes(index) && inPrefix(index),
      inPrefix,
    ],
    [{ health: 'VALID', notUpdatedSince: long }, () => false, () => false],
    [{ hasValue: false, notUsedSince: long }, () => false, () => false],
  ];

  it.each(filters)('with %j give every secret once, from both ends, and their count', async (filter, matches) => {
    const expected = records.filter((_, index) => matches(index)).map(({ name }) => name);
    for (const from of ['start', 'end'] as const) {
      for (const limit of [1, 400, secrets]) {
        const page = await store.list(query(owner, { filter, from, limit, count: true }));
        const part = from === 'start' ? expected.slice(0, limit) : expected.slice(-limit);
        expect(page.secrets.map(({ name }) => name)).toEqual(part);
        expect([page.hasMore, page.totalCount]).toEqual([expected.length > limit, expected.length]);
      }
    }
  });

  it.each(filters)('with %j look at no more than a slice of one index at a time', (filter, _, isLookedAt) => {
    const database = new DatabaseSync(path);
    const lists = new PreparedLists(database);
    const indexed = records.filter((_, index) => isLookedAt(index)).map(({ name }) => name);
    for (const from of ['start', 'end'] as const) {
      let rest: ListQuery = query(owner, { filter, from });
      let left = from === 'start' ? indexed : indexed.toReversed();
      for (; left.length > rowsPerSlice; left = left.slice(rowsPerSlice)) {
        const [first] = lists.all(boundaryStatement(rest, rowsPerSlice));
        const name = String(first?.[0]);
        expect(name).toBe(left[from === 'start' ? rowsPerSlice - 1 : rowsPerSlice]);
        const after = { name, id: '' };
        rest = from === 'start' ? { ...rest, after } : { ...rest, before: { name: `${name}\0`, id: '' } };
      }
      expect(lists.all(boundaryStatement(rest, rowsPerSlice + 1))).toEqual([]);
    }
    database.close();
  });

  it('show one moment, whatever is written between two slices', async () => {
    const other = new DatabaseSync(path);
    const rename = other.prepare('UPDATE secrets SET name = ? WHERE name = ?');
    const first = 'N 00000';
    const last = 'Z';
    let turns = 0;
    const requireWanted = () => {
      turns += 1;
      // The first slice has been read. Without a snapshot the secret would be found again, and then be missing from the count.
      if (turns === 2) rename.run(last, first);
      if (turns === 4) other.prepare('UPDATE secrets SET updated_at = ? WHERE name = ?').run(long.getTime(), last);
    };
    const filter = { notUpdatedSince: long };
    const read = await store.list(query(owner, { filter, limit: secrets, count: true, requireWanted }));
    const expected = records.filter((_, index) => sometimes(index)).map(({ name }) => name);
    expect(read.secrets.map(({ name }) => name)).toEqual(expected);
    expect([read.totalCount, turns]).toEqual([expected.length, 6]);
    const later = await store.list(query(owner, { filter, limit: secrets, count: true }));
    expect(later.totalCount).toBe(expected.length - 1);
    rename.run(first, last);
    other.prepare('UPDATE secrets SET updated_at = ? WHERE name = ?').run(records[0]?.updatedAt.getTime() ?? 0, first);
    other.close();
  });

  it('end between two slices when nobody wants them any more, and others go on', async () => {
    let turns = 0;
    const requireWanted = () => {
      turns += 1;
      if (turns === 2) throw new Error('gone');
    };
    const filter = { notUpdatedSince: long };
    const given = store.list(query(owner, { filter, count: true, limit: secrets, requireWanted }));
    const other = store.list(query(owner, { filter, count: true, limit: 0 }));
    await expect(given).rejects.toThrow('gone');
    expect(turns).toBe(2);
    expect((await other).totalCount).toBe(records.filter((_, index) => sometimes(index)).length);
  });

  it('fail when the store is closed, also those that wait for their turn', async () => {
    const closing = await openSqliteStore(path, withTestMac);
    let turns = 0;
    let closed: Promise<void> | undefined;
    const requireWanted = () => {
      turns += 1;
      if (turns === 2) closed = closing.close();
    };
    const filter = { notUpdatedSince: long };
    const outcomes = await Promise.allSettled([
      closing.list(query(owner, { filter, count: true, requireWanted })),
      closing.list(query(owner, { filter, count: true })),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SERVICE_UNAVAILABLE' } });
    }
    await closed;
    expect(turns).toBe(2);
  });

  it('that follow one another closely do not let the log grow', async () => {
    const other = new DatabaseSync(path);
    other.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE)');
    const sizes: number[] = [];
    const list = () => {
      let turns = 0;
      const requireWanted = () => {
        turns += 1;
        if (turns !== 2) return;
        other.prepare('UPDATE secrets SET notes = ?').run(`${sizes.length}`);
        sizes.push(statSync(`${path}-wal`).size);
      };
      return store.list(query(owner, { filter: { notUpdatedSince: long }, limit: 0, count: true, requireWanted }));
    };
    await Promise.all(Array.from({ length: 6 }, list));
    other.close();
    expect(sizes).toHaveLength(6);
    expect(Math.max(...sizes)).toBeLessThan(2 * Number(sizes[0]));
  });

  it('that follow one another closely leave a moment in which what was deleted is removed from the log', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      const record = newRecord(newOwner());
      await store.commit([insert(record)]);
      await store.commit([remove(record)]);
      const sizes: number[] = [];
      const list = () => {
        let turns = 0;
        const requireWanted = () => {
          turns += 1;
          if (turns === 1) sizes.push(statSync(`${path}-wal`).size);
          if (turns === 2) vi.advanceTimersByTime(5000);
        };
        return store.list(query(owner, { filter: { notUpdatedSince: long }, limit: 0, count: true, requireWanted }));
      };
      await Promise.all([list(), list()]);
      expect(sizes).toEqual([expect.any(Number), 0]);
      expect(sizes[0]).toBeGreaterThan(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
