import type { Keyring } from '../crypto/keyring.ts';
import { parseKeyring } from '../crypto/keyring-file.ts';
import { newKeyring, textOfKeyring } from '../crypto/new-key.ts';
import { createPrivateFile } from '../runtime/private-file.ts';
import { privateFile, readSettingFile } from '../runtime/setting-file.ts';

/** @throws ConfigurationError that names the file and the fix, and never the content */
export async function readKeyring(path: string): Promise<Keyring> {
  return parseKeyring(await readSettingFile(privateFile('KEYRING_FILE', path)), path);
}

/**
 * Writes a keyring with one new active key of each kind, readable by its owner alone. Keeps a file that is already there.
 * @throws ConfigurationError
 */
export async function createKeyring(path: string): Promise<void> {
  await createPrivateFile(path, textOfKeyring(newKeyring()));
}
