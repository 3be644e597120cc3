import { setTimeout } from 'node:timers/promises';
import type { Keyring } from '../crypto/keyring.ts';
import { ConfigurationError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { requireRetirable, retireKey } from './change.ts';
import { countEnvelopes } from './count.ts';
import { readKeyring } from './file.ts';
import { settleMs } from './live.ts';

/**
 * Takes a key out of use if no envelope is under it, neither now nor once every gateway knows that it is not active.
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
  requireRetirable([...ring.keys.values()], kid);
  await requireUnused(store, ring, kid);
  onWait(settleMs);
  await setTimeout(settleMs);
  await requireUnused(store, ring, kid);
  await retireKey(keyringFile, kid);
}

async function requireUnused(store: Store, ring: Keyring, kid: string): Promise<void> {
  const counts = await countEnvelopes(store);
  if (counts.size > 0 && ![...counts.keys()].some((one) => ring.keys.has(one))) {
    throw new ConfigurationError(
      'DATABASE_URL: no secret in this store is sealed with a key of this keyring. Set it to the store of the gateways that use the keyring.',
    );
  }
  const count = counts.get(kid) ?? 0;
  if (count > 0) {
    throw new ConfigurationError(
      `envelopes are under this key (${count.toLocaleString('en')}). Run keys rewrap, and then this again.`,
    );
  }
}
