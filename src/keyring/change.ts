import { type Key, type Keyring, statesOf } from '../crypto/keyring.ts';
import { type KeyringEntry, type KeyringFile, newKey, parseKeyring, textOfKeyring } from '../crypto/keyring-file.ts';
import { ConfigurationError } from '../errors.ts';
import { rewritePrivateFile } from '../runtime/private-file.ts';

/** The uses whose keys can be replaced while gateways run. */
export type RotatedUse = 'wrap' | 'mac';

/**
 * Makes another key the active one of its use: the pending key if there is one, else a new key. The key that was active
 * works on what is there from then on, and makes nothing new.
 * @throws ConfigurationError
 */
export function rotateKeyring(path: string, use: RotatedUse = 'wrap'): Promise<Keyring> {
  return changeKeyring(path, (file) => {
    const keys = file.keys.filter((key) => key.use === use);
    if (keys.filter(isPending).length > 1) {
      throw new ConfigurationError('several keys are pending. Retire all of them but the one that will become active.');
    }
    const [, , former = 'retired'] = statesOf[use];
    for (const key of keys.filter(({ state }) => state === 'active')) key.state = former;
    const next = keys.find(isPending);
    if (next) next.state = 'active';
    else file.keys.push(newKey(use, 'active'));
  });
}

/**
 * Adds a key that works on what is there and makes nothing new, for gateways that have copies of the file. Keeps a key that
 * is pending already.
 * @throws ConfigurationError
 */
export function addPendingKey(path: string, use: RotatedUse = 'wrap'): Promise<Keyring> {
  return changeKeyring(path, (file) => {
    if (!file.keys.some((key) => key.use === use && isPending(key))) file.keys.push(newKey(use, 'pending'));
  });
}

/** @throws ConfigurationError when the key is not there, or is an active one */
export function retireKey(path: string, kid: string): Promise<Keyring> {
  return changeKeyring(path, ({ keys }) => {
    requireRetirable(keys, kid).state = 'retired';
  });
}

/** What to do before an active key can be retired. */
const instead: Readonly<Record<Key['use'], string>> = {
  wrap: 'Run keys rotate and keys rewrap first.',
  mac: 'Run keys rotate --mac first.',
  equality: 'Keys of this use are not rotated yet.',
  seal: 'Keys of this use are not rotated yet.',
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
    throw new ConfigurationError(`the keyring has no key of this KID. It has: ${kids}.`);
  }
  if (key.state === 'active') throw new ConfigurationError(`this key is the active one. ${instead[key.use]}`);
  if (key.state === 'retired') throw new ConfigurationError('this key is retired already.');
  return key;
}

/** Keeps everything else that is in the file or in a key. */
async function changeKeyring(path: string, change: (file: KeyringFile) => void): Promise<Keyring> {
  const written = await rewritePrivateFile(path, 'KEYRING_FILE', async (text) => {
    await parseKeyring(text, path);
    const file: KeyringFile = JSON.parse(text);
    change(file);
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
