import { readFile } from 'node:fs/promises';

/** Of the package, which is two levels up from here both in src/ and in dist/. */
export async function version(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return version;
}
