import { readFile } from 'node:fs/promises';

/** The version of the package, whose package.json is one level up from here both in src/ and in dist/. */
export async function version(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  return version;
}
