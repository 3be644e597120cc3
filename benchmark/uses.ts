// How many uses a second one owner's busiest secret, and many owners' secrets, get through: each waits until its event is durable.
// Run it with: npx node benchmark/uses.ts

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { macOfEvent } from '../src/crypto/event-mac.ts';
import type { Owner } from '../src/model/owner.ts';
import type { SecretRecord } from '../src/model/secret.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store, Write } from '../src/store/store.ts';
import { testKeyring } from '../test/support/keyring.ts';
import { startReplicaSet, withDatabase } from '../test/support/mongod.ts';
import { say } from './progress.ts';
import { recordOf } from './records.ts';

const [rounds, roundMs] = [5, 2000];
/** Requests at once. */
const concurrencies = [1, 64, 256];

function use(secret: SecretRecord): Write {
  const event = {
    type: 'secret.used',
    actor: { kind: 'apiKey', id: '019a0000-0000-7000-8000-000000000000' },
    requestId: '019a0000-0000-7000-8000-000000000001',
    at: new Date(),
    secretId: secret.id,
    version: secret.version,
    secretName: secret.name,
    method: 'POST',
    origin: 'https://api.openai.com',
  } as const;
  return { type: 'useSecret', secret, event };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function measure(name: string, what: string, store: Store, secrets: readonly SecretRecord[]): Promise<void> {
  for (const atOnce of concurrencies) {
    const rates: number[] = [];
    const waits: number[] = [];
    const cpus: number[] = [];
    // The first round warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
      let made = 0;
      const one = async () => {
        while (performance.now() < startedMs + roundMs) {
          const secret = secrets[made % secrets.length];
          if (!secret) throw new Error('there is a secret');
          made += 1;
          const beganMs = performance.now();
          await store.commit([use(secret)]);
          if (round > 0) waits.push(performance.now() - beganMs);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, one));
      const { user, system } = process.cpuUsage(cpu);
      if (round === 0) continue;
      rates.push((made / (performance.now() - startedMs)) * 1000);
      cpus.push((user + system) / made);
    }
    const slowest = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? Number.NaN;
    say(
      `${name}, ${what}, ${atOnce} at once: ${Math.round(median(rates))} uses/s, ${median(waits).toFixed(1)} ms (p99 ${slowest.toFixed(1)} ms), ${median(cpus).toFixed(0)} µs of CPU each`,
    );
  }
}

async function measureStore(name: string, url: string): Promise<void> {
  const store = await openStore(url, { macOfEvent: (of, event) => macOfEvent(of, event, testKeyring) });
  try {
    const owners = Array.from({ length: 64 }, (_, index): Owner => ({ type: 'team', teamId: `team ${index}` }));
    const records = owners.map(recordOf);
    await store.commit(records.map((record) => ({ type: 'insertSecret', record, event: created(record) })));
    await measure(name, 'one secret of one owner', store, records.slice(0, 1));
    await measure(name, '64 secrets of 64 owners', store, records);
  } finally {
    await store.close();
  }
}

function created({ id, version, name, createdAt, createdBy }: SecretRecord) {
  const event = { type: 'secret.created', actor: createdBy, requestId: 'request-1', at: createdAt } as const;
  return { ...event, secretId: id, version, secretName: name };
}

const directory = await mkdtemp(join(tmpdir(), 'uses-'));
const replicaSet = await startReplicaSet();
try {
  await measureStore('SQLite', `sqlite:${join(directory, 'secrets.db')}`);
  await measureStore('MongoDB', withDatabase(replicaSet.uri, 'uses'));
} finally {
  await replicaSet.stop();
  await rm(directory, { recursive: true });
}
