import { isOfKind, type KeyKind, type KeyringEntry, type KeyringFile } from '../crypto/key-kinds.ts';
import { type Key, type Keyring, statesOf } from '../crypto/keyring.ts';
import { hasExpired, parseKeyring } from '../crypto/keyring-file.ts';
import { newKey, textOfKeyring } from '../crypto/new-key.ts';
import { ConfigurationError } from '../errors.ts';
import { rewritePrivateFile } from '../runtime/private-file.ts';

/** The uses whose keys can be replaced while gateways run. */
export type RotatedUse = 'wrap' | 'mac' | 'equality' | 'seal';

/** There is one active key of each kind. */
const kindsOf: Readonly<Record<RotatedUse, readonly KeyKind[]>> = {
  wrap: ['wrap'],
  mac: ['mac'],
  equality: ['equality'],
  seal: ['X25519', 'P-256'],
};

/**
 * Makes another key the active one of its use: the pending key if there is one, else a new key. The key that was active
 * works on what is there from then on, and makes nothing new. Of sealing keys, one of each curve.
 * @throws ConfigurationError
 */
export function rotateKeyring(path: string, use: RotatedUse = 'wrap'): Promise<Keyring> {
  return changeKeyring(path, (file, now) => {
    for (const kind of kindsOf[use]) {
      const keys = file.keys.filter((key) => isOfKind(kind, key));
      if (keys.filter(isPending).length > 1) {
        throw new ConfigurationError(
          'Several keys are pending. Retire all of them but the one that will become active.',
        );
      }
      const [, , former = 'retired'] = statesOf[use];
      for (const key of keys.filter(({ state }) => state === 'active')) {
        if (use === 'seal' || use === 'equality') markReplaced(key, now);
        key.state = former;
      }
      const next = keys.find(isPending);
      if (next) next.state = 'active';
      else file.keys.push(newKey(kind, 'active'));
    }
  });
}

/** For a time that is wrong, the key would be in use for longer than it should, or not for long enough. */
function markReplaced(key: KeyringEntry, now: Date): void {
  const created = Date.parse(key.createdAt ?? '');
  if (created > now.getTime()) {
    throw new ConfigurationError(
      `The key ${key.kid} was made at ${new Date(created).toISOString()}, which is later than the clock of this machine says. Set the clock, and run this again.`,
    );
  }
  key.replacedAt = now.toISOString();
}

/**
 * Adds a key that works on what is there and makes nothing new, for gateways that have copies of the file. Keeps a key that
 * is pending already.
 * @throws ConfigurationError
 */
export function addPendingKey(path: string, use: RotatedUse = 'wrap'): Promise<Keyring> {
  return changeKeyring(path, (file) => {
    for (const kind of kindsOf[use]) {
      if (!file.keys.some((key) => isOfKind(kind, key) && isPending(key))) file.keys.push(newKey(kind, 'pending'));
    }
  });
}

/**
 * A sealing key is removed: nothing that is stored needs it.
 * @throws ConfigurationError when the key is not there, or is an active one
 */
export function retireKey(path: string, kid: string): Promise<Keyring> {
  return changeKeyring(path, (file) => {
    const key = requireRetirable(file.keys, kid);
    if (key.use === 'seal') file.keys = file.keys.filter((one) => one !== key);
    else key.state = 'retired';
  });
}

/** What to do before an active key can be retired. */
const instead: Readonly<Record<Key['use'], string>> = {
  wrap: 'Run keys rotate and keys rewrap first.',
  mac: 'Run keys rotate --mac first.',
  equality: 'Run keys rotate --equality and keys recompute first.',
  seal: 'Run keys rotate --sealing first.',
};

/**
 * The key of this id, which must be neither active nor retired.
 * @throws ConfigurationError
 */
export function requireRetirable<K extends Pick<Key, 'use' | 'kid' | 'state'>>(keys: readonly K[], kid: string): K {
  const key = keys.find((one) => one.kid === kid);
  // What was typed is not repeated: it could be a key.
  if (!key) {
    const kids = keys.map((one) => one.kid).join(', ');
    throw new ConfigurationError(`The keyring has no key of this KID. It has: ${kids}.`);
  }
  if (key.state === 'active') throw new ConfigurationError(`This key is the active one. ${instead[key.use]}`);
  if (key.state === 'retired') throw new ConfigurationError('This key is retired already.');
  return key;
}

/** Keeps everything else that is in the file or in a key, except sealing keys that open nothing any more. */
async function changeKeyring(path: string, change: (file: KeyringFile, now: Date) => void): Promise<Keyring> {
  const written = await rewritePrivateFile(path, 'KEYRING_FILE', async (text) => {
    await parseKeyring(text, path);
    const file: KeyringFile = JSON.parse(text);
    const now = new Date();
    change(file, now);
    file.keys = file.keys.filter((key) => !hasExpired(key, now));
    const next = textOfKeyring(file);
    // Nothing is written that a gateway would refuse to read.
    await parseKeyring(next, path);
    return next;
  });
  return parseKeyring(written, path);
}

function isPending({ state }: KeyringEntry): boolean {
  return state === 'pending';
}
