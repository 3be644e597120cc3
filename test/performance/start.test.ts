import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';

// The time of a start differs threefold between machines and hours: benchmark/ measures it. Most of it is loading
// modules, and their number is the same everywhere.

// Here from src/: the bundle has the same modules, in fewer files.
const sources = join(import.meta.dirname, '../../src/main.ts');
let shell: CommandLine;
beforeEach(async () => {
  shell = await CommandLine.open(sources);
});
afterEach(() => shell.close());

it('the embedded gateway loads only the modules that its first answer needs', async () => {
  const file = join(shell.directory, 'modules.txt');
  const hook = join(import.meta.dirname, 'loaded-modules.ts');
  const gateway = await shell.serve({ LOADED_MODULES: file, NODE_OPTIONS: `--import ${hook}` });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${gateway.token}` };
  const body = JSON.stringify({ query: '{ viewer { subject } secrets { totalCount } }' });
  expect((await fetch(gateway.url, { method: 'POST', headers, body })).status).toBe(200);
  const loaded = (await readFile(file, 'utf8')).trim().split('\n');

  const packages = new Set(loaded.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]));
  expect(packages).toContain('graphql');
  for (const later of [
    'mongodb',
    'bson',
    '@graphql-yoga/render-graphiql',
    '@apollo/subgraph',
    'dotenv',
    '@inquirer/password',
    '@bomb.sh/tab',
  ]) {
    expect(packages).not.toContain(later);
  }
  // What people and workloads use is loaded by their own commands.
  expect(loaded.filter((url) => url.includes('/src/cli/people/') && !url.endsWith('/commands.ts'))).toEqual([]);
  expect(loaded.filter((url) => url.includes('/src/client/'))).toEqual([]);
  // Of packages 649 today, and each of our own is one file. Before you raise a limit, check which modules a new import loads.
  const [ofPackages, others] = [loaded.filter(isOfPackage), loaded.filter((url) => !isOfPackage(url))];
  console.info(`${ofPackages.length} modules of packages and ${others.length} others loaded until the first answer`);
  expect(ofPackages.length).toBeGreaterThan(300);
  expect(ofPackages.length).toBeLessThan(660);
  expect(others.length).toBeLessThan(510);
});

it('exec loads only the modules that it needs', async () => {
  const gateway = await shell.serve();
  const file = join(shell.directory, 'modules.txt');
  const { code } = await shell.run(['exec', '--', 'true'], {
    PATH: process.env.PATH ?? '',
    SECRETS_GATEWAY_URL: gateway.url,
    SECRETS_GATEWAY_TOKEN: gateway.token,
    LOADED_MODULES: file,
    NODE_OPTIONS: `--import ${join(import.meta.dirname, 'loaded-modules.ts')}`,
  });
  expect(code).toBe(0);
  const loaded = (await readFile(file, 'utf8')).trim().split('\n');
  const packages = new Set(loaded.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []));
  expect([...packages].toSorted()).toEqual(['commander']);
  const others = ['list', 'get', 'set', 'rm', 'import', 'diff', 'render', 'serve', 'keys'];
  expect(loaded.filter((url) => others.some((name) => url.endsWith(`/${name}.ts`)))).toEqual([]);
  console.info(`${loaded.length} modules loaded for exec`);
  // 52 today.
  expect(loaded.length).toBeLessThan(60);
});

function isOfPackage(url: string): boolean {
  return url.includes('/node_modules/');
}
