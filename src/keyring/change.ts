import {
  type Keyring,
  type KeyringFile,
  type KeyState,
  newKey,
  parseKeyring,
  textOfKeyring,
} from '../crypto/keyring.ts';
import { ConfigurationError } from '../errors.ts';
import { rewritePrivateFile } from '../runtime/private-file.ts';

/**
 * Makes another key the active one: the pending key if there is one, else a new key. The key that was active decrypts from
 * then on.
 * @throws ConfigurationError
 */
export function rotateKeyring(path: string): Promise<Keyring> {
  return changeKeyring(path, ({ keys }) => {
    if (keys.filter(isPending).length > 1) {
      throw new ConfigurationError('several keys are pending. Retire all of them but the one that will become active.');
    }
    for (const key of keys.filter(({ state }) => state === 'active')) key.state = 'decrypting';
    const next = keys.find(isPending);
    if (next) next.state = 'active';
    else keys.push(newKey('active'));
  });
}

/**
 * Adds a key that opens but does not seal, for gateways that have copies of the file. Keeps a key that is pending already.
 * @throws ConfigurationError
 */
export function addPendingKey(path: string): Promise<Keyring> {
  return changeKeyring(path, ({ keys }) => {
    if (!keys.some(isPending)) keys.push(newKey('pending'));
  });
}

/** @throws ConfigurationError when the key is not there, or is the active one */
export function retireKey(path: string, kid: string): Promise<Keyring> {
  return changeKeyring(path, ({ keys }) => {
    requireRetirable(keys, kid).state = 'retired';
  });
}

/**
 * The key of this id, which must be neither active nor retired.
 * @throws ConfigurationError
 */
export function requireRetirable<Key extends { kid: string; state: KeyState }>(keys: readonly Key[], kid: string): Key {
  const key = keys.find((one) => one.kid === kid);
  // What was typed is not repeated: it could be a key.
  if (!key) {
    const kids = keys.map((one) => one.kid).join(', ');
    throw new ConfigurationError(`the keyring has no key of this KID. It has: ${kids}.`);
  }
  if (key.state === 'active') {
    throw new ConfigurationError('this key is the active one. Run keys rotate and keys rewrap first.');
  }
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

function isPending({ state }: { state: KeyState }): boolean {
  return state === 'pending';
}
