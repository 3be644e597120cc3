import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Issuer } from '../../support/issuer.ts';

const executable = join(import.meta.dirname, '../../../bin/secrets-gateway.js');

interface LogLine {
  msg?: string;
  url?: string;
  operation?: string;
}

/** The real gateway in its own process, with SQLite in its own directory. */
export async function startSecretsGateway(env: Record<string, string> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-federation-'));
  const issuer = await Issuer.start();
  const child = spawn(process.execPath, [executable, 'serve'], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      RATE_LIMIT: 'off',
      ...issuer.settings,
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = () => child.kill();
  process.once('exit', kill);
  const log: LogLine[] = [];
  const printed: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`secrets-gateway ended with ${code}: ${JSON.stringify(log)}`)));
    createInterface(child.stderr).on('line', (text) => {
      printed.push(text);
      const line = JSON.parse(text) as LogLine;
      log.push(line);
      if (line.msg === 'listening' && line.url) resolve(line.url);
    });
  });
  return {
    url,
    issuer,
    /** Those of its keyring, of every use. */
    privateKeys() {
      const { keys } = JSON.parse(readFileSync(join(directory, '.data/keyring.json'), 'utf8'));
      return keys.map(({ d, k }: { d?: string; k?: string }) => Buffer.from(d ?? k ?? '', 'base64url')) as Buffer[];
    },
    /** All that it logged. */
    printed: () => printed.join('\n'),
    /** One log line for each requested operation. */
    operations: () => log.filter((line) => line.msg === 'operation').map((line) => line.operation),
    async close() {
      process.off('exit', kill);
      child.kill();
      await once(child, 'exit');
      await issuer.close();
      await rm(directory, { recursive: true });
    },
  };
}
