// What a commit of 500 new secrets takes, and how long it holds the event loop in one piece, beside 500 commits of one.
// Run it with: npx node benchmark/batches.ts

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../src/store/open-store.ts';
import { insert, newOwner, newRecord } from '../test/contract/fixtures.ts';
import { withTestMac } from '../test/support/keyring.ts';
import { startReplicaSet, withDatabase } from '../test/support/mongod.ts';

const size = 500;
const rounds = 15;

const threadMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** @returns what the work took, in CPU time of this thread where nothing else is said */
async function measured(work: () => Promise<unknown>): Promise<{ wallMs: number; cpuMs: number; pieceMs: number }> {
  const [startedAt, cpuBefore] = [performance.now(), threadMs()];
  let [lookedAt, pieceMs] = [cpuBefore, 0];
  const look = () => {
    const now = threadMs();
    pieceMs = Math.max(pieceMs, now - lookedAt);
    lookedAt = now;
  };
  const timer = setInterval(look, 1);
  await work();
  look();
  clearInterval(timer);
  return { wallMs: performance.now() - startedAt, cpuMs: threadMs() - cpuBefore, pieceMs };
}

function median(values: number[]): string {
  return (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(1);
}

async function measure(what: string, databaseUrl: string): Promise<void> {
  const store = await openStore(databaseUrl, withTestMac);
  const ways = {
    'one commit': (owner: ReturnType<typeof newOwner>) =>
      store.commit(Array.from({ length: size }, () => insert(newRecord(owner)))),
    'as many commits': (owner: ReturnType<typeof newOwner>) =>
      Promise.all(Array.from({ length: size }, () => store.commit([insert(newRecord(owner))]))),
  };
  for (const [way, commit] of Object.entries(ways)) {
    const all = [];
    for (let round = 0; round < rounds + 3; round += 1) all.push(await measured(() => commit(newOwner())));
    // The first are compiled.
    const some = all.slice(3);
    const of = (field: keyof (typeof some)[0]) => median(some.map((one) => one[field]));
    console.info(`${what}, ${way}: ${of('wallMs')} ms, ${of('cpuMs')} ms of CPU, ${of('pieceMs')} ms in one piece`);
  }
  await store.close();
}

const directory = await mkdtemp(join(tmpdir(), 'batches-'));
await measure('SQLite', `sqlite:${join(directory, 'secrets.db')}`);
await rm(directory, { recursive: true });
const replicaSet = await startReplicaSet();
try {
  await measure('MongoDB', withDatabase(replicaSet.uri, 'batches'));
} finally {
  await replicaSet.stop();
}
