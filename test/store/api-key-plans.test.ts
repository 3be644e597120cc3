import type { DatabaseSync } from 'node:sqlite';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { newDatabaseUrl } from '../support/gateway.ts';
import { migratedDatabase } from '../support/migrated-database.ts';

const after = { name: 'n', id: crypto.randomUUID() };

describe('the plan of a look-up of API keys, on SQLite', () => {
  let database: DatabaseSync;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ database, close } = await migratedDatabase());
  });
  afterAll(() => close());

  it.each([
    ['by its hash', 'hash = ?', 'PRIMARY KEY (hash=?)'],
    ['by its id, in a team', 'owner = ? AND id = ?', 'api_keys_owner_id (owner=? AND id=?)'],
    ['of a page', 'owner = ? ORDER BY name, id', 'api_keys_owner_name_id (owner=?)'],
    [
      'of a page after a position',
      'owner = ? AND (name, id) > (?, ?) ORDER BY name, id',
      'api_keys_owner_name_id (owner=? AND (name,id)>(?,?))',
    ],
  ])('%s reads an index, in its order', (_what, where, index) => {
    const plan = database.prepare(`EXPLAIN QUERY PLAN SELECT * FROM api_keys WHERE ${where}`).all();
    expect(plan.map(({ detail }) => detail)).toEqual([
      `SEARCH api_keys USING ${index.startsWith('PRIMARY') ? index : `INDEX ${index}`}`,
    ]);
  });
});

describe.skipIf(!inject('mongodbUri'))('the plan of a look-up of API keys, on MongoDB', () => {
  const commands: CommandStartedEvent[] = [];
  const uri = newDatabaseUrl('mongodb', '');
  let client: MongoClient;
  let store: Awaited<ReturnType<typeof openMongodbStore>>;
  beforeAll(async () => {
    client = await MongoClient.connect(uri);
    store = await openMongodbStore(uri, { onCommand: (event) => commands.push(event) });
  });
  afterAll(async () => {
    await store?.close();
    await client?.close();
  });

  /** The index of each command that this sends. */
  async function indexesOf(ask: () => Promise<unknown>): Promise<(string | undefined)[]> {
    commands.length = 0;
    await ask();
    const sent = commands.map(({ command, commandName }) => {
      const { find, filter, sort = {}, limit = 0, aggregate, pipeline } = command as Document;
      return commandName === 'find' ? { find, filter, sort, limit } : { aggregate, pipeline, cursor: {} };
    });
    const plans = await Promise.all(sent.map((explain) => client.db().command({ explain, verbosity: 'queryPlanner' })));
    return plans.map((plan) => {
      const winning = /"winningPlan":.*?"rejectedPlans"/.exec(JSON.stringify(plan))?.[0] ?? '';
      expect(winning).not.toMatch(/COLLSCAN|"SORT"/);
      return /"indexName":"(\w+)"/.exec(winning)?.[1];
    });
  }

  it('reads an index, in its order', async () => {
    const { apiKeys } = store;
    expect(await indexesOf(() => Promise.all([apiKeys.findByHash('a'), apiKeys.findByHash('b')]))).toEqual(['_id_']);
    expect(await indexesOf(() => apiKeys.find(after.id, ['red', 'blue']))).toEqual(['owner_id']);
    const page = { teamId: 'red', limit: 10, count: false };
    expect(await indexesOf(() => apiKeys.list(page))).toEqual(['owner_name_id']);
    expect(await indexesOf(() => apiKeys.list({ ...page, after }))).toEqual(['owner_name_id']);
  });
});
