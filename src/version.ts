import { readFileSync } from 'node:fs';

/** The version of the package, whose package.json is one level up from here both in src/ and in dist/. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return version;
}
