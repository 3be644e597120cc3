import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import type { Store } from '../../src/store/store.ts';
import { chain, countOf, insert, newOwner, newRecord, query, wrappedKeyOf } from '../contract/fixtures.ts';
import { TestGateway } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';
import { type ReplicaSet, startReplicaSet, withDatabase } from '../support/mongod.ts';

const hasMongod = inject('mongodbUri') !== null && !process.env.MONGODB_URI;

/** By the reason that is told at /readyz. Of each class more than one, and all that MongoDB is known to refuse with in operation. */
const refusals: Record<string, readonly (readonly [code: number, name: string])[]> = {
  'not-allowed': [
    [13, 'Unauthorized'],
    [18, 'AuthenticationFailed'],
    [11, 'UserNotFound'],
    [371, 'UserWritesBlocked'],
    [8000, 'AtlasError'],
  ],
  throttled: [
    [16500, 'RequestRateTooLarge'],
    [462, 'IngressRequestRateLimitExceeded'],
    [433, 'AdmissionQueueOverflow'],
    [365, 'TemporarilyUnavailable'],
  ],
  'no-space': [
    [14031, 'OutOfDiskSpace'],
    [39, 'FileStreamFailed'],
  ],
  'no-primary': [
    [133, 'FailedToSatisfyReadPreference'],
    [6, 'HostUnreachable'],
    [7, 'HostNotFound'],
    [89, 'NetworkTimeout'],
    [202, 'NetworkInterfaceExceededTimeLimit'],
    [9001, 'SocketException'],
    [10107, 'NotWritablePrimary'],
    [189, 'PrimarySteppedDown'],
    [149, 'NoConfigPrimary'],
  ],
  'snapshot-gone': [
    [246, 'SnapshotUnavailable'],
    [239, 'SnapshotTooOld'],
    [250, 'StaleChunkHistory'],
    [134, 'ReadConcernMajorityNotAvailableYet'],
  ],
  interrupted: [
    [11601, 'Interrupted'],
    [43, 'CursorNotFound'],
    [237, 'CursorKilled'],
    [175, 'QueryPlanKilled'],
    [262, 'ExceededTimeLimit'],
    [251, 'NoSuchTransaction'],
  ],
  'stale-routing': [
    [150, 'StaleEpoch'],
    [63, 'StaleShardVersion'],
    [70, 'ShardNotFound'],
  ],
};
const table = Object.entries(refusals).flatMap(([reason, codes]) =>
  codes.map(([code, name]) => ({ code, name, reason })),
);

describe.skipIf(!hasMongod)('what a MongoDB refuses that is not the fault of a command', () => {
  let replicaSet: ReplicaSet;
  let client: MongoClient;
  let store: Store;
  const record = newRecord(newOwner());

  beforeAll(async () => {
    replicaSet = await startReplicaSet({ args: ['--setParameter', 'enableTestCommands=1'] });
    client = new MongoClient(replicaSet.uri);
    store = await openMongodbStore(withDatabase(replicaSet.uri, 'refusals'), { ...withTestMac, timeoutMs: 20_000 });
    await store.commit([insert(record)]);
  });
  afterAll(async () => {
    await store?.close();
    await client?.close();
    await replicaSet?.stop();
  });
  afterEach(() => refuse([], 0));

  async function refuse(failCommands: readonly string[], errorCode: number): Promise<void> {
    const failPoint = { mode: 'alwaysOn', data: { appName: 'secrets-gateway', failCommands, errorCode } };
    await client
      .db('admin')
      .command({ configureFailPoint: 'failCommand', ...(errorCode === 0 ? { mode: 'off' } : failPoint) });
  }

  const from = wrappedKeyOf(record);
  const commit = () => store.commit([insert(newRecord(record.owner))]);
  const calls: Record<string, readonly [failing: string, call: () => Promise<unknown>]> = {
    find: ['find', () => store.find(record.id)],
    findRecord: ['find', () => store.findRecord(record.id)],
    list: ['aggregate', () => store.list(query(record.owner))],
    audit: ['find', () => chain(store, record.owner)],
    'wrapped keys': ['find', () => store.wrappedKeys('', 10)],
    'counts of keys': ['aggregate', () => store.countKids('events', '', 10)],
    'chain head': ['find', () => store.chainHead(record.owner)],
    'replaced keys': ['update', () => store.replaceWrappedKeys([{ from, to: from }])],
    counter: ['findAndModify', () => store.counter(60).add('somebody', 1)],
    'readiness, reading': ['find', () => store.check()],
    'readiness, writing': ['update', () => store.check()],
  };
  const commits = { 'at its first command': 'find', 'at its first write': 'insert', 'at its last write': 'update' };

  function expectUnavailable(outcome: PromiseSettledResult<unknown> | undefined, call: string, reason: string): void {
    expect({ call, ...outcome }).toMatchObject({
      call,
      status: 'rejected',
      reason: { code: 'SERVICE_UNAVAILABLE', details: { retryAfterSeconds: 1, reason } },
    });
  }

  it.each(table)('$code $name: SERVICE_UNAVAILABLE, $reason, for every call', async ({ code, reason }) => {
    for (const [call, [failing, run]] of Object.entries(calls)) {
      await refuse([failing], code);
      const [outcome] = await Promise.allSettled([run()]);
      expectUnavailable(outcome, call, reason);
      await refuse([], 0);
    }
  });

  const reads = ['find', 'findRecord', 'list'] as const;

  it.each<[string, object]>([
    ['whose connection is closed', { closeConnection: true }],
    ['that a primary refuses which steps down', { errorCode: 189 }],
    ['that a server refuses which shuts down', { errorCode: 11600 }],
    ['that was interrupted for lack of time', { errorCode: 262 }],
  ])('a read %s is sent once more, and not twice', async (_, fault) => {
    const failFirst = (times: number, failing: string) =>
      client.db('admin').command({
        configureFailPoint: 'failCommand',
        mode: { times },
        data: { appName: 'secrets-gateway', failCommands: [failing], ...fault },
      });
    for (const read of reads) {
      const [failing, run] = calls[read] ?? ['', commit];
      await failFirst(1, failing);
      expect({ read, found: await run() }).toEqual({ read, found: expect.anything() });
      await failFirst(2, failing);
      const [outcome] = await Promise.allSettled([run()]);
      expect({ read, ...outcome }).toMatchObject({ read, reason: { code: 'SERVICE_UNAVAILABLE' } });
    }
  });

  it('a read is sent once where the URL says so', async () => {
    const url = withDatabase(replicaSet.uri, 'refusals').replace(/\?|$/, (found) => `?retryReads=false${found && '&'}`);
    const once = await openMongodbStore(url, withTestMac);
    try {
      const data = { appName: 'secrets-gateway', failCommands: ['find'], errorCode: 11600 };
      await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
      await expect(once.find(record.id)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      expect(await once.find(record.id)).toMatchObject({ id: record.id });
    } finally {
      await once.close();
    }
  });

  // What ends a transaction is run again up to 20 times, so that one of each class has to do.
  it.each(Object.entries(refusals).map(([reason, [first]]) => ({ code: first?.[0] ?? 0, name: first?.[1], reason })))(
    '$code $name: SERVICE_UNAVAILABLE, $reason, for a commit, of which nothing is made',
    async ({ code, reason }) => {
      for (const [moment, failing] of Object.entries(commits)) {
        await refuse([failing], code);
        const [outcome] = await Promise.allSettled([commit()]);
        expectUnavailable(outcome, moment, reason);
        await refuse([], 0);
      }
      expect(await countOf(store, record.owner)).toBe(1);
      expect(await chain(store, record.owner)).toHaveLength(1);
    },
  );

  it.each([13, 16500])('%i at the very commit: is told as it is, since nothing was made', async (code) => {
    await refuse(['commitTransaction'], code);
    await expect(store.commit([insert(newRecord(newOwner()))])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  it.each([2, 9, 59])('%i is a defect, of which nothing is passed on', async (code) => {
    await refuse(['find', 'aggregate'], code);
    for (const call of [() => store.find(record.id), () => store.list(query(record.owner))]) {
      await expect(call()).rejects.toThrow(`MongoDB refused a command: ${code}`);
    }
  });

  it('a refused commit shows at /readyz until one is made, where a read and a write of nothing pass', async () => {
    await refuse(['insert'], 14031);
    await expect(commit()).rejects.toMatchObject({ details: { reason: 'no-space' } });
    await expect(store.check()).rejects.toMatchObject({ details: { reason: 'no-space' } });
    await refuse([], 0);
    await store.commit([insert(newRecord(newOwner()))]);
    await expect(store.check()).resolves.toBeUndefined();
  });
});

describe.skipIf(!hasMongod)('a gateway whose MongoDB user', () => {
  let replicaSet: ReplicaSet;
  let root: MongoClient;
  let gateway: TestGateway;
  const create = (name: string) =>
    gateway.run(`mutation { createSecret(input: { owner: { teamId: "red" }, name: "${name}" }) { secret { id } } }`);
  const list = () => gateway.run('{ secrets(owner: { teamId: "red" }) { totalCount } }');
  const readyz = async () => (await fetch(new URL('/readyz', gateway.url))).json() as Promise<unknown>;
  const roles = (...names: string[]) => names.map((role) => ({ role, db: 'rights' }));
  const all = ['readWrite', 'dbAdmin'];
  const user = (command: object) => root.db('rights').command(command);

  beforeAll(async () => {
    replicaSet = await startReplicaSet({ root: { name: 'root', password: 'root' } });
    root = new MongoClient(replicaSet.uri);
    await user({ createUser: 'gateway', pwd: 'password', roles: roles(...all) });
    const uri = new URL(withDatabase(replicaSet.uri, 'rights'));
    [uri.username, uri.password] = ['gateway', 'password'];
    uri.searchParams.set('authSource', 'rights');
    gateway = await TestGateway.start('mongodb', { DATABASE_URL: uri.href });
    expect((await create('first')).status).toBe(200);
  });
  afterAll(async () => {
    await gateway?.close();
    await root?.close();
    await replicaSet?.stop();
  });

  const notAllowed = {
    status: 'failed',
    checks: { store: 'failed', keyring: 'ok', issuer: 'ok' },
    reasons: { store: 'not-allowed' },
  };

  async function expectHealed(): Promise<void> {
    await expect.poll(async () => (await list()).status, { timeout: 10_000 }).toBe(200);
    await expect
      .poll(readyz, { timeout: 10_000 })
      .toEqual({ status: 'ok', checks: { store: 'ok', keyring: 'ok', issuer: 'ok' } });
    expect((await create(`after ${Math.random()}`)).status).toBe(200);
  }

  async function expectRefused(answer: Awaited<ReturnType<typeof list>>): Promise<void> {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfter: 1 });
  }

  it('may only read: reads are answered, writes refused, /readyz tells it, and it heals', async () => {
    await user({ updateUser: 'gateway', roles: roles('read') });
    expect((await list()).status).toBe(200);
    await expectRefused(await create('second'));
    expect(await readyz()).toEqual(notAllowed);
    await user({ updateUser: 'gateway', roles: roles(...all) });
    await expectHealed();
  });

  it('lost its rights: everything is refused, /readyz tells it, and it heals', async () => {
    await user({ updateUser: 'gateway', roles: [] });
    await expectRefused(await list());
    await expectRefused(await create('third'));
    expect(await readyz()).toEqual(notAllowed);
    await user({ updateUser: 'gateway', roles: roles(...all) });
    await expectHealed();
  });

  it('was dropped, and made again with the same password: /readyz tells it, and it heals', async () => {
    await user({ dropUser: 'gateway' });
    await expectRefused(await list());
    await expectRefused(await create('fourth'));
    expect(await readyz()).toEqual(notAllowed);
    await user({ createUser: 'gateway', pwd: 'password', roles: roles(...all) });
    await expectHealed();
  });

  it('was dropped and made again between two requests: it heals', async () => {
    await user({ dropUser: 'gateway' });
    await user({ createUser: 'gateway', pwd: 'password', roles: roles(...all) });
    await expectHealed();
  });
});
