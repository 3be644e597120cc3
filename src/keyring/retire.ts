import { setTimeout } from 'node:timers/promises';
import type { EqualityKey, Key, Keyring } from '../crypto/keyring.ts';
import { ConfigurationError } from '../errors.ts';
import { unknownKid } from '../model/envelope.ts';
import { keptResultMs } from '../model/kept-result.ts';
import type { Keyed } from '../store/kid-counts.ts';
import type { Store } from '../store/store.ts';
import { requireRetirable, retireKey } from './change.ts';
import { countKids } from './count.ts';
import { readKeyring } from './file.ts';
import { settleMs } from './live.ts';

/**
 * Removes a sealing key, which nothing in the store needs.
 * @returns false for a key of another use, which stays as it is
 * @throws ConfigurationError when there is no such key, or it is an active one
 */
export async function removeSealingKey(keyringFile: string, kid: string): Promise<boolean> {
  const key = requireRetirable([...(await readKeyring(keyringFile)).all.values()], kid);
  if (key.use !== 'seal') return false;
  await retireKey(keyringFile, kid);
  return true;
}

/**
 * Takes a key out of use if nothing in the store needs it, neither now nor once every gateway knows that it is not active.
 * @param onWait told before the wait, in milliseconds
 * @throws ConfigurationError when there is no such key, or it is in use
 * @throws DomainError when the store stays away
 */
export async function retireUnusedKey(
  store: Store,
  keyringFile: string,
  kid: string,
  onWait: (waitMs: number) => void,
): Promise<void> {
  const ring = await readKeyring(keyringFile);
  const key = requireRetirable([...ring.all.values()], kid);
  await requireUnused(store, ring, key);
  onWait(settleMs);
  await setTimeout(settleMs);
  await requireUnused(store, ring, key);
  await retireKey(keyringFile, kid);
}

/** What can need a key of a use. */
export const neededBy: Readonly<Record<Key['use'], readonly Keyed[]>> = {
  wrap: ['envelopes'],
  mac: ['records', 'apiKeys', 'events'],
  equality: ['digests'],
  seal: [],
};

async function requireUnused(store: Store, ring: Keyring, { use, kid }: Key): Promise<void> {
  requireForgotten(ring.equality.keys.get(kid));
  for (const of of neededBy[use]) {
    const counts = await countKids(store, of);
    const named = [...counts.keys()].filter((one) => of !== 'digests' || one !== unknownKid);
    if (named.length > 0 && !named.some((one) => ring.all.has(one))) {
      throw new ConfigurationError(
        'DATABASE_URL: no secret in this store is sealed with a key of this keyring. Set it to the store of the gateways that use the keyring.',
      );
    }
    const count = counts.get(kid) ?? 0;
    if (count > 0) throw new ConfigurationError(refusals[of](count.toLocaleString('en')));
  }
}

/**
 * Results of idempotent calls name no key: what was kept under this one alone is no longer needed when its time is over.
 * @throws ConfigurationError
 */
function requireForgotten(key: EqualityKey | undefined): void {
  if (!key?.replacedAt) return;
  const until = new Date(key.replacedAt.getTime() + keptResultMs + settleMs);
  if (until <= new Date()) return;
  throw new ConfigurationError(
    `This key is still needed: it finds results of calls with an idempotency key, which are kept for 24 hours. Run this again after ${until.toISOString()}.`,
  );
}

const refusals: Readonly<Record<Keyed, (count: string) => string>> = {
  envelopes: (count) => `This key is still needed (envelopes: ${count}). Run keys rewrap, and then this again.`,
  records: (count) =>
    `This key is still needed (MACs of secrets: ${count}). It verifies them. A secret gets another MAC when it is changed.`,
  apiKeys: (count) => `This key is still needed (MACs of API keys: ${count}). It verifies them.`,
  events: (count) =>
    `This key is still needed (audit events: ${count}). It verifies them, and stays for as long as they do.`,
  digests: (count) =>
    `This key is still needed (digests of values: ${count}). Run keys recompute, and then this again.`,
};
