import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAllowed } from './allowed-licences.ts';

/** The folder of a package's file. */
export const ofPackage = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}

/**
 * The licences of what is in a bundle, as they ask for it: with their texts.
 * @param modules paths of files
 * @throws Error for a package whose licence is not allowed, or has no text
 */
export function thirdPartyNotices(modules: readonly string[]): { notices: string; packages: readonly string[] } {
  const packages = [...new Set(modules.flatMap((path) => ofPackage.exec(path)?.[0] ?? []))].toSorted();
  const notices = new Map<string, string>();
  for (const folder of packages) {
    const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const { name, version, license } = manifest;
    if (!isAllowed(license))
      throw new Error(`${name} must not be in the bundle: its licence is ${license ?? 'not named'}.`);
    notices.set(`${name} ${version}`, `${name} ${version} (${license})\n\n${textsOf(folder, manifest)}`);
  }
  const head = 'The files in this folder contain these packages.';
  return { notices: `${[head, ...notices.values()].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`, packages };
}

function textsOf(folder: string, { name, license, author }: Manifest): string {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (texts.length > 0) return texts.join('\n\n');
  if (license !== 'MIT') throw new Error(`${name} has no text of its licence (${license}). Add it here.`);
  const by = typeof author === 'string' ? author : author?.name;
  return `By ${by ?? `the authors of ${name}`}. The package names its licence, without the text, which is:\n\n${mit}`;
}

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
