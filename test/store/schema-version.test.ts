import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { newDatabaseUrl, type StoreName, storeNames } from '../support/gateway.ts';

/** Gives the database the schema version of another release. */
const setVersion: Record<StoreName, (url: string, version: number) => Promise<void>> = {
  async sqlite(url, version) {
    const database = new DatabaseSync(url.slice('sqlite:'.length));
    database.exec(`PRAGMA user_version = ${version}`);
    database.close();
  },
  async mongodb(url, version) {
    const client = new MongoClient(url);
    const schema = client.db().collection<{ _id: string; version: number }>('schema');
    await schema.updateOne({ _id: 'schema' }, { $set: { version } }, { upsert: true });
    await client.close();
  },
};

describe.each(storeNames)('a database of another version, on %s', (name) => {
  it.each([
    ['from before the first release', 1, 'Set DATABASE_URL to a new database'],
    ['of a newer gateway', 99, 'Run the newer gateway again'],
  ])('%s is refused with what to do, and is not changed', async (_which, version, fix) => {
    const directory = await mkdtemp(join(tmpdir(), 'version-'));
    const url = newDatabaseUrl(name, directory);
    await (await openStore(url)).close();
    await setVersion[name](url, version);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const refusal = await openStore(url).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ name: 'ConfigurationError', message: expect.stringContaining(fix) });
      expect(String(refusal)).toContain(`schema version ${version}`);
    }
    await rm(directory, { recursive: true });
  });
});
