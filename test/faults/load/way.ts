import { join } from 'node:path';
import type { Keyring } from '../../../src/crypto/keyring.ts';
import { readKeyring } from '../../../src/keyring/file.ts';
import { LoadClient } from '../../support/load-client.ts';
import type { Findings } from '../../support/write-load.ts';

/** What one fault led to. */
export interface Round extends Findings {
  /** Gateways that did not answer a write again by themselves, did not become ready, or did not end when they were told to. */
  readonly stuck: readonly string[];
}

export const nothingWrong = { lost: [], doubled: [], halfWritten: [], untyped: [], stuck: [] };

/** Faults of one place, each injected for real while clients write and read through real gateways. */
export interface Way {
  readonly kinds: readonly string[];
  /** Injects a fault once, and tells what came of it. The gateways run on, or are started again. */
  inject(kind: string): Promise<Round>;
  close(): Promise<void>;
}

/** How a client reaches a gateway. */
interface Reached {
  readonly url: string;
  readonly token: string;
}

/** How long a gateway may take to answer a write once the fault is over. An election and the time-outs of calls are within it. */
const healMs = 30_000;

const create = `mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }`;

/** Whether a gateway answers a write again, and is ready. @returns what is stuck */
export async function stuckPart(gateway: Reached, team: string, withinMs = healMs): Promise<string[]> {
  const client = new LoadClient(gateway);
  const end = performance.now() + withinMs;
  const within = async (attempt: () => Promise<boolean>) => {
    while (performance.now() < end) {
      if (await attempt().catch(() => false)) return true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  };
  const writes = async () => {
    const name = crypto.randomUUID();
    return (await client.run(create, { input: { owner: { teamId: team }, name } })).status === 200;
  };
  const isReady = async () => (await fetch(new URL('/readyz', gateway.url))).ok;
  const stuck: string[] = [];
  if (!(await within(writes))) stuck.push('no write is answered');
  if (!(await within(isReady))) stuck.push('/readyz is not ok');
  client.close();
  return stuck;
}

/** One client for each write or read at the same time, over all gateways. */
export function clientsOf(gateways: readonly Reached[], count = 10): LoadClient[] {
  return Array.from({ length: count }, (_, index) => new LoadClient(gateways[index % gateways.length] as Reached));
}

/** That of the gateways that run in this directory. */
export function keyringIn(directory: string): Promise<Keyring> {
  return readKeyring(join(directory, '.data/keyring.json'));
}
