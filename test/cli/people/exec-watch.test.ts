import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { execValues } from '../../../src/cli/people/exec-values.ts';
import { openGateway } from '../../../src/cli/people/gateway.ts';
import type { RunningChild } from '../../../src/cli/people/run-child.ts';
import { runWatching, type Watching } from '../../../src/cli/people/run-watching.ts';
import { changeOperations } from '../../../src/client/change-operations.ts';
import { CommandLine, type RunningGateway } from '../../support/command-line.ts';
import { TestGateway } from '../../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../../support/graphql.ts';

const node = join(import.meta.dirname, '../../../node_modules/.bin/node');

/** Says what it has, and ends by a signal. */
const program = `
  const say = (text) => process.stdout.write(text + '\\n');
  process.on('SIGTERM', () => { say('SIGTERM'); process.exit(3); });
  process.on('SIGUSR1', () => process.exit(7));
  setInterval(() => {}, 1000);
  say('started ' + process.pid + ' ' + (process.env.KEY ?? 'none') + ' ' + (process.env.OTHER ?? 'none'));
`;

describe('exec --watch', () => {
  let shell: CommandLine;
  let gateway: RunningGateway;
  let port: string;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    shell = await CommandLine.open();
    gateway = await shell.serve({ LOG_LEVEL: 'info' });
    port = new URL(gateway.url).port;
    for (const name of ['KEY', 'OTHER']) await create(name);
    await writeFile(join(shell.directory, 'program.cjs'), program);
  });
  afterAll(() => shell.close());

  async function run(query: string, input: object) {
    const { data, errors } = await gateway.run(query, { input });
    expect(errors).toBeUndefined();
    return data;
  }
  async function create(name: string, value = 'first') {
    const { createSecret: made } = await run(createSecret(), { name, value, provider: 'custom' });
    ids[name] = made.secret.id;
  }
  const set = (name: string, value: string) => run(updateSecret(), { id: ids[name], value });

  function start(options: string[]) {
    const args = ['exec', '--watch-jitter', '0', ...options, '--', node, 'program.cjs'];
    const started = shell.start(args, { SECRETS_GATEWAY_URL: gateway.url, SECRETS_GATEWAY_TOKEN: gateway.token });
    const { child, output, exit } = started;
    const lines = () => output.stdout.split('\n').filter(Boolean);
    const until = (isSo: () => boolean) =>
      new Promise<void>((resolve, reject) => {
        const look = () => void (isSo() && resolve());
        child.stdout?.on('data', look);
        child.stderr?.on('data', look);
        void exit.then(() => reject(new Error(`it ended: ${output.stdout}${output.stderr}`)));
        look();
      });
    const has = (what: string) => lines().some((line) => line.startsWith('started') && line.endsWith(what));
    const pid = () =>
      Number(
        lines()
          .findLast((line) => line.startsWith('started'))
          ?.split(' ')[1],
      );
    return { ...started, lines, until, has, pid };
  }

  it('starts the program anew with what changed, and with a new secret; who ends it by itself ends exec', async () => {
    const { until, has, lines, pid, exit, output } = start(['--watch']);
    await until(() => has('first first'));
    await set('KEY', 'second');
    await until(() => has('second first'));
    expect(lines()).toContain('SIGTERM');
    // What changes no variable starts nothing.
    await run(updateSecret(), { id: ids.KEY, notes: 'n' });
    await run(createSecret(), { name: 'PATH', value: 'v', provider: 'custom' });
    await until(() => output.stderr.includes('Skipped: PATH'));
    await run(createSecret(), { name: 'NEW', value: 'v', provider: 'custom' });
    await until(() => output.stderr.includes('Changed: NEW.'));
    await until(() => lines().filter((line) => line.startsWith('started')).length === 3);
    process.kill(pid(), 'SIGUSR1');
    expect((await exit).code).toBe(7);
    expect(output.stderr).toContain('Changed: KEY. The program starts anew.');
    expect(output.stderr.match(/Skipped: PATH/g)).toHaveLength(1);
    expect(output.stdout + output.stderr).not.toContain(gateway.token);
  });

  it('is told only of the secrets that it names, also of one that takes such a name', async () => {
    const { until, has, lines, child, exit, output } = start(['--only', 'KEY']);
    await until(() => lines().length === 1);
    await set('OTHER', 'not asked for');
    await run(deleteSecret, { id: ids.KEY });
    await until(() => output.stderr.includes('The program goes on with the values that it has.'));
    expect(output.stderr).toMatch(/do not exist, or have no value: KEY\. It starts anew/);
    await create('KEY', 'third');
    await until(() => has('third none'));
    expect(lines().filter((line) => line.startsWith('started'))).toHaveLength(2);
    child.kill('SIGTERM');
    // That of the program: it was asked to end, and does not start again.
    expect((await exit).code).toBe(3);
  });

  it('keeps the program while the gateway is away, and learns afterwards what changed', async () => {
    const { until, has, lines, child, exit, output } = start(['--only', 'KEY']);
    await until(() => lines().length === 1);
    await gateway.stop();
    gateway = await shell.serve({ PORT: port });
    await set('KEY', 'after the restart');
    await until(() => has('after the restart none'));
    expect(output.stderr).not.toMatch(/not watched/);
    child.kill('SIGTERM');
    expect((await exit).code).toBe(3);
  });

  it('is refused without the scope to be told, and where a value is missing at first', async () => {
    const { stdout } = await shell.run(['token', '--sub', 'developer', '--scope', 'secrets:resolve']);
    const token = stdout.trim();
    const env = { SECRETS_GATEWAY_URL: gateway.url, SECRETS_GATEWAY_TOKEN: token };
    const refused = await shell.run(['exec', '--watch', '--', 'true'], env);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('PERMISSION_ERROR') });
    const all = { ...env, SECRETS_GATEWAY_TOKEN: gateway.token };
    const absent = await shell.run(['exec', '--watch', '--only', 'NONE', '--', 'true'], all);
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was started.') });
    expect(await shell.run(['exec', '--watch-jitter', 'soon', '--', 'true'], all)).toMatchObject({ code: 2 });
  });
});

describe('programs that watch', () => {
  const red = { teamId: 'red' };
  let gateway: TestGateway;
  let over: (() => void)[] = [];
  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off', MAX_SUBSCRIPTIONS_PER_CALLER: '200' });
  });
  afterAll(() => gateway.close());
  afterEach(() => {
    for (const end of over) end();
    over = [];
  });

  /** A program that does nothing, and ends when it is asked to, or killed. */
  function fakeProgram(endsOn: readonly string[]): RunningChild & { readonly signals: string[] } {
    const { promise, resolve } = Promise.withResolvers<number>();
    over.push(() => resolve(0));
    const signals: string[] = [];
    return {
      ended: promise,
      signals,
      kill(signal) {
        signals.push(signal);
        if (endsOn.includes(signal)) resolve(143);
      },
    };
  }

  async function watch(fields: Partial<Watching>): Promise<Watching> {
    process.env.SECRETS_GATEWAY_URL = gateway.url;
    process.env.SECRETS_GATEWAY_TOKEN = await gateway.issuer.token({ scope: 'secrets:read secrets:resolve' });
    const own = await openGateway({ team: 'red' });
    const { secretChanges } = changeOperations(own.requester);
    return {
      follow: (options) => secretChanges({ owner: own.owner }, options),
      names: null,
      values: () => execValues(own, { only: ['SHARED'], renames: new Map() }),
      start: () => fakeProgram(['SIGTERM']),
      endings: () => 0,
      isTerminated: () => false,
      tell: () => {},
      jitterMs: 10_000,
      ...fields,
    };
  }

  it('a hundred of them start again once each, spread over the jitter', async () => {
    const { data } = await gateway.run(createSecret(), { input: { owner: red, name: 'SHARED', value: 'first' } });
    const waits: number[] = [];
    const starts = new Map<number, string[]>();
    const [allStarted, allAgain] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const runs = Array.from({ length: 100 }, async (_, index) => {
      const own: string[] = [];
      starts.set(index, own);
      return runWatching(
        await watch({
          start(variables) {
            own.push(variables.get('SHARED') ?? '');
            const counts = [...starts.values()].map(({ length }) => length);
            if (counts.every((count) => count === 1)) allStarted.resolve();
            if (counts.every((count) => count === 2)) allAgain.resolve();
            return fakeProgram(['SIGTERM']);
          },
          async sleep(ms) {
            // The second one is for the program to end.
            if (ms !== 10_000) waits.push(ms);
          },
          graceMs: 10_000,
        }),
      );
    });
    await allStarted.promise;
    await gateway.run(updateSecret(), { input: { id: data.createSecret.secret.id, value: 'second' } });
    await allAgain.promise;
    expect([...starts.values()]).toEqual(Array.from({ length: 100 }, () => ['first', 'second']));
    expect(waits).toHaveLength(100);
    // Of a hundred random waits none in one of these quarters: once in 10^12 runs.
    for (const quarter of [0, 1, 2, 3]) {
      expect(waits.some((ms) => ms >= 2500 * quarter && ms < 2500 * (quarter + 1))).toBe(true);
    }
    for (const end of over) end();
    expect(new Set(await Promise.all(runs))).toEqual(new Set([0]));
  });

  it('one that is on its way to its end after SIGTERM is not started again', async () => {
    const program = fakeProgram([]);
    const read = Promise.withResolvers<void>();
    let started = 0;
    let reads = 0;
    const watching = await watch({
      start: () => {
        started += 1;
        return program;
      },
      isTerminated: () => {
        read.resolve();
        return true;
      },
      values: async () => ({ variables: new Map([['SHARED', String(reads++)]]), ids: new Set() }),
      sleep: async () => {},
    });
    const run = runWatching(watching);
    await expect.poll(() => started).toBe(1);
    const { data } = await gateway.run('{ secrets(owner: { teamId: "red" }) { nodes { id } } }');
    await gateway.run(updateSecret(), { input: { id: data.secrets.nodes[0].id, notes: 'n' } });
    await read.promise;
    for (const end of over) end();
    expect(await run).toBe(0);
    expect([started, program.signals]).toEqual([1, []]);
  });

  it('one that does not end when it is asked to is killed, and what changes meanwhile is one change', async () => {
    const programs = [fakeProgram(['SIGKILL']), fakeProgram(['SIGTERM'])];
    const started: string[] = [];
    const waiting = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const again = Promise.withResolvers<void>();
    const { data } = await gateway.run('{ secrets(owner: { teamId: "red" }) { nodes { id } } }');
    const { id } = data.secrets.nodes[0];
    const watching = await watch({
      start(variables) {
        started.push(variables.get('SHARED') ?? '');
        if (started.length === 2) again.resolve();
        return programs[started.length - 1] ?? fakeProgram([]);
      },
      async sleep(ms) {
        waiting.resolve();
        if (ms !== 50) await go.promise;
      },
      graceMs: 50,
    });
    const run = runWatching(watching);
    await expect.poll(() => started.length).toBe(1);
    for (const value of ['a value', 'another value', 'the last value']) {
      await gateway.run(updateSecret(), { input: { id, value } });
    }
    await waiting.promise;
    go.resolve();
    await again.promise;
    expect(started[1]).toBe('the last value');
    expect(programs[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    for (const end of over) end();
    await run;
    expect(started).toHaveLength(2);
  });
});
