import { stat } from 'node:fs/promises';
import { macOfEvent } from '../crypto/event-mac.ts';
import { isUsable, type Keyring } from '../crypto/keyring.ts';
import { ConfigurationError } from '../errors.ts';
import type { MacOfEvent } from '../store/audit.ts';
import { readKeyring } from './file.ts';

/** How long a gateway may use a keyring after its file was changed, at most. */
export const reloadMs = 2000;

/**
 * After this time no gateway writes an envelope or a MAC under a key that has ceased to be active: every gateway has read the file,
 * and what it had begun before is stored or given up (a store begins to commit within 5 s, and has 5 s for that).
 */
export const settleMs = reloadMs + 11_000;

export interface LiveKeyring {
  /** The keyring as it is now. */
  current(): Keyring;
  /** Reads the file if it has changed. @throws ConfigurationError when it is bad; the keyring stays as it was */
  check(): Promise<void>;
  /** For a store: under the MAC key that is active now. */
  readonly macOfEvent: MacOfEvent;
  close(): void;
}

/**
 * A keyring that follows its file. A file that is bad, or lacks a key that is in use, leaves the keyring as it is.
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
  return {
    current: () => ring,
    check,
    macOfEvent: (owner, event) => macOfEvent(owner, event, ring),
    close: () => clearInterval(timer),
  };
}

/** Changes when the file is written, replaced or removed. */
async function fingerprintOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs, found.mode].join(' ') : 'missing';
}

/** Without one of its keys, every value that needs that key could not be opened. Nothing that is stored needs a sealing key. */
function requireSameKeys(next: Keyring, current: Keyring, path: string): void {
  for (const { use, kid, state, fingerprint } of current.all.values()) {
    const same = next.all.get(kid);
    if (use === 'seal' && !same) continue;
    if (isUsable(state) && !(same?.use === use && same.fingerprint === fingerprint)) {
      throw new ConfigurationError(
        `KEYRING_FILE ${path}: the key ${kid} is gone, or is another. Put it back: what is stored may need it. Once nothing does, secrets-gateway keys retire takes it out of use.`,
      );
    }
  }
}
