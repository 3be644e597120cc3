// What `exec` adds to the start of a program that gets fifty secrets of the embedded store, beside the program alone.
// Run it with: npx node benchmark/exec.ts

import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CommandLine } from '../test/support/command-line.ts';
import { progress, say } from './progress.ts';
import { median, pairedRatio } from './statistics.ts';

const rounds = 40;
const secrets = 50;
const root = join(import.meta.dirname, '..');
const node = join(root, 'node_modules/.bin/node');
const run = promisify(execFile);

interface Pair {
  readonly aloneMs: number;
  readonly withSecretsMs: number;
}

/** The package as npm installs it: the bundle, and no src/. */
async function packageIn(folder: string): Promise<string> {
  await run(node, [join(root, 'scripts/bundle.ts')], { cwd: root });
  for (const one of ['bin', 'bundle', 'package.json'])
    await cp(join(root, one), join(folder, one), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function timed(args: readonly string[], env: Record<string, string>): Promise<number> {
  const started = performance.now();
  await run(node, args, { env });
  return performance.now() - started;
}

async function measure(what: string, command: string, env: Record<string, string>): Promise<void> {
  const pairs: Pair[] = [];
  const program = ['-e', '0'];
  // The first of both fill the caches.
  for (let round = -2; round < rounds; round += 1) {
    progress(what, Math.max(round, 0), rounds);
    const alone = () => timed(program, env);
    const withSecrets = () => timed([command, 'exec', '--', node, ...program], env);
    const isReversed = round % 2 !== 0;
    const first = await (isReversed ? withSecrets : alone)();
    const second = await (isReversed ? alone : withSecrets)();
    const pair = isReversed ? { aloneMs: second, withSecretsMs: first } : { aloneMs: first, withSecretsMs: second };
    if (round >= 0) pairs.push(pair);
  }
  const added = pairs.map(({ aloneMs, withSecretsMs }) => withSecretsMs - aloneMs).toSorted((a, b) => a - b);
  const ratio = pairedRatio(
    pairs.map(({ withSecretsMs }) => withSecretsMs),
    pairs.map(({ aloneMs }) => aloneMs),
  );
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  say(
    `${what}: node -e 0 ${ms(median(pairs.map(({ aloneMs }) => aloneMs)))}; exec adds ${ms(median(added))} ` +
      `(${ms(added[0] ?? Number.NaN)} to ${ms(added.at(-1) ?? Number.NaN)}); ` +
      `ratio ${ratio.median.toFixed(1)} (${ratio.min.toFixed(1)}–${ratio.max.toFixed(1)}); load ${loadavg()[0]?.toFixed(1)}`,
  );
}

const folder = await mkdtemp(join(tmpdir(), 'secrets-gateway-exec-'));
const shell = await CommandLine.open();
try {
  const gateway = await shell.serve({ RATE_LIMIT: 'off' });
  const env = {
    PATH: process.env.PATH ?? '',
    SECRETS_GATEWAY_URL: gateway.url,
    SECRETS_GATEWAY_TOKEN: gateway.token,
  };
  const lines = Array.from({ length: secrets }, (_, n) => `NAME_${n}=sk-proj-0123456789abcdefghijklmnop${n}\n`);
  await writeFile(join(shell.directory, '.env'), lines.join(''));
  const { code, stderr } = await shell.run(['import', '.env'], env);
  if (code !== 0) throw new Error(stderr);
  await measure('the package', join(await packageIn(folder), 'bin/secrets-gateway.js'), env);
  await measure('a checkout', join(root, 'bin/secrets-gateway.js'), env);
} finally {
  await shell.close();
  await rm(folder, { recursive: true });
}
