import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createProgress } from '../../../src/cli/progress.ts';
import { MongodbWay } from './mongodb-way.ts';
import { type Rounds, report, wrongIn } from './report.ts';
import { SigtermWay } from './sigterm-way.ts';
import { SqliteWay } from './sqlite-way.ts';
import type { Round, Way } from './way.ts';

// npm run faults: the long run. It injects every kind of fault in turn, and writes docs/faults.md.

const ways: Readonly<Record<string, () => Promise<Way>>> = {
  'A replica set of three members, two gateways': () => MongodbWay.open(),
  'A gateway on SQLite': () => SqliteWay.open(),
  'Gateways that end on SIGTERM': () => SigtermWay.open(),
};

const { values } = parseArgs({ options: { each: { type: 'string', default: '200' } } });
/** How many faults each way gets, at least. */
const least = Number(values.each);
const progress = createProgress('faults', process.stderr);
const results: Record<string, Rounds> = {};
const opened: Way[] = [];
let done = 0;
let total = 0;
let wrong = 0;

async function run(title: string, open: () => Promise<Way>): Promise<void> {
  const way = await open();
  opened.push(way);
  try {
    const rounds = new Map<string, Round[]>(way.kinds.map((kind) => [kind, []]));
    const times = Math.ceil(least / way.kinds.length);
    total += times * way.kinds.length;
    for (let time = 0; time < times; time += 1) {
      for (const [kind, of] of rounds) {
        const round = await way.inject(kind);
        of.push(round);
        for (const found of wrongIn(round)) say(`${title}, ${kind}: ${found}`);
        done += 1;
        progress.show(done, total);
      }
    }
    results[title] = rounds;
  } finally {
    await way.close();
  }
}

function say(found: string): void {
  wrong += 1;
  process.stderr.write(`\n${found}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await Promise.allSettled(opened.map((way) => way.close()));
    process.exit(1);
  });
}

// Side by side: one waits for an election while another writes.
const outcomes = await Promise.allSettled(Object.entries(ways).map(([title, open]) => run(title, open)));
progress.end();
for (const outcome of outcomes)
  if (outcome.status === 'rejected') console.error('The run was broken off:', outcome.reason);
const isWhole = outcomes.every(({ status }) => status === 'fulfilled');
if (isWhole) {
  // In the order of the ways, not in the order in which they ended.
  const sorted = Object.fromEntries(Object.keys(ways).map((title) => [title, results[title] as Rounds]));
  writeFileSync(new URL('../../../docs/faults.md', import.meta.url), report(sorted));
  console.log(`${done} faults, ${wrong} findings. docs/faults.md is written.`);
}
process.exit(isWhole && wrong === 0 ? 0 : 1);
