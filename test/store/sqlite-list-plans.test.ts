import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SecretFilter } from '../../src/model/secret.ts';
import { boundaryStatement, countStatement, pageStatement, type Statement } from '../../src/store/sqlite/list.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { newOwner, query } from '../contract/fixtures.ts';

const time = new Date();
const fields: readonly SecretFilter[] = [
  { provider: 'p' },
  { health: 'VALID' },
  { expiresBefore: time },
  { notUpdatedSince: time },
  { notUsedSince: time },
];
/** Of each of the fields with and without it. */
const filters = fields.reduce<SecretFilter[]>(
  (some, field) => some.flatMap((one) => [one, { ...one, ...field }]),
  [{}],
);
const place = { name: 'n', id: '' };
const ranges = [{ after: place }, { before: place }, { after: place, before: { name: 'o', id: '' } }];

describe('the plan of a list in SQLite', () => {
  const owner = newOwner();
  let folder: string;
  let database: DatabaseSync;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slice-plans-'));
    const path = join(folder, 'secrets.db');
    await (await openSqliteStore(path)).close();
    database = new DatabaseSync(path);
  });
  afterAll(() => {
    database?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function plan({ sql, values }: Statement): string[] {
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    return rows.map(({ detail }) => String(detail).replace(' COVERING', ''));
  }

  it.each<SecretFilter>([
    {},
    { hasValue: true },
    { hasValue: false },
    { tags: ['t'] },
    { tags: ['t', 'u'] },
    { tags: ['t'], hasValue: false },
  ])('that is read in slices with %j and any other fields reads the entries that its boundary counted', (one) => {
    for (const fields of filters) {
      for (const range of ranges) {
        for (const from of ['start', 'end'] as const) {
          const slice = query(owner, { filter: { ...one, ...fields }, from, ...range });
          const [counted = ''] = plan(boundaryStatement(slice, 1000));
          expect(counted).toMatch(/^SEARCH \w+ USING .*\(owner=\?( AND \w+=\?)?( AND name[<>]\?)+\)$/);
          for (const statement of [pageStatement(slice), countStatement(slice, slice)]) {
            const [read, ...lookedUp] = plan(statement);
            expect(read).toBe(counted);
            for (const step of lookedUp) expect(step).toMatch(/ AND name=\?|^CORRELATED SCALAR SUBQUERY/);
          }
        }
      }
    }
  });

  it.each<SecretFilter>([{ tags: ['t'] }, { tags: ['t', 'u'] }, { tags: ['t'], hasValue: false }])(
    'with %j and any other fields reads a range of one tag, and others by their name',
    (one) => {
      for (const fields of filters) {
        for (const range of ranges) {
          for (const from of ['start', 'end'] as const) {
            const tagged = query(owner, { filter: { nameStartsWith: 'N', ...one, ...fields }, from, ...range });
            for (const statement of [pageStatement(tagged), countStatement(tagged)]) {
              const [read, ...lookedUp] = plan(statement);
              expect(read).toBe('SEARCH secret_tags USING PRIMARY KEY (owner=? AND tag=? AND name>? AND name<?)');
              for (const step of lookedUp) expect(step).toMatch(/ AND name=\?|^CORRELATED SCALAR SUBQUERY/);
            }
          }
        }
      }
    },
  );
});
