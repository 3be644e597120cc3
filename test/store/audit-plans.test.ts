import type { DatabaseSync } from 'node:sqlite';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { AuditFilter } from '../../src/model/audit-event.ts';
import { ownerKey } from '../../src/model/owner.ts';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { auditSelect } from '../../src/store/sqlite/audit-select.ts';
import { insert, newOwner, newRecord, useAt } from '../contract/fixtures.ts';
import { newDatabaseUrl } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';
import { migratedDatabase } from '../support/migrated-database.ts';

const owner = newOwner();
const record = newRecord(owner);
const secretId = record.id;
const filters: [string, AuditFilter][] = [
  ['one type', { secretId, types: ['secret.updated'] }],
  ['several types', { secretId, types: ['secret.created', 'secret.updated', 'secret.resolved', 'secret.rejected'] }],
  [
    'types, an actor and a time',
    { secretId, types: ['secret.created', 'secret.deleted'], actor: 'a', since: new Date(0) },
  ],
];

describe('the events of a secret that are no uses, on SQLite', () => {
  let database: DatabaseSync;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ database, close } = await migratedDatabase());
  });
  afterAll(() => close());

  it.each(filters)('of %s are read from an index, in order, without the others', (_what, filter) => {
    const { matching, indexed } = auditSelect(ownerKey(owner), filter);
    for (const select of [matching, indexed]) {
      for (const direction of ['ASC', 'DESC']) {
        const plan = database.prepare(`EXPLAIN QUERY PLAN ${select} ORDER BY sequence ${direction} LIMIT 10`).all();
        const details = plan
          .map(({ detail }) => String(detail))
          .filter((detail) => !/^(MERGE|LEFT|RIGHT)/.test(detail));
        expect(details).toHaveLength(filter.types?.length ?? 0);
        for (const detail of details) {
          expect(detail).toMatch(
            /INDEX audit_owner_secret_id_type \(owner=\? AND secret_id=\? AND type=\? AND sequence>\? AND sequence<\?\)$/,
          );
        }
      }
    }
  });
});

describe.skipIf(!inject('mongodbUri'))('the events of a secret that are no uses, on MongoDB', () => {
  const commands: CommandStartedEvent[] = [];
  const uri = newDatabaseUrl('mongodb', '');
  let client: MongoClient;
  let store: Awaited<ReturnType<typeof openMongodbStore>>;
  beforeAll(async () => {
    client = await MongoClient.connect(uri);
    store = await openMongodbStore(uri, {
      ...withTestMac,
      onCommand: (event) => commands.push(event),
    });
    await store.commit([insert(record)]);
    await store.commit(Array.from({ length: 200 }, () => useAt(record, new Date())));
  });
  afterAll(async () => {
    await store?.close();
    await client?.close();
  });

  it.each(filters)('of %s are read from an index, in order, without the others', async (_what, filter) => {
    for (const from of ['start', 'end'] as const) {
      commands.length = 0;
      await store.audit.list({ owner, filter, from, limit: 10, count: true });
      const sent = commands
        .map(({ command }) => command as Document)
        .filter((command) => (command.find ?? command.aggregate) === 'audit' && !command.projection);
      expect(sent.length).toBeGreaterThan(1);
      for (const { find, filter: of, sort, limit, aggregate, pipeline, hint } of sent) {
        const explain = find ? { find, filter: of, sort, limit, hint } : { aggregate, pipeline, hint, cursor: {} };
        const plan = JSON.stringify(await client.db().command({ explain, verbosity: 'executionStats' }));
        const winning = /"winningPlan":.*?"rejectedPlans"/.exec(plan)?.[0] ?? '';
        expect(winning).toContain('"indexName":"owner_secretId_type_sequence"');
        expect(winning).not.toMatch(/COLLSCAN|"SORT"/);
        expect(Number(/"totalKeysExamined":(\d+)/.exec(plan)?.[1])).toBeLessThan(10);
      }
    }
  });
});
