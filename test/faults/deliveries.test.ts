import { DatabaseSync } from 'node:sqlite';
import { type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newRecipient, resolve, resolver, type TestRecipient } from '../support/deliveries.ts';
import { TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { type ReplicaSet, startReplicaSet, withDatabase } from '../support/mongod.ts';

const hasMongod = inject('mongodbUri') !== null && !process.env.MONGODB_URI;
const owner = { teamId: 'red' };

let gateway: TestGateway;
let token: string;
let recipient: TestRecipient;

async function begin(started: TestGateway): Promise<void> {
  gateway = started;
  token = await resolver(gateway);
  recipient = await newRecipient();
  await create(owner);
}

async function create(of: object): Promise<void> {
  expect((await gateway.run(createSecret(), { input: { owner: of, name: 'a', value: 'value a' } })).status).toBe(200);
}

const ask = (of: object = owner) => resolve(gateway, { owner: of }, { recipient, token });

async function expectNone(codes: string[], of: object = owner): Promise<void> {
  const { status, data, errors, text } = await ask(of);
  expect(codes).toContain(errors[0]?.extensions.code);
  expect([status, data, text.includes('jwe')]).toEqual([errors[0]?.extensions.status, null, false]);
  expect(errors[0]?.extensions.retryAfter).toBeGreaterThan(0);
}

describe('a delivery from a SQLite database', () => {
  beforeAll(async () => begin(await TestGateway.start('sqlite')));
  afterAll(() => gateway.close());

  it('that another process writes to is SERVICE_UNAVAILABLE, and is made afterwards', async () => {
    const other = new DatabaseSync(gateway.databaseUrl.slice('sqlite:'.length));
    other.exec('BEGIN IMMEDIATE');
    await expectNone(['SERVICE_UNAVAILABLE']);
    other.exec('ROLLBACK');
    other.close();
    expect((await ask()).data.resolveSecrets.deliveries).toHaveLength(1);
  });
});

/** Has its own mongod: fail points apply to the whole server. */
describe.skipIf(!hasMongod)('a delivery from a MongoDB', () => {
  let replicaSet: ReplicaSet;
  let client: MongoClient;

  beforeAll(async () => {
    replicaSet = await startReplicaSet({ args: ['--setParameter', 'enableTestCommands=1'] });
    client = new MongoClient(replicaSet.uri);
    await begin(await TestGateway.start('mongodb', { DATABASE_URL: withDatabase(replicaSet.uri, 'deliveries') }));
  }, 60_000);
  afterAll(async () => {
    await gateway?.close();
    await client?.close();
    await replicaSet?.stop();
  });

  const failCommand = (mode: 'off' | 'alwaysOn', data: Document = {}) =>
    client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode,
      ...(mode !== 'off' && { data: { appName: 'secrets-gateway', ...data } }),
    });

  it.each<[string, Document, string[]]>([
    ['refuses the events', { failCommands: ['insert'], errorCode: 11602 }, ['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT']],
    [
      'does not confirm the commit',
      { failCommands: ['commitTransaction'], closeConnection: true },
      ['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT'],
    ],
    [
      'does not answer the read',
      { failCommands: ['find'], blockConnection: true, blockTimeMS: 7000 },
      ['GATEWAY_TIMEOUT'],
    ],
  ])(
    'that %s is a typed error without a value, and others are made afterwards',
    async (_, fault, codes) => {
      // Of one whose commit was not confirmed, the server keeps the transaction open for up to a minute.
      const affected = { ...owner, connectorId: crypto.randomUUID() };
      const other = { ...owner, connectorId: crypto.randomUUID() };
      for (const one of [affected, other]) await create(one);
      await failCommand('alwaysOn', fault);
      try {
        await expectNone(codes, affected);
      } finally {
        await failCommand('off');
      }
      await expect.poll(async () => (await ask(other)).status, { timeout: 20_000, interval: 200 }).toBe(200);
    },
    60_000,
  );
});
