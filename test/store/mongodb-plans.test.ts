import { randomUUID } from 'node:crypto';
import { type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownerKey } from '../../src/model/owner.ts';
import type { SecretDocument } from '../../src/store/mongodb/documents.ts';
import { listCommand } from '../../src/store/mongodb/list.ts';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { filterOf } from '../../src/store/mongodb/select.ts';
import type { ListQuery, Store } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, query } from '../contract/fixtures.ts';
import { withTestMac } from '../support/keyring.ts';
import { withDatabase } from '../support/mongod.ts';

const uri = inject('mongodbUri') ?? '';

describe.skipIf(uri === '')('the plan of a MongoDB list', () => {
  const owner = newOwner();
  const daysAfter = (days: number) => new Date(Date.UTC(2031, 0, 1 + days));
  let store: Store;
  let client: MongoClient;
  let database: ReturnType<MongoClient['db']>;

  beforeAll(async () => {
    const name = `test-${randomUUID()}`;
    store = await openMongodbStore(withDatabase(uri, name), withTestMac);
    client = new MongoClient(uri);
    database = client.db(name);
    const records = Array.from({ length: 500 }, (_, index) => {
      const tags = ['all', index % 10 ? 'many' : 'few'];
      return newRecord(owner, {
        name: `N${String(index).padStart(3, '0')}`,
        provider: index % 2 ? 'a' : 'b',
        tags,
        updatedAt: daysAfter(index),
        ...(index % 2 === 0 && { expiresAt: daysAfter(index) }),
        ...(index % 50 === 0 && { sealed: null }),
        ...(index % 100 !== 0 && { lastUsedAt: daysAfter(index) }),
        ...(index % 3 === 0 && {
          health: { status: index % 30 ? 'VALID' : 'REJECTED', checkedAt: daysAfter(1), source: 'USE' } as const,
        }),
      });
    });
    await store.commit(records.map(insert));
  });
  afterAll(async () => {
    await store?.close();
    await database?.dropDatabase();
    await client?.close();
  });

  it('of a selection looks up each name, placeholder and id in an index of its own', async () => {
    const named = { names: ['N001', 'N002', 'none'], placeholders: ['none'], ids: [randomUUID(), randomUUID()] };
    const filter = filterOf(ownerKey(owner), named) ?? {};
    const plan = JSON.stringify(
      await database.collection<SecretDocument>('secrets').find(filter).explain('executionStats'),
    );
    const winning = /"winningPlan":.*?"rejectedPlans"/.exec(plan)?.[0] ?? '';
    const indexes = [...winning.matchAll(/"indexName":"(\w+)"/g)].map(([, index]) => index);
    expect(indexes.sort()).toEqual(['_id_', 'owner_name', 'owner_placeholder']);
    expect(winning).not.toMatch(/COLLSCAN/);
    expect(Number(/"totalDocsExamined":(\d+)/.exec(plan)?.[1])).toBeLessThanOrEqual(3);
  });

  async function explain(fields: Partial<ListQuery>): Promise<Document> {
    const command = listCommand([query(owner, { limit: 10, count: false, ...fields })]);
    return database.collection('secrets').aggregate(command?.pipeline).explain('executionStats');
  }

  it.each<[string, Partial<ListQuery>, string[], number]>([
    ['no filter', {}, ['owner_name'], 11],
    ['a position far from the start', { after: { name: 'N400', id: '' } }, ['owner_name'], 11],
    [
      'a position far from the start, read from the end',
      { before: { name: 'N100', id: '' }, from: 'end' },
      ['owner_name'],
      11,
    ],
    ['nameStartsWith', { filter: { nameStartsWith: 'N30' } }, ['owner_name'], 11],
    [
      'nameStartsWith and a position',
      { filter: { nameStartsWith: 'N' }, after: { name: 'N400', id: '' } },
      ['owner_name'],
      11,
    ],
    ['a provider', { filter: { provider: 'a' } }, ['owner_provider_name', 'owner_name'], 25],
    ['a tag', { filter: { tags: ['few'] } }, ['owner_tags_name'], 11],
    ['a tag and a position', { filter: { tags: ['few'] }, after: { name: 'N300', id: '' } }, ['owner_tags_name'], 11],
    ['a placeholder', { filter: { placeholder: 'none' } }, ['owner_placeholder'], 0],
    ['expiresBefore', { filter: { expiresBefore: daysAfter(400) } }, ['owner_name_expiresAt', 'owner_name'], 25],
    ['expiresBefore, of few', { filter: { expiresBefore: daysAfter(9) } }, ['owner_name_expiresAt'], 11],
    [
      'expiresBefore and a position',
      { filter: { expiresBefore: daysAfter(490) }, after: { name: 'N400', id: '' } },
      ['owner_name_expiresAt', 'owner_name'],
      25,
    ],
    ['no value', { filter: { hasValue: false } }, ['owner_name_withoutValue'], 11],
    ['a value', { filter: { hasValue: true } }, ['owner_name'], 13],
    ['notUpdatedSince', { filter: { notUpdatedSince: daysAfter(490) } }, ['owner_name'], 11],
    [
      'notUpdatedSince, of few',
      { filter: { notUpdatedSince: daysAfter(5) } },
      ['owner_updatedAt_name', 'owner_name'],
      11,
    ],
    ['health', { filter: { health: 'VALID' } }, ['owner_health_name'], 11],
    ['health, of few', { filter: { health: 'REJECTED' } }, ['owner_health_name'], 11],
    [
      'health and a position, read from the end',
      { filter: { health: 'VALID' }, before: { name: 'N300', id: '' }, from: 'end' },
      ['owner_health_name'],
      11,
    ],
    ['notUsedSince', { filter: { notUsedSince: daysAfter(490) } }, ['owner_name'], 11],
    ['notUsedSince, of few', { filter: { notUsedSince: daysAfter(5) } }, ['owner_lastUsedDay_name', 'owner_name'], 11],
  ])(
    'with %s reads an index that begins with the owner, in its order, and few more entries than it returns',
    async (_, fields, indexes, most) => {
      const plan = JSON.stringify(await explain(fields));
      const winning = /"winningPlan":.*?"rejectedPlans"/.exec(plan)?.[0] ?? '';
      expect(indexes).toContain(/"indexName":"(\w+)"/.exec(winning)?.[1]);
      expect(winning).not.toMatch(/COLLSCAN/);
      // A placeholder matches at most one secret, so there is nothing to sort. Few are sorted without reading them.
      const sorts = /"indexName":"owner_(updatedAt|lastUsedDay)_name"/.test(winning);
      if (!fields.filter?.placeholder && !sorts) expect(winning).not.toMatch(/"SORT"/);
      expect(Number(/"totalDocsExamined":(\d+)/.exec(plan)?.[1])).toBeLessThanOrEqual(most);
    },
  );
});
