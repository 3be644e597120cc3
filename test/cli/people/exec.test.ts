import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../../support/command-line.ts';
import { createSecret } from '../../support/graphql.ts';
import { hasPty, onTerminal } from '../../support/pseudo-terminal.ts';

const root = join(import.meta.dirname, '../../..');
const node = join(root, 'node_modules/.bin/node');
const command = join(root, 'bin/secrets-gateway.js');
/** Of this run alone: a test looks for it in all processes of the machine. */
const value = `hunter22canary-${randomUUID()}`;

/** Tells which signals it gets, and ends when its standard input does. */
const program = `
  const { writeSync } = require('node:fs');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']) process.on(signal, () => writeSync(1, signal + '\\n'));
  writeSync(1, 'ready ' + process.pid + ' ' + (process.env.KEY === ${JSON.stringify(value)}) + '\\n');
  process.stdin.on('data', () => process.exit(7)).on('end', () => process.exit(7));
`;

let shell: CommandLine;
let gateway: RunningGateway;
let env: Record<string, string>;

beforeAll(async () => {
  shell = await CommandLine.open();
  gateway = await shell.serve({ LOG_LEVEL: 'debug' });
  env = {
    PATH: process.env.PATH ?? '',
    HOME: shell.directory,
    TERM: 'xterm',
    SECRETS_GATEWAY_URL: gateway.url,
    SECRETS_GATEWAY_TOKEN: gateway.token,
  };
  const { errors } = await gateway.run(createSecret('id'), { input: { name: 'KEY', value, provider: 'custom' } });
  expect(errors).toBeUndefined();
  await writeFile(join(shell.directory, 'program.cjs'), program);
});
afterAll(() => shell.close());

/** Starts the program in a process group of its own, and waits until it is ready. */
async function start(): Promise<{
  child: ChildProcess;
  lines: () => string[];
  until: (isReached: () => boolean) => Promise<void>;
  pid: number;
}> {
  const child = spawn(node, [command, 'exec', '--', node, 'program.cjs'], {
    cwd: shell.directory,
    env,
    detached: true,
  });
  let output = '';
  let look = () => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    look();
  });
  const lines = () => output.split('\n').filter(Boolean);
  const until = (isReached: () => boolean) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (isReached()) resolve();
      };
      look();
    });
  await until(() => lines().length > 0);
  const [, pid, hasValue] = lines()[0]?.split(' ') ?? [];
  expect(hasValue).toBe('true');
  return { child, lines, until, pid: Number(pid) };
}

describe('exec', () => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1'] as const;

  it('passes every signal on that is sent to it alone, and then the exit code', async () => {
    const { child, lines, until } = await start();
    const ended = once(child, 'close');
    let told = '';
    child.stderr?.on('data', (text) => {
      told += text;
    });
    const sent = [...signals, ...signals, ...signals];
    for (const [index, signal] of sent.entries()) {
      process.kill(child.pid ?? 0, signal);
      await until(() => lines().length === index + 2);
    }
    child.stdin?.end();
    expect((await ended)[0]).toBe(7);
    expect(lines().slice(1)).toEqual(sent);
    expect(told).toBe('');
  });

  it('does not double a signal that is sent to the process group, as a supervisor or a terminal does', async () => {
    const { child, lines, until } = await start();
    const ended = once(child, 'close');
    const pid = child.pid ?? 0;
    for (const [index, signal] of signals.entries()) {
      // Two that are pending at once would count as one: the program handles its own before exec does.
      process.kill(pid, 'SIGSTOP');
      process.kill(-pid, signal);
      await until(() => lines().length === 2 * index + 2);
      process.kill(pid, 'SIGCONT');
      // It is passed on after whatever was before it.
      process.kill(pid, 'SIGUSR2');
      await until(() => lines().at(-1) === 'SIGUSR2');
    }
    child.stdin?.end();
    expect((await ended)[0]).toBe(7);
    expect(lines().slice(1)).toEqual(signals.flatMap((signal) => [signal, 'SIGUSR2']));
  });

  it.skipIf(!hasPty)(
    'gives the terminal to the program: Ctrl-C reaches it once, and its exit code comes back',
    async () => {
      const { text, code } = await onTerminal(
        [
          node,
          command,
          'exec',
          '--',
          node,
          '-e',
          `console.log('tty ' + process.stdout.isTTY + ' ' + process.stdin.isTTY); ${program}`,
        ],
        {
          cwd: shell.directory,
          env,
          script: [
            ['ready', '\u0003'],
            ['SIGINT', '\u001c'],
            ['SIGQUIT', 'end\r'],
          ],
        },
      );
      expect(text).toContain('tty true true');
      expect(text.match(/SIG\w+/g)).toEqual(['SIGINT', 'SIGQUIT']);
      expect(code).toBe(7);
      const killed = await onTerminal([node, command, 'exec', '--', 'sh', '-c', 'echo started; exec sleep 60'], {
        cwd: shell.directory,
        env,
        script: [['started', '\u0003']],
      });
      expect(killed.code).toBe(130);
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'has the value in the environment of the program alone: in no argument, file or log, and the credential is not in it',
    async () => {
      const { child, pid } = await start();
      const readAll = async (what: string) => {
        const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
        return ids.flatMap((id) => {
          try {
            return [[Number(id), readFileSync(`/proc/${id}/${what}`, 'latin1')] as const];
          } catch {
            // It has ended, or is somebody else's.
            return [];
          }
        });
      };
      const holders = async (what: string, text: string) =>
        (await readAll(what)).filter(([, content]) => content.includes(text)).map(([id]) => id);
      expect(await holders('cmdline', value)).toEqual([]);
      expect(await holders('environ', value)).toEqual([pid]);
      expect(await holders('environ', gateway.token)).toEqual([child.pid]);
      const files = await readdir(shell.directory, { recursive: true, withFileTypes: true });
      for (const file of files.filter((one) => one.isFile() && one.name !== 'program.cjs')) {
        const content = await readFile(join(file.parentPath, file.name), 'latin1');
        expect([file.name, content.includes(value)]).toEqual([file.name, false]);
      }
      expect(gateway.output.stdout + gateway.output.stderr).not.toContain(value);
      const ended = once(child, 'close');
      child.stdin?.end();
      await ended;
    },
  );

  it('keeps credentials out of the environment under whichever name they stand', async () => {
    const print = ['exec', '--', node, '-p', 'JSON.stringify(Object.keys(process.env))'];
    const { stdout } = await shell.run(print, {
      ...env,
      OTHER: `Bearer ${gateway.token}`,
      FINE: 'x',
      SECRETS_GATEWAY_TOKEN_SOURCE: '',
    });
    const names = JSON.parse(stdout);
    expect(names).toEqual(expect.arrayContaining(['FINE', 'KEY', 'PATH', 'SECRETS_GATEWAY_URL']));
    expect(names).not.toEqual(expect.arrayContaining(['OTHER']));
    expect(names).not.toEqual(expect.arrayContaining(['SECRETS_GATEWAY_TOKEN']));
    await writeFile(join(shell.directory, 'token'), gateway.token, { mode: 0o600 });
    const fromFile = await shell.run(['exec', '--token-file', 'token', '--', node, '-p', 'process.env.OTHER'], {
      ...env,
      SECRETS_GATEWAY_TOKEN: '',
      OTHER: gateway.token,
    });
    expect(fromFile).toMatchObject({ code: 0, stdout: 'undefined\n' });
  });
});
