import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, gatewayEnvironment, untilAnswering } from './contender.ts';
import type { Identities } from './identities.ts';
import { reader } from './identities.ts';
import { median } from './statistics.ts';

export interface StartUp {
  readonly firstAnswerSeconds: number;
  readonly residentMegabytes: number;
}

const run = promisify(execFile);
const restMilliseconds = 1000;

/** Starts the gateway on the embedded store as a user does: the time to its first list, and its memory at rest. */
export async function measureStartUp(directory: string, identities: Identities, times: number): Promise<StartUp> {
  const starts: StartUp[] = [];
  // The first start fills Node's compile cache and creates the database.
  for (let start = 0; start <= times; start += 1) {
    const folder = await mkdtemp(join(directory, 'start-'));
    const one = await startOnce(folder, identities);
    if (start > 0) starts.push(one);
    await rm(folder, { recursive: true });
  }
  return {
    firstAnswerSeconds: median(starts.map((one) => one.firstAnswerSeconds)),
    residentMegabytes: median(starts.map((one) => one.residentMegabytes)),
  };
}

async function startOnce(folder: string, identities: Identities): Promise<StartUp> {
  const port = await freePort();
  const authorization = `Bearer ${await identities.token(reader(0))}`;
  const body = JSON.stringify({ query: '{ secrets(first: 20) { totalCount nodes { id name } } }' });
  const started = performance.now();
  const gateway = spawn(process.execPath, [join(import.meta.dirname, '../bin/secrets-gateway.js'), 'serve'], {
    env: { ...gatewayEnvironment(`sqlite:${join(folder, 'secrets.db')}`, identities), PORT: String(port) },
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await untilAnswering(port, { body, headers: { authorization, 'content-type': 'application/json' } }, 2);
    const firstAnswerSeconds = (performance.now() - started) / 1000;
    await setTimeout(restMilliseconds);
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(gateway.pid)]);
    return { firstAnswerSeconds, residentMegabytes: (Number(stdout) * 1024) / 1e6 };
  } finally {
    const exited = once(gateway, 'exit');
    gateway.kill();
    await exited;
  }
}
