import { timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { ConfigurationError } from '../errors.ts';
import { type Keyring, opens, readKeyring } from './keyring.ts';

/** How long a gateway may go on with a keyring after its file was changed, at most. */
export const reloadMilliseconds = 2000;

/**
 * After this no gateway writes what it sealed under a key that had ceased to be active: it has followed the file, and what it
 * had begun before is stored, or was given up (a store has 5 s).
 */
export const settleMilliseconds = reloadMilliseconds + 8000;

export interface LiveKeyring {
  /** The ring as it is now. */
  current(): Keyring;
  /** Whether the file is sound, and could take the place of the ring. @throws ConfigurationError */
  check(): Promise<void>;
  close(): void;
}

/**
 * A keyring that follows its file. A file that is bad, or that lacks a key which opens, leaves the ring as it is.
 * @param onChange told of each change of the file: the ring from now on, and why it is still the old one
 * @throws ConfigurationError when the file is bad at the start
 */
export async function openLiveKeyring(
  path: string,
  onChange: (ring: Keyring, error?: unknown) => void,
): Promise<LiveKeyring> {
  let seen = await fingerprintOf(path);
  let ring = await readKeyring(path);

  async function read(): Promise<Keyring> {
    const next = await readKeyring(path);
    checkCovers(next, ring, path);
    return next;
  }

  async function follow(): Promise<void> {
    const found = await fingerprintOf(path);
    if (found === seen) return;
    // Before it is read: what is written meanwhile is another change.
    seen = found;
    try {
      ring = await read();
      onChange(ring);
    } catch (error) {
      onChange(ring, error);
    }
  }

  let following = Promise.resolve();
  const timer = setInterval(() => {
    following = following.then(follow);
  }, reloadMilliseconds);
  timer.unref();
  return {
    current: () => ring,
    check: async () => void (await read()),
    close: () => clearInterval(timer),
  };
}

/** Differs when the file was written, replaced or removed. */
async function fingerprintOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs, found.mode].join(' ') : 'not there';
}

/** A ring from which a key is gone would make every value that was sealed with it unreadable. */
function checkCovers(next: Keyring, current: Keyring, path: string): void {
  for (const { kid, state, macKey } of current.keys.values()) {
    const same = next.keys.get(kid);
    if (opens(state) && !(same && timingSafeEqual(same.macKey, macKey))) {
      throw new ConfigurationError(
        `KEYRING_FILE ${path}: the key ${kid} is gone, or is another. Put it back: envelopes may name it. Once none does, secrets-gateway keys retire takes it out of use.`,
      );
    }
  }
}
