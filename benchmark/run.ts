import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startReplicaSet } from '../test/support/mongod.ts';
import { chart } from './chart.ts';
import { Contender } from './contender.ts';
import { holdings, loadDatabase, loadSqlite } from './database.ts';
import { type Goal, goalsOf } from './goals.ts';
import { type Growth, growthTable, measureGrowth } from './growth.ts';
import { createIdentities, type Identities } from './identities.ts';
import { LoadProcess } from './load-process.ts';
import { type Instruments, measure, type Series, warmUp } from './measure.ts';
import { MongodCommands } from './mongod-commands.ts';
import { brief, everybody, quick, whole, withSqlite } from './plan.ts';
import { byPackage, type SelfTime, selfTimes } from './profile.ts';
import { say } from './progress.ts';
import { goalsTable, profileTable, seriesTables } from './report.ts';
import { checkAnswers, prepare } from './same-answers.ts';
import { measureStartUp, type StartUp } from './start-up.ts';
import * as work from './work.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
    'growth-size': { type: 'string', default: '1000000' },
    profile: { type: 'string' },
    of: { type: 'string', default: 'secrets-gateway' },
    json: { type: 'boolean', default: false },
    chart: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const plan = options.brief ? brief : options.quick ? quick : whole;

interface Results {
  goals: Goal[];
  series?: Series[];
  residentMegabytes?: Record<string, number>;
  startUp?: StartUp;
  growth?: Growth;
  profile?: SelfTime[];
}

async function compare(
  mongodbUri: string,
  directory: string,
  identities: Identities,
  instruments: Instruments,
): Promise<Results> {
  const { load } = instruments;
  const mongodbUrl = await loadDatabase(mongodbUri, 'benchmark', holdings);
  const sqliteUrl = plan === quick ? '' : await loadSqlite(directory, 'benchmark', holdings);
  const contenders: Contender[] = [];
  try {
    for (const name of plan.contenders) {
      const url = name === 'secrets-gateway, SQLite' ? sqliteUrl : mongodbUrl;
      contenders.push(await Contender.start(name, url, identities));
    }
    await prepare(plan.cells, contenders, load);
    const bytes = await checkAnswers(plan.cells, contenders, load);
    say(`${contenders.length} contenders answer the same ${bytes.toLocaleString('en')} bytes of data`);
    if (plan !== brief) await warmUp(plan.cells, contenders, load, plan.warmUpSeconds);
    const series = await measure(plan.cells, contenders, instruments, plan.rounds);
    const resident = await Promise.all(
      contenders.map(async (one) => [one.name, (await one.usage()).residentBytes / 1e6] as const),
    );
    await Promise.all(contenders.splice(0).map((one) => one.stop()));
    say('starting the gateway, for the time to its first answer');
    const startUp = await measureStartUp(directory, identities, plan.starts);
    if (options.chart && plan === whole) {
      await writeFile(join(import.meta.dirname, '../docs/performance.svg'), chart(series, work.list, 32));
    }
    print(seriesTables(series, new Map(resident)));
    return {
      goals: plan === brief ? [] : goalsOf(series, startUp),
      series,
      residentMegabytes: Object.fromEntries(resident),
      startUp,
    };
  } finally {
    await Promise.all(contenders.map((one) => one.stop()));
  }
}

/** Profiles a contender with one piece of work at 32 connections: `list`, `create` or any other of work.ts. */
async function profileContender(mongodbUri: string, identities: Identities, load: LoadProcess): Promise<Results> {
  const wanted = Object.entries(work).find(([name]) => name === options.profile)?.[1];
  if (typeof wanted !== 'object') throw new Error(`--profile takes one of: ${Object.keys(work).join(' · ')}`);
  const url = await loadDatabase(mongodbUri, 'benchmark', holdings);
  const name = withSqlite.find((one) => one === options.of);
  if (!name) throw new Error(`--of takes one of: ${everybody.join(' · ')}`);
  const contender = await Contender.start(name, url, identities);
  try {
    const cell = { work: wanted, connections: 32, seconds: 5, contenders: [name] };
    await prepare([cell], [contender], load);
    await load.run(contender.port, wanted, 32, 3);
    await contender.startProfile();
    const { requests } = await load.run(contender.port, wanted, 32, 5);
    const times = selfTimes(await contender.stopProfile());
    print(`${name}: ${requests} requests, with the profiler on`);
    print(profileTable(`${wanted.name}: by function`, times, requests));
    print(profileTable(`${wanted.name}: by package`, byPackage(times), requests));
    return { goals: [], profile: times };
  } finally {
    await contender.stop();
  }
}

function print(text: string): void {
  if (!options.json) process.stdout.write(`\n${text}\n`);
}

const started = performance.now();
const directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-benchmark-'));
say('starting mongod');
const mongod = await startReplicaSet();
const identities = await createIdentities(directory);
const load = new LoadProcess(identities);
const instruments: Instruments = { load, mongod: new MongodCommands(mongod.uri) };
try {
  const results: Results = options.profile
    ? await profileContender(mongod.uri, identities, load)
    : options.growth
      ? { goals: [] }
      : await compare(mongod.uri, directory, identities, instruments);
  if (options.growth) {
    const sizes = [10_000, 100_000, Number(options['growth-size'])];
    const effort = { rounds: 5, seconds: 0.5 };
    results.growth = await measureGrowth({
      mongodbUri: mongod.uri,
      directory,
      identities,
      instruments,
      sizes,
      ...effort,
    });
    results.goals.push(...results.growth.goals);
    print(growthTable(results.growth));
  }
  if (results.goals.length > 0) print(goalsTable(results.goals));
  const machine = `${availableParallelism()} cores, ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  const took = `${((performance.now() - started) / 1000).toFixed(0)} s`;
  print(
    `${machine}; ${took}. Ratios are the gateway's to the contender of the line, paired by round: median (min–max).\n` +
      'The gateway runs with its rate limiter, limits, metrics and error map on; the limit itself is set out of reach.',
  );
  if (options.json) process.stdout.write(`${JSON.stringify({ machine, ...results }, null, 2)}\n`);
} finally {
  load.stop();
  await instruments.mongod.close();
  await mongod.stop();
  await rm(directory, { recursive: true, force: true });
}
