import { parseArgs } from 'node:util';
import { createProgress } from '../../../src/cli/progress.ts';
import { CommandLine } from '../../support/command-line.ts';
import { Members } from '../../support/members.ts';
import { withDatabase } from '../../support/mongod.ts';
import { followThroughFaults } from './live-changes.ts';

// npm run faults:live: 10,000 changes through two gateways, and three times the primary is killed.

const { values } = parseArgs({
  options: { changes: { type: 'string', default: '10000' }, kills: { type: 'string', default: '3' } },
});
const [changes, kills] = [Number(values.changes), Number(values.kills)];
const progress = createProgress('changes', process.stderr);
const members = await Members.start(3);
const commandLine = await CommandLine.open();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await Promise.allSettled([commandLine.close(), members.close()]);
    process.exit(1);
  });
}
try {
  const env = { DATABASE_URL: withDatabase(members.uri, 'live'), RATE_LIMIT: 'off', LOG_LEVEL: 'error' };
  const gateways = [await commandLine.serve(env), await commandLine.serve(env)];
  const started = performance.now();
  const onProgress = (made: number) => progress.show(made, changes);
  const result = await followThroughFaults({ gateways, members, changes, kills, onProgress });
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(`${JSON.stringify({ ...result, kills, seconds }, null, 2)}\n`);
  process.exitCode = result.wrong.length > 0 || result.changes < changes ? 1 : 0;
} finally {
  await commandLine.close();
  await members.close();
}
