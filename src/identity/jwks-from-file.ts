import { readSettingFile, type SettingFile } from '../runtime/setting-file.ts';
import { maxJsonBytes, parseJson } from './fetch-json.ts';
import { IssuerFault } from './issuer-fault.ts';
import { readJwks } from './read-jwks.ts';

/**
 * Reads a JWK set from a file. Who can write the file decides whose tokens are accepted.
 * @param variable the setting that names it
 * @throws ConfigurationError, or IssuerFault for a file that is no key set
 */
export async function jwksFromFile(path: string, variable: string): Promise<readonly unknown[]> {
  const file: SettingFile = { variable, path, access: 'public', maxBytes: maxJsonBytes };
  const text = await readSettingFile(file);
  return readJwks(
    parseJson(text, (reason) => new IssuerFault(reason, { source: path })),
    path,
  );
}
