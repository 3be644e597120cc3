import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, newOwner, newRecord } from '../contract/fixtures.ts';
import { newNonce, withNonce } from '../contract/nonces.ts';
import { withTestMac } from '../support/keyring.ts';

const owner = newOwner();
const minuteMs = 60_000;
let folder: string;
let store: Store;
let database: DatabaseSync;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-nonces-'));
  store = await openSqliteStore(join(folder, 'secrets.db'), withTestMac);
  database = new DatabaseSync(join(folder, 'secrets.db'));
});
afterEach(async () => {
  database.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const count = () => Number(database.prepare('SELECT count(*) AS n FROM nonces').get()?.n);
const spend = (keptUntil: Date) => store.commit([withNonce(insert(newRecord(owner)), newNonce(keptUntil))]);

it('a nonce is removed by a later commit with a nonce, not before its time, and never by one that fails', async () => {
  const now = Date.now();
  await spend(new Date(now - minuteMs));
  await spend(new Date(now + minuteMs));
  expect(count()).toBe(1);
  const { name } = newRecord(owner);
  await store.commit([withNonce(insert(newRecord(owner, { name })), newNonce())]);
  expect(count()).toBe(2);
  await expect(store.commit([withNonce(insert(newRecord(owner, { name })), newNonce())])).rejects.toThrow('name');
  expect(count()).toBe(2);
});

it('many that need not be kept are removed some at a time, by an index', async () => {
  const old = database.prepare('INSERT INTO nonces (digest, kept_until) VALUES (?, ?)');
  database.exec('BEGIN');
  for (let index = 0; index < 2500; index += 1) old.run(`old ${index}`, index);
  database.exec('COMMIT');
  for (const left of [1501, 502, 3]) {
    await spend(new Date(Date.now() + minuteMs));
    expect(count()).toBe(left);
  }
  const plan = database
    .prepare('EXPLAIN QUERY PLAN SELECT digest FROM nonces WHERE kept_until < ? ORDER BY kept_until LIMIT ?')
    .all(0, 1)
    .map(({ detail }) => String(detail));
  expect(plan).toEqual([expect.stringMatching(/^SEARCH nonces USING COVERING INDEX nonces_kept_until/)]);
});
