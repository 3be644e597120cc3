import { timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { type Keyring, opens } from '../crypto/keyring.ts';
import { ConfigurationError } from '../errors.ts';
import { readKeyring } from './file.ts';

/** How long a gateway may use a keyring after its file was changed, at most. */
export const reloadMs = 2000;

/**
 * After this time no gateway writes an envelope under a key that has ceased to be active: every gateway has read the file,
 * and what it had begun before is stored or given up (a store begins to commit within 5 s, and has 5 s for that).
 */
export const settleMs = reloadMs + 11_000;

export interface LiveKeyring {
  /** The keyring as it is now. */
  current(): Keyring;
  /** Reads the file if it has changed. @throws ConfigurationError when it is bad; the keyring stays as it was */
  check(): Promise<void>;
  close(): void;
}

/**
 * A keyring that follows its file. A file that is bad, or lacks a key that opens, leaves the keyring as it is.
 * @param onChange told of each change of the file: the keyring from now on, and why it is still the old one
 * @throws ConfigurationError when the file is bad at the start
 */
export async function openLiveKeyring(
  path: string,
  onChange: (ring: Keyring, error?: unknown) => void,
): Promise<LiveKeyring> {
  let loaded = await fingerprintOf(path);
  let ring = await readKeyring(path);
  let reported: string | null = null;

  /** Until it is loaded, the file is read again each time: the reason why it could not be read may pass. */
  async function reload(): Promise<void> {
    const found = await fingerprintOf(path);
    if (found === loaded) return;
    try {
      const next = await readKeyring(path);
      requireSameKeys(next, ring, path);
      [ring, loaded, reported] = [next, found, null];
      onChange(ring);
    } catch (error) {
      const failure = `${found} ${error instanceof Error ? error.message : ''}`;
      if (failure !== reported) onChange(ring, error);
      reported = failure;
      throw error;
    }
  }

  let reloading: Promise<void> = Promise.resolve();
  const check = () => {
    reloading = reloading.catch(() => {}).then(reload);
    return reloading;
  };
  // onChange has been told of a failure.
  const timer = setInterval(() => check().catch(() => {}), reloadMs);
  timer.unref();
  return { current: () => ring, check, close: () => clearInterval(timer) };
}

/** Changes when the file is written, replaced or removed. */
async function fingerprintOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs, found.mode].join(' ') : 'missing';
}

/** Without one of its keys, every value that was sealed with that key could not be opened. */
function requireSameKeys(next: Keyring, current: Keyring, path: string): void {
  for (const { kid, state, macKey } of current.keys.values()) {
    const same = next.keys.get(kid);
    if (opens(state) && !(same && timingSafeEqual(same.macKey, macKey))) {
      throw new ConfigurationError(
        `KEYRING_FILE ${path}: the key ${kid} is gone, or is another. Put it back: envelopes may be under it. Once none is, secrets-gateway keys retire takes it out of use.`,
      );
    }
  }
}
