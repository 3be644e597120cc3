// How fast audit chains are walked: all of 1,000 owners with 100 events each, and one of 100,000.
// Run it with: npx node benchmark/audit.ts

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { walkChains } from '../src/audit/walk-chains.ts';
import { macOfEvent } from '../src/crypto/event-mac.ts';
import { parseKeyring } from '../src/crypto/keyring-file.ts';
import type { Owner } from '../src/model/owner.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Write } from '../src/store/store.ts';
import { keyringText } from '../test/support/keyring.ts';
import { startReplicaSet, withDatabase } from '../test/support/mongod.ts';
import { say } from './progress.ts';

const [owners, each, rounds] = [1000, 100, 3];

const keyring = await parseKeyring(keyringText([{ kid: 'one', state: 'active' }]), 'keyring.json');

function delivered(owner: Owner): Write {
  const actor = { kind: 'user', id: 'auth0|66f2a1c0' } as const;
  const secret = { secretId: randomUUID(), version: 3, secretName: 'PAYMENTS_API_KEY' };
  const event = { type: 'secret.resolved', actor, requestId: randomUUID(), at: new Date(), ...secret } as const;
  return { type: 'appendEvent', owner, event, recordMac: 'x'.repeat(43) };
}

async function measure(name: string, url: string): Promise<void> {
  await using store = Object.assign(
    await openStore(url, { macOfEvent: (of, event) => macOfEvent(of, event, keyring) }),
    {
      async [Symbol.asyncDispose]() {
        await store.close();
      },
    },
  );
  const one: Owner = { type: 'user', userId: 'one' };
  for (let index = 0; index < owners; index += 1) {
    const owner: Owner = { type: 'team', teamId: `team ${index}` };
    await store.commit(Array.from({ length: each }, () => delivered(owner)));
    await store.commit(Array.from({ length: each }, () => delivered(one)));
  }
  for (const [what, options] of [
    [`all of ${owners + 1} owners`, {}],
    ['one owner', { owner: one }],
  ] as const) {
    const rates: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
      const { events, broken } = await walkChains(store, keyring, options);
      if (broken.length > 0) throw new Error('a chain is broken');
      const { user, system } = process.cpuUsage(cpu);
      rates.push((events / (performance.now() - startedMs)) * 1000);
      say(
        `${name}, ${what}: ${Math.round(rates.at(-1) ?? 0)} events/s, ${((user + system) / events).toFixed(1)} µs of CPU each`,
      );
    }
  }
}

const directory = await mkdtemp(join(tmpdir(), 'audit-'));
const replicaSet = await startReplicaSet();
try {
  await measure('SQLite', `sqlite:${join(directory, 'secrets.db')}`);
  await measure('MongoDB', withDatabase(replicaSet.uri, 'audit'));
} finally {
  await replicaSet.stop();
  await rm(directory, { recursive: true });
}
