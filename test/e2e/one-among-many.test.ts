import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { type GraphQLAnswer, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

const many = 64;
const bad = 40;
const list = 'query ($owner: OwnerInput!) { secrets(owner: $owner) { totalCount nodes { id name tags updatedAt } } }';
const ownerOf = (n: number) => ({ teamId: 'red', connectorId: `c${n}` });

describe.each(storeNames)('one bad item among many at once on %s', (storeName) => {
  let gateway: TestGateway;
  let ids: string[];
  beforeAll(async () => {
    gateway = await TestGateway.start(storeName, { RATE_LIMIT: 'off' });
    const created = await all((n) => create(n, 'THERE'));
    ids = created.map(({ data }) => data.createSecret.secret.id);
  });
  afterAll(() => gateway.close());

  const all = (run: (n: number) => Promise<GraphQLAnswer>) =>
    Promise.all(Array.from({ length: many }, (_, n) => run(n)));
  const create = (n: number, name: string) =>
    gateway.run(createSecret(), { input: { owner: ownerOf(n), name, value: 'a value', tags: ['a'] } });
  const others = (answers: readonly GraphQLAnswer[]) => answers.filter((_, n) => n !== bad);

  it('a record that cannot be read fails its own list, and no other', async () => {
    const expected = await all((n) => gateway.run(list, { owner: ownerOf(n) }));
    const database = openDatabaseWriter(gateway.databaseUrl);
    try {
      const records = await database.records([ids[bad] ?? '']);
      await database.replaceRecords(
        [ids[bad] ?? ''],
        records.map((record) => ({ ...record, tags: 'no list' })),
      );
      const answers = await all((n) => gateway.run(list, { owner: ownerOf(n) }));
      expect(answers[bad]?.errors[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
      expect(others(answers).map(({ text }) => text)).toEqual(others(expected).map(({ text }) => text));
      await database.replaceRecords([ids[bad] ?? ''], records);
    } finally {
      await database.close();
    }
  });

  it('a create whose name is taken fails alone', async () => {
    const answers = await all((n) => create(n, n === bad ? 'THERE' : 'NEW'));
    expect(answers[bad]?.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', errors: [{ field: 'name' }] });
    expect(others(answers).flatMap(({ errors }) => errors)).toEqual([]);
    const lists = await all((n) => gateway.run(list, { owner: ownerOf(n) }));
    expect(lists.map(({ data }) => data.secrets.totalCount)).toEqual(lists.map((_, n) => (n === bad ? 1 : 2)));
  });
});
