import { type Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import type { Store } from '../../src/store/store.ts';
import { chain, countOf, insert, newOwner, newRecord, query, wrappedKeyOf } from '../contract/fixtures.ts';
import { newNonce, withNonce } from '../contract/nonces.ts';
import { withTestMac } from '../support/keyring.ts';
import { type ReplicaSet, startReplicaSet, withDatabase } from '../support/mongod.ts';

const timeoutMs = 800;
const hasMongod = inject('mongodbUri') !== null && !process.env.MONGODB_URI;

/** Has its own mongod: fail points apply to the whole server. Those with an appName do not affect the test's client. */
describe.skipIf(!hasMongod)('a MongoDB store, when the server', () => {
  let replicaSet: ReplicaSet;
  let client: MongoClient;
  let store: Store;
  let commands: string[] = [];

  beforeAll(async () => {
    replicaSet = await startReplicaSet({ args: ['--setParameter', 'enableTestCommands=1'] });
    client = new MongoClient(replicaSet.uri);
    store = await openMongodbStore(withDatabase(replicaSet.uri, 'faults'), {
      ...withTestMac,
      timeoutMs,
      onCommand: (event) => commands.push(event.commandName),
    });
  });
  afterAll(async () => {
    await store?.close();
    await client?.close();
    await replicaSet?.stop();
  });
  afterEach(() => failCommand('off', {}));

  async function failCommand(mode: 'off' | 'alwaysOn' | { times: number }, data: Document) {
    commands = [];
    const failPoint = { configureFailPoint: 'failCommand', mode, data: { appName: 'secrets-gateway', ...data } };
    await client.db('admin').command(mode === 'off' ? { configureFailPoint: 'failCommand', mode } : failPoint);
  }

  const times = (name: string) => commands.filter((command) => command === name).length;

  /** True after every fault: acknowledged writes are stored once, refused ones are not stored. */
  async function expectWritten(owner: ReturnType<typeof newOwner>, count: number) {
    expect(await countOf(store, owner)).toBe(count);
    expect((await store.list(query(owner))).secrets).toHaveLength(count);
    expect((await chain(store, owner)).map((event) => event.sequence)).toEqual(
      Array.from({ length: count }, (_, index) => index + 1),
    );
  }

  it('commits but its reply is lost: retries the same commit, and writes once', async () => {
    const owner = newOwner();
    const writeConcernError = { code: 64, errmsg: 'waiting for replication timed out' };
    await failCommand({ times: 2 }, { failCommands: ['commitTransaction'], writeConcernError });
    await store.commit([insert(newRecord(owner))]);
    expect(times('commitTransaction')).toBe(3);
    expect(times('insert')).toBe(4);
    await expectWritten(owner, 1);
  });

  it('closes the connection at the commit: retries the same commit, and writes once', async () => {
    const owner = newOwner();
    await failCommand({ times: 1 }, { failCommands: ['commitTransaction'], closeConnection: true });
    await store.commit([insert(newRecord(owner))]);
    expect(times('commitTransaction')).toBeGreaterThan(1);
    expect(times('insert')).toBe(4);
    await expectWritten(owner, 1);
  });

  it.each<[string, Document]>([
    [
      'loses the reply to a commit',
      {
        failCommands: ['commitTransaction'],
        writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
      },
    ],
    ['closes the connection at a commit', { failCommands: ['commitTransaction'], closeConnection: true }],
    [
      'closes the connection in the middle of a transaction',
      { failCommands: ['update', 'insert'], closeConnection: true },
    ],
    [
      'reports a conflict with another transaction',
      { failCommands: ['insert'], errorCode: 112, errorLabels: ['TransientTransactionError'] },
    ],
  ])('%s: what is written with a nonce is written once, and is not taken for a replay of itself', async (_, fault) => {
    const owner = newOwner();
    const nonces = Array.from({ length: 5 }, () => newNonce());
    await failCommand({ times: 1 }, fault);
    await Promise.all(nonces.map((nonce) => store.commit([withNonce(insert(newRecord(owner)), nonce)])));
    await expectWritten(owner, 5);
    for (const nonce of nonces) {
      const replay = store.commit([withNonce(insert(newRecord(owner)), nonce)]);
      await expect(replay).rejects.toMatchObject({ name: 'StoreConflict', on: 'nonce' });
    }
  });

  it('refuses a write with a nonce: the same nonce can be used when it takes writes again', async () => {
    const owner = newOwner();
    const nonce = newNonce();
    await failCommand('alwaysOn', { failCommands: ['update', 'insert'], errorCode: 10107 });
    const refused = store.commit([withNonce(insert(newRecord(owner)), nonce)]);
    await expect(refused).rejects.toMatchObject({ name: 'DomainError' });
    await failCommand('off', {});
    await store.commit([withNonce(insert(newRecord(owner)), nonce)]);
    await expectWritten(owner, 1);
  });

  it('reports a conflict with another transaction: runs the transaction again, and writes once', async () => {
    const owner = newOwner();
    await failCommand(
      { times: 2 },
      { failCommands: ['insert'], errorCode: 112, errorLabels: ['TransientTransactionError'] },
    );
    await Promise.all(Array.from({ length: 10 }, () => store.commit([insert(newRecord(owner))])));
    expect(times('commitTransaction')).toBe(1);
    await expectWritten(owner, 10);
  });

  it('closes the connection in the middle of a transaction: runs the transaction again, and writes once', async () => {
    const owner = newOwner();
    await failCommand({ times: 1 }, { failCommands: ['update', 'insert'], closeConnection: true });
    await store.commit([insert(newRecord(owner))]);
    await expectWritten(owner, 1);
  });

  it('keeps reporting conflicts with other transactions: is unavailable in the end, and writes nothing', async () => {
    const owner = newOwner();
    await failCommand('alwaysOn', {
      failCommands: ['insert'],
      errorCode: 112,
      errorLabels: ['TransientTransactionError'],
    });
    const refused: unknown = await store.commit([insert(newRecord(owner))]).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'DomainError' });
    expect(['SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT']).toContain((refused as { code: string }).code);
    await failCommand('off', {});
    await expectWritten(owner, 0);
  });

  it('never confirms the commit: reports that the outcome is unknown, and does not run the transaction again', async () => {
    const owner = newOwner();
    // There is time left after the last attempt, so it is not the deadline that prevents another run.
    const onCommand = (event: { commandName: string }) => commands.push(event.commandName);
    const patient = await openMongodbStore(withDatabase(replicaSet.uri, 'faults'), {
      ...withTestMac,
      timeoutMs: 20_000,
      onCommand,
    });
    const writeConcernError = { code: 64, errmsg: 'waiting for replication timed out' };
    await failCommand('alwaysOn', { failCommands: ['commitTransaction'], writeConcernError });
    await expect(patient.commit([insert(newRecord(owner))])).rejects.toMatchObject({
      code: 'GATEWAY_TIMEOUT',
      cause: { name: 'UnknownCommitResult' },
    });
    expect(times('insert')).toBe(4);
    await failCommand('off', {});
    // The fail point answers instead of waiting, so the majority may have the write a little later.
    await expect.poll(() => countOf(store, owner)).toBe(1);
    await expectWritten(owner, 1);
    await patient.close();
  });

  it.each(['aggregate', 'find', 'commitTransaction'])(
    'does not answer %s: times out at the deadline',
    async (command) => {
      const owner = newOwner();
      await failCommand('alwaysOn', { failCommands: [command], blockConnection: true, blockTimeMS: timeoutMs * 4 });
      const began = performance.now();
      const answer = {
        aggregate: () => store.list(query(owner)),
        find: () => store.findRecord('none'),
        commitTransaction: () => store.commit([insert(newRecord(owner))]),
      }[command];
      await expect(answer?.()).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
      const tookMs = performance.now() - began;
      expect(tookMs).toBeGreaterThanOrEqual(timeoutMs - 5);
      // The server answers after four times as long.
      expect(tookMs).toBeLessThan(timeoutMs * 4);
      await failCommand('off', {});
      await expect(store.list(query(newOwner()))).resolves.toMatchObject({ totalCount: 0 });
    },
  );

  it('has stepped down: is unavailable, and says when to retry', async () => {
    await failCommand('alwaysOn', { failCommands: ['aggregate', 'find'], errorCode: 10107 });
    const unavailable = { code: 'SERVICE_UNAVAILABLE', details: { retryAfterSeconds: 1 } };
    await expect(store.list(query(newOwner()))).rejects.toMatchObject(unavailable);
    await expect(store.check()).rejects.toMatchObject(unavailable);
    await failCommand('off', {});
    await expect(store.check()).resolves.toBeUndefined();
  });

  it.each<[string, Document, string]>([
    ['has stepped down', { errorCode: 10107 }, 'SERVICE_UNAVAILABLE'],
    [
      'gets no confirmation of a majority',
      { writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } },
      'GATEWAY_TIMEOUT',
    ],
  ])('%s while content keys are replaced: fails with an error that allows a retry', async (_, fault, code) => {
    const record = newRecord(newOwner());
    await store.commit([insert(record)]);
    const from = wrappedKeyOf(record);
    const replacements = [{ from, to: { ...from, kid: 'kek-2', encryptedKey: 'another' } }];
    await failCommand('alwaysOn', { failCommands: ['update'], ...fault });
    await expect(store.replaceWrappedKeys(replacements)).rejects.toMatchObject({ name: 'DomainError', code });
    await failCommand('off', {});
    await store.replaceWrappedKeys(replacements);
    expect((await store.findRecord(record.id))?.sealed?.envelope.header.kid).toBe('kek-2');
  });

  it('is stopped: fails every call with a typed error before the deadline', async () => {
    const other = await startReplicaSet();
    const cutOff = await openMongodbStore(other.uri, { ...withTestMac, timeoutMs: 4000 });
    await other.stop();
    const calls = [
      cutOff.check(),
      cutOff.list(query(newOwner())),
      cutOff.find('none'),
      cutOff.commit([insert(newRecord(newOwner()))]),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'DomainError' } });
    }
    await expect(cutOff.check()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    const from = wrappedKeyOf(newRecord(newOwner()));
    const replaced = cutOff.replaceWrappedKeys([{ from, to: { ...from, kid: 'kek-2' } }]);
    await expect(replaced).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await cutOff.close();
  });
});
