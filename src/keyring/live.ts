import { timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { type Keyring, opens, readKeyring } from '../crypto/keyring.ts';
import { ConfigurationError } from '../errors.ts';

/** How long a gateway may go on with a keyring after its file was changed, at most. */
export const reloadMilliseconds = 2000;

/**
 * After this no gateway writes what it sealed under a key that had ceased to be active: it has followed the file, and what it
 * had begun before is stored, or given up (a store begins to commit within 5 s, and has 5 s for that).
 */
export const settleMilliseconds = reloadMilliseconds + 11_000;

export interface LiveKeyring {
  /** The ring as it is now. */
  current(): Keyring;
  /** Follows the file at once. @throws ConfigurationError when it is bad, and the ring is still the one before */
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
  let loaded = await fingerprintOf(path);
  let ring = await readKeyring(path);
  let told: string | null = null;

  /** Until it is loaded the file is read again each time: what kept it from being read may pass. */
  async function follow(): Promise<void> {
    const found = await fingerprintOf(path);
    if (found === loaded) return;
    try {
      const next = await readKeyring(path);
      checkCovers(next, ring, path);
      [ring, loaded, told] = [next, found, null];
      onChange(ring);
    } catch (error) {
      const failure = `${found} ${error instanceof Error ? error.message : ''}`;
      if (failure !== told) onChange(ring, error);
      told = failure;
      throw error;
    }
  }

  let following: Promise<void> = Promise.resolve();
  const followInTurn = () => {
    following = following.catch(() => {}).then(follow);
    return following;
  };
  // A failure has been told by then.
  const timer = setInterval(() => followInTurn().catch(() => {}), reloadMilliseconds);
  timer.unref();
  return { current: () => ring, check: followInTurn, close: () => clearInterval(timer) };
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
