import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { type ReplicaSet, startReplicaSet, withDatabase } from '../support/mongod.ts';

const hasMongod = inject('mongodbUri') !== null && !process.env.MONGODB_URI;
const list = '{ secrets(owner: { teamId: "red" }) { totalCount } }';

/** Each command is answered slowly, but no single call reaches its deadline. */
describe.skipIf(!hasMongod)('a gateway whose MongoDB is slow for each write', () => {
  let replicaSet: ReplicaSet;
  let client: MongoClient;
  let gateway: TestGateway;

  beforeAll(async () => {
    replicaSet = await startReplicaSet({ args: ['--setParameter', 'enableTestCommands=1'] });
    client = new MongoClient(replicaSet.uri);
    gateway = await TestGateway.start('mongodb', { DATABASE_URL: withDatabase(replicaSet.uri, 'slow') });
  }, 60_000);
  afterAll(async () => {
    await gateway?.close();
    await client?.close();
    await replicaSet?.stop();
  });

  it('begins no write after the deadline of the operation, and names the first field that was not begun', {
    timeout: 90_000,
  }, async () => {
    const secrets = Array.from({ length: 20 }, (_, n) => `s${n}`);
    const creates = secrets.map(
      (name) => `${name}: createSecret(input: { owner: { teamId: "red" }, name: "${name}" }) { secret { name } }`,
    );
    await client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: 'alwaysOn',
      data: { appName: 'secrets-gateway', failCommands: ['insert'], blockConnection: true, blockTimeMS: 900 },
    });
    const { status, data, errors } = await gateway.run(`mutation { ${creates.join(' ')} }`);
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });

    expect(status).toBe(504);
    expect(data).toBeNull();
    expect(errors).toHaveLength(1);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'GATEWAY_TIMEOUT',
      description: expect.stringContaining('not begun'),
    });
    const made = secrets.indexOf(String(errors[0]?.path?.[0]));
    expect(made).toBeGreaterThan(0);
    const countOf = async () => (await gateway.run(list)).data.secrets.totalCount;
    expect(await countOf()).toBe(made);
    // A write that was still in flight would be done by then.
    await gateway.stop();
    await gateway.launch();
    expect(await countOf()).toBe(made);
  });
});
