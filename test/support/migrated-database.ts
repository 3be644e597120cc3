import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';

/** A database of the embedded store, as a gateway leaves it, for tests that ask SQLite itself. */
export async function migratedDatabase(): Promise<{ database: DatabaseSync; close: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'plans-'));
  const path = join(directory, 'secrets.db');
  await (await openSqliteStore(path)).close();
  const database = new DatabaseSync(path);
  return {
    database,
    async close() {
      database.close();
      await rm(directory, { recursive: true });
    },
  };
}
