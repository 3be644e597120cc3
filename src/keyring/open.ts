import type { Keyring } from '../crypto/keyring.ts';
import { ConfigurationError } from '../errors.ts';
import { unknownKid } from '../model/envelope.ts';
import { describeError, type Log } from '../runtime/log.ts';
import { exists } from '../runtime/private-file.ts';
import type { Store } from '../store/store.ts';
import { countedRanges } from './count.ts';
import { createKeyring, readKeyring } from './file.ts';
import { type LiveKeyring, openLiveKeyring } from './live.ts';

/**
 * Opens the keyring of a gateway, and makes one for a store that is empty.
 * @throws ConfigurationError when the file is missing or bad, or belongs to another store
 */
export async function openKeyring(path: string, store: Store, log: Log): Promise<LiveKeyring> {
  if (!(await exists(path))) {
    // A new keyring beside old envelopes would hide that every value is lost.
    if (!(await store.isEmpty())) {
      throw new ConfigurationError(
        `KEYRING_FILE ${path}: there is no such file, but the store holds secrets sealed with it. Restore it from its backup.`,
      );
    }
    await createKeyring(path);
  }
  await requireOwnSecrets(store, await readKeyring(path), path);
  return openLiveKeyring(path, (ring, error) => {
    const [mac, active] = [ring.mac.active.kid, ring.wrap.active.kid];
    if (error === undefined) log.info({ mac, active }, 'keyring loaded');
    else log.error({ mac, active, cause: describeError(error) }, 'keyring not loaded; the one before stays in use');
  });
}

const rangeSize = 1000;

/**
 * A keyring that opens none of the store's envelopes belongs to another deployment. One that opens some of them has lost a
 * key, and the gateway serves the rest. Usually the first range is enough to know.
 */
async function requireOwnSecrets(store: Store, { wrap: { keys } }: Keyring, path: string): Promise<void> {
  const lost = new Set<string>();
  for await (const counts of countedRanges(store, 'envelopes', rangeSize)) {
    for (const kid of counts.keys()) {
      if (keys.has(kid)) return;
      if (kid !== unknownKid) lost.add(kid);
    }
  }
  if (lost.size === 0) return;
  throw new ConfigurationError(
    `KEYRING_FILE ${path}: it lacks the keys that the store's secrets are sealed with (${[...lost].slice(0, 5).join(', ')}). Set it to the file of the gateways that made them, or restore that file from its backup.`,
  );
}
