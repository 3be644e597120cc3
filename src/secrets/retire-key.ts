import { setTimeout } from 'node:timers/promises';
import { retirable, retireKey } from '../crypto/change-keyring.ts';
import { readKeyring } from '../crypto/keyring.ts';
import { settleMilliseconds } from '../crypto/live-keyring.ts';
import { ConfigurationError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { countEnvelopes } from './count-envelopes.ts';

/**
 * Takes a key out of use, if no envelope is under it: neither now, nor once every gateway has heard that it is not active.
 * @param onWait told before a wait of so many milliseconds
 * @throws ConfigurationError when there is no such key, or it is in use
 * @throws DomainError when the store stays away
 */
export async function retireUnusedKey(
  store: Store,
  keyringFile: string,
  kid: string,
  onWait: (milliseconds: number) => void,
): Promise<void> {
  const { keys } = await readKeyring(keyringFile);
  const { changedAt } = retirable([...keys.values()], kid);
  await refuseUsed(store, kid);
  const age = changedAt ? Date.now() - changedAt.getTime() : 0;
  // A clock that was set back must not make it wait for longer.
  const wait = Math.min(settleMilliseconds - age, settleMilliseconds);
  if (wait > 0) {
    onWait(wait);
    await setTimeout(wait);
    await refuseUsed(store, kid);
  }
  await retireKey(keyringFile, kid);
}

async function refuseUsed(store: Store, kid: string): Promise<void> {
  const count = (await countEnvelopes(store)).get(kid) ?? 0;
  if (count > 0) {
    throw new ConfigurationError(
      `envelopes are under this key (${count.toLocaleString('en')}). Run keys rewrap, and then this again.`,
    );
  }
}
