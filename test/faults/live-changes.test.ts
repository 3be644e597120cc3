import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { Members } from '../support/members.ts';
import { mongodPath, withDatabase } from '../support/mongod.ts';
import { followThroughFaults } from './load/live-changes.ts';

// The short form of `npm run faults:live`.

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
});
afterAll(() => commandLine.close());

const quiet = { RATE_LIMIT: 'off', LOG_LEVEL: 'error' };

it('subscribers that come and go are told each change once, in order, on sqlite', async () => {
  const gateways = [await commandLine.serve(quiet)];
  const result = await followThroughFaults({ gateways, changes: 600, kills: 0 });
  expect(result.wrong).toEqual([]);
  expect(result.changes).toBeGreaterThanOrEqual(600);
});

const canRun = inject('mongodbUri') !== null && !process.env.MONGODB_URI && (await mongodPath()) !== undefined;

describe.skipIf(!canRun)('two gateways on three MongoDB members', () => {
  let members: Members;
  beforeAll(async () => {
    members = await Members.start(3);
  }, 120_000);
  afterAll(() => members?.close());

  it('subscribers that come and go are told each change once, in order, while the primary is killed', async () => {
    const env = { DATABASE_URL: withDatabase(members.uri, 'live'), ...quiet };
    const ownCommandLine = await CommandLine.open();
    try {
      const gateways = [await ownCommandLine.serve(env), await ownCommandLine.serve(env)];
      const result = await followThroughFaults({ gateways, members, changes: 600, kills: 1 });
      expect(result.wrong).toEqual([]);
      expect(result.changes).toBeGreaterThanOrEqual(600);
    } finally {
      await ownCommandLine.close();
    }
  }, 120_000);
});
