import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrate, migrations } from '../../src/store/sqlite/schema.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { insert, names, newOwner, newRecord, sealed } from '../contract/fixtures.ts';
import { withTestMac } from '../support/keyring.ts';

const owner = newOwner();
let folder: string;
let path: string;
let database: DatabaseSync;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-migrations-'));
  path = join(folder, 'secrets.db');
  const store = await openSqliteStore(path, withTestMac);
  // As large as the envelope of the largest value.
  const large = () => sealed(1, 'x'.repeat(90_000));
  await store.commit(['a', 'b', 'c'].map((name) => insert(newRecord(owner, { name, tags: ['t'], sealed: large() }))));
  await store.close();
  database = new DatabaseSync(path);
});
afterEach(() => {
  if (database.isOpen) database.close();
  rmSync(folder, { recursive: true });
});

const count = (table: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
const versionOf = () => database.prepare('PRAGMA user_version').get()?.user_version;

/** The way to make a table anew that SQLite documents (https://sqlite.org/lang_altertable.html#otheralter). */
const makeSecretsAnew = `
  CREATE TABLE secrets_new AS SELECT * FROM secrets;
  DROP TABLE secrets;
  ALTER TABLE secrets_new RENAME TO secrets;
  CREATE UNIQUE INDEX secrets_id ON secrets (id);
  CREATE UNIQUE INDEX secrets_owner_name ON secrets (owner, name);`;

it('a step that makes a table anew keeps what refers to it, and foreign keys are enforced again afterwards', async () => {
  const before = versionOf();
  migrate(database, [...migrations, makeSecretsAnew]);
  expect(versionOf()).toBe(Number(before) + 1);
  expect(['secrets', 'envelopes', 'secret_tags'].map(count)).toEqual([3, 3, 3]);
  expect(database.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
  database.exec("DELETE FROM secrets WHERE name = 'a'");
  expect(['secrets', 'envelopes', 'secret_tags'].map(count)).toEqual([2, 2, 2]);
});

it('a step that leaves a reference to what is gone changes nothing', async () => {
  const before = versionOf();
  const lossy = "DELETE FROM secrets WHERE name = 'a'";
  expect(() => migrate(database, [...migrations, lossy])).toThrow('left a reference');
  expect(['secrets', 'envelopes', 'secret_tags'].map(count)).toEqual([3, 3, 3]);
  expect(versionOf()).toBe(before);
  database.close();
  const store = await openSqliteStore(path);
  expect(await names(store, owner)).toEqual(['a', 'b', 'c']);
  await store.close();
});

it('a column that is added to secrets lies in no overflow page, however large the values are', () => {
  database.exec("ALTER TABLE secrets ADD COLUMN added TEXT NOT NULL DEFAULT 'x'");
  database.exec("UPDATE secrets SET added = 'y'");
  const pages = (table: string) =>
    database.prepare("SELECT count(*) AS n FROM dbstat WHERE name = ? AND pagetype = 'overflow'").get(table)?.n;
  expect(pages('secrets')).toBe(0);
  expect(pages('envelopes')).toBeGreaterThan(30);
});
