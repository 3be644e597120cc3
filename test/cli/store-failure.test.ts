import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { storeFailure } from '../../src/cli/store-failure.ts';
import { DomainError } from '../../src/errors.ts';
import { CommandLine, longWaits } from '../support/command-line.ts';
import { type ReplicaSet, startReplicaSet, withDatabase } from '../support/mongod.ts';

const hasMongod = inject('mongodbUri') !== null && !process.env.MONGODB_URI;

describe.skipIf(!hasMongod)('a store that fails while the gateway or a command starts', () => {
  let replicaSet: ReplicaSet;
  let client: MongoClient;
  let commandLine: CommandLine;
  let env: Record<string, string>;
  beforeAll(async () => {
    replicaSet = await startReplicaSet({ args: ['--setParameter', 'enableTestCommands=1'] });
    client = new MongoClient(replicaSet.uri);
    commandLine = await CommandLine.open();
    env = { DATABASE_URL: withDatabase(replicaSet.uri, 'failing'), KEYRING_FILE: 'keyring.json' };
    const data = { appName: 'secrets-gateway', failCommands: ['aggregate'], errorCode: 13 };
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
  });
  afterAll(async () => {
    await commandLine?.close();
    await client?.close();
    await replicaSet?.stop();
  });

  const failure =
    'DATABASE_URL: the store cannot be used now (not-allowed). It refuses the user. On MongoDB give the user the roles ' +
    'readWrite and dbAdmin, on SQLite make the file writable. Then run this again.\n';

  it('is told in one plain message that says what to do, without a stack', async () => {
    const { code, stderr } = await commandLine.run(['serve'], env, { preload: [longWaits.skipped] });
    expect({ code, stderr }).toEqual({ code: 1, stderr: `secrets-gateway cannot start: ${failure}` });
  });

  it.each(['keys list', 'keys rewrap', 'audit verify'])('is told in the same way by %s', async (command) => {
    await commandLine.run(['serve'], env, { preload: [longWaits.skipped] });
    const answer = await commandLine.run(command.split(' '), env, { preload: [longWaits.skipped] });
    expect(answer).toEqual({ code: 1, stdout: '', stderr: `secrets-gateway ${command}: ${failure}` });
  });
});

it.each([
  ['no-primary', 'DATABASE_URL: the store cannot be used now (no-primary). MongoDB has no primary.'],
  [
    'commits-stuck',
    'DATABASE_URL: the store cannot be used now (commits-stuck). It ended the command. Wait a moment. Then run this again.',
  ],
])('the message for %s names the reason', (reason, message) => {
  expect(storeFailure(new DomainError('SERVICE_UNAVAILABLE', { reason }))).toContain(message);
});

it('the message for a failure that is none of a store is its own', () => {
  const error = new DomainError('BAD_GATEWAY', { description: 'Check the address.' });
  expect(storeFailure(error)).toBe(
    'BAD_GATEWAY: A service this gateway depends on answered wrongly. Check the address.',
  );
});
