import { type Keyring, newKey, parseKeyring, textOfKeyring } from '../crypto/keyring.ts';
import { createPrivateFile, readPrivateFile } from '../runtime/private-file.ts';

/** @throws ConfigurationError that names the file and the fix, and never the content */
export async function readKeyring(path: string): Promise<Keyring> {
  return parseKeyring(await readPrivateFile(path, 'KEYRING_FILE'), path);
}

/**
 * Writes a keyring with one new active key, readable by its owner alone. Keeps a file that is already there.
 * @throws ConfigurationError
 */
export async function createKeyring(path: string): Promise<void> {
  await createPrivateFile(path, textOfKeyring({ keys: [newKey('active')] }));
}
