// What the broker costs beside a bare reverse proxy: CPU time of the process for each request, and added latency.
// Run it with: npm run bench:broker
//   --brief            once, to see that it works
//   --profile 'GET'    where the gateway's time goes in the first workload of this name, on SQLite
//   TOKENIZER=/path    measures superfly/tokenizer too, from a binary that was built before

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCertificate } from '../test/support/certificate.ts';
import { startReplicaSet, withDatabase } from '../test/support/mongod.ts';
import { LoadProcess, measure, measureOnce } from './broker/measure.ts';
import {
  type Broker,
  type ProxyProcess,
  protocols,
  startBroker,
  startPlain,
  startTokenizer,
  type Upstream,
} from './broker/proxies.ts';
import { bare, cpuTable, latencyTable, type Uses, usesTable } from './broker/report.ts';
import type { UpstreamPorts } from './broker/upstream.ts';
import { value, workloads } from './broker/workloads.ts';
import { createIdentities, type Identities } from './identities.ts';
import { byPackage, selfTimes } from './profile.ts';
import { say } from './progress.ts';
import { profileTable } from './report.ts';

const { values: options } = parseArgs({
  options: { brief: { type: 'boolean', default: false }, profile: { type: 'string' } },
});
const effort = options.brief
  ? { rounds: 1, seconds: 0.2, connections: 32 }
  : { rounds: 5, seconds: 0.5, connections: 32 };
const usesEffort = options.brief ? { rounds: 1, seconds: 0.2 } : { rounds: 5, seconds: 1 };
/** At once, with one secret of one owner, and with as many owners. */
const usesConnections = 64;

const print = (text: string) => void process.stdout.write(`\n${text}\n`);

interface Parts {
  readonly upstream: Upstream;
  readonly direct: Parameters<typeof measure>[2];
  readonly identities: Identities;
  readonly load: LoadProcess;
  readonly directory: string;
}

function broker(name: string, databaseUrl: string, { directory, upstream, identities }: Parts): Promise<Broker> {
  const isAudited = !name.includes('without');
  const keyringFile = join(directory, `${name.replace(/\W/g, '')}.json`);
  const connections = usesConnections;
  // TLS costs the same on any store.
  const some = databaseUrl.startsWith('sqlite:') ? protocols : (['http'] as const);
  return startBroker({ name, databaseUrl, keyringFile, isAudited, protocols: some, connections }, upstream, identities);
}

async function compare(mongodbUri: string, parts: Parts): Promise<void> {
  const { upstream, directory, load, direct } = parts;
  const sqlite = (name: string) => `sqlite:${join(directory, name)}.db`;
  const proxies: ProxyProcess[] = [];
  try {
    proxies.push(
      await startPlain(bare, 'bare-proxy.ts', 'http', upstream),
      await startPlain(bare, 'bare-proxy.ts', 'https', upstream),
      await startPlain('http-proxy-3', 'http-proxy-3.ts', 'http', upstream),
    );
    const brokers = [
      await broker('SQLite, without audit', sqlite('without'), parts),
      await broker('SQLite', sqlite('audited'), parts),
      await broker('MongoDB, without audit', withDatabase(mongodbUri, 'without'), parts),
      await broker('MongoDB', withDatabase(mongodbUri, 'audited'), parts),
    ] as const;
    proxies.push(...brokers);
    const { TOKENIZER: binary } = process.env;
    if (binary) proxies.push(await startTokenizer(binary, upstream));
    else say('superfly/tokenizer is left out: TOKENIZER names no binary.');

    const series = await measure(load, proxies, direct, workloads, effort);
    for (const protocol of protocols) {
      const some = series.filter((one) => one.protocol === protocol);
      print(cpuTable(some, `CPU, 32 at once, ${protocol} upstream`));
      print(latencyTable(some, `added p50, one at a time, ${protocol} upstream`));
    }
    print(usesTable(await measureUses(brokers, load), `GET of 1 kB, ${usesConnections} at once`));
  } finally {
    await Promise.all(proxies.map((one) => one.stop()));
  }
}

async function measureUses(brokers: readonly Broker[], load: LoadProcess): Promise<Uses[]> {
  const [workload] = workloads;
  if (!workload) return [];
  const all = brokers.flatMap((one) =>
    [1, usesConnections].map((callers) => {
      const what = `${one.name}, ${callers === 1 ? 'one owner and one secret' : `${callers} owners`}`;
      return { broker: one, callers, uses: { what, rounds: [] as Uses['rounds'][number][] } };
    }),
  );
  for (let round = 0; round < usesEffort.rounds; round += 1) {
    for (const { broker, callers, uses } of round % 2 ? all.toReversed() : all) {
      const { seconds } = usesEffort;
      const run = { workload, protocol: 'http', callers, connections: usesConnections, seconds } as const;
      uses.rounds.push(await measureOnce(load, broker, run));
    }
  }
  return all.map(({ uses }) => uses);
}

async function profile(wanted: string, parts: Parts): Promise<void> {
  const workload = workloads.find(({ name }) => name.startsWith(wanted));
  if (!workload) throw new Error(`--profile takes one of: ${workloads.map(({ name }) => name).join(' · ')}`);
  const profiled = await broker('SQLite', `sqlite:${join(parts.directory, 'profiled')}.db`, parts);
  try {
    const run = { workload, protocol: 'http', callers: 32, connections: 32, seconds: 5 } as const;
    await parts.load.run(profiled, { ...run, seconds: 3 });
    await profiled.startProfile();
    const { requests } = await parts.load.run(profiled, run);
    const times = selfTimes(await profiled.stopProfile());
    print(`${requests} requests, with the profiler on`);
    print(profileTable(`${workload.name}: by function`, times, requests));
    print(profileTable(`${workload.name}: by package`, byPackage(times), requests));
  } finally {
    await profiled.stop();
  }
}

const started = performance.now();
const directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-broker-'));
const { certificateFile, bothFile } = makeCertificate(directory);
const upstreamProcess = fork(join(import.meta.dirname, 'broker/upstream.ts'), [bothFile]);
const load = new LoadProcess();
try {
  const [ports] = (await once(upstreamProcess, 'message')) as [UpstreamPorts];
  const origins = { http: `http://127.0.0.1:${ports.http}`, https: `https://localhost:${ports.https}` };
  const address = () => ({ prefix: '', headers: [`Authorization: Bearer ${value}`] });
  // The load generator has no TLS; the handshakes of kept connections do not count.
  const direct = { http: { port: ports.http, address }, https: { port: ports.http, address } };
  const identities = await createIdentities(directory);
  const parts = { upstream: { origins, certificateFile }, direct, identities, load, directory };
  if (options.profile !== undefined) await profile(options.profile, parts);
  else {
    const mongod = await startReplicaSet();
    try {
      await compare(mongod.uri, parts);
    } finally {
      await mongod.stop();
    }
  }
  print(
    `${availableParallelism()} cores, ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; ` +
      `${((performance.now() - started) / 1000).toFixed(0)} s. Ratios to the bare proxy, paired by round: median (min–max).`,
  );
} finally {
  load.stop();
  upstreamProcess.disconnect();
  await rm(directory, { recursive: true, force: true });
}
