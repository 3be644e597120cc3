import { once } from 'node:events';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine, longWaits, type RunningGateway } from '../../support/command-line.ts';

const canary = 'hunter22canary';
const maxBodyBytes = 1024 * 1024;

interface Passed {
  readonly operation: string;
  readonly bytes: number;
  readonly input: { readonly secrets: readonly unknown[]; readonly dryRun?: boolean; readonly idempotencyKey?: string };
}

let shell: CommandLine;
let gateway: RunningGateway;
/** What passed between the commands and the gateway, since a test began. */
let passed: Passed[] = [];
/** All of it, as text. */
let text = '';
/** What becomes of the answer to a call that writes: the first one is number 1. */
const passOn = (_number: number, _answer: ServerResponse, send: () => void): unknown => send();
let answerWrite = passOn;
let writes = 0;

const proxy = createServer(async (incoming, outgoing) => {
  const body = await buffer(incoming);
  const { query, variables } = JSON.parse(body.toString());
  const operation = /(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '';
  const { input = {} } = variables;
  passed.push({ operation, bytes: body.length, input });
  const answer = await forwarded(incoming, body);
  text += `${body}${answer.body}`;
  const send = () => outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  if (operation === 'CreateSecrets' && !input.dryRun) await answerWrite(++writes, outgoing, send);
  else send();
});

async function forwarded({ method, headers, url: path }: IncomingMessage, body: Buffer) {
  const sent = request({ port: new URL(gateway.url).port, method, headers, path, host: '127.0.0.1' });
  const [answer] = (await once(sent.end(body), 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 500, headers: answer.headers, body: await buffer(answer) };
}

let env: Record<string, string>;
beforeAll(async () => {
  shell = await CommandLine.open();
  gateway = await shell.serve({ RATE_LIMIT: 'off' });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  env = {
    SECRETS_GATEWAY_URL: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    SECRETS_GATEWAY_TOKEN: gateway.token,
  };
});
afterAll(async () => {
  proxy.close();
  await shell.close();
});
beforeEach(() => {
  passed = [];
  writes = 0;
});
afterEach(() => {
  answerWrite = passOn;
});

/** Writes a file with lines of one length. */
async function fileOf(file: string, names: readonly string[], valueLength = 20): Promise<void> {
  const lines = names.map((name) => `${name}="${canary}\n${name}${'x'.repeat(valueLength)}"\n`);
  await writeFile(join(shell.directory, file), lines.join(''));
}

const namesOf = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}_${n}`);
const run = (...args: string[]) => shell.run(args, env);
const calls = () => passed.filter(({ operation }) => operation === 'CreateSecrets').map(({ input }) => input);

/** The versions of the secrets whose names begin so. */
async function versions(prefix: string): Promise<number[]> {
  const { data } = await gateway.run(
    'query ($filter: SecretFilter) { secrets(filter: $filter, first: 1000) { nodes { version } } }',
    { filter: { nameStartsWith: `${prefix}_` } },
  );
  return data.secrets.nodes.map(({ version }: { version: number }) => version);
}

/** What import says of its lines when it ends early. */
const outcome = (...lines: string[]) => expect.stringContaining(lines.join('\n'));
const again = 'Run the same command again to write the rest: what is the same is left alone.';

describe('import', () => {
  it('sends 500 lines in one call, and one more line in a second one, after dry runs of all, and no value in clear', async () => {
    await fileOf('many.env', namesOf('MANY', 501));
    expect(await run('import', 'many.env')).toMatchObject({ code: 0, stderr: '' });
    expect(calls().map(({ dryRun, secrets }) => [dryRun ?? false, secrets.length])).toEqual([
      [true, 500],
      [true, 1],
      [false, 500],
      [false, 1],
    ]);
    expect(await versions('MANY')).toEqual(Array.from({ length: 501 }, () => 1));
    expect(text).toContain('sealedValue');
    expect(text).not.toContain(canary);
  });

  it('sends no body of over 1 MiB, and as few as possible', async () => {
    const names = namesOf('LARGE', 24).map((name) => `${name}_${'x'.repeat(240)}`);
    await fileOf('large.env', names, 65_000);
    const owner = ['--team', 'demo', '--connector', 'c'.repeat(255)];
    expect(await run('import', 'large.env', ...owner)).toMatchObject({ code: 0, stderr: '' });
    const sizes = passed.filter(({ operation }) => operation === 'CreateSecrets').map(({ bytes }) => bytes);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxBodyBytes);
    // 11 of them are 970 kB.
    expect(calls().map(({ secrets }) => secrets.length)).toEqual([11, 11, 2, 11, 11, 2]);
  });

  it('names a line that only the gateway knows to be bad, and writes nothing, whichever call it is in', async () => {
    await fileOf('bad.env', namesOf('BAD', 23), 65_000);
    await appendFile(join(shell.directory, 'bad.env'), 'BAD_LAST=sk-pro••••789\n');
    const { code, stderr } = await run('import', 'bad.env');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^secrets-gateway import: bad.env has lines that cannot be used\. Nothing was written\.\n {2}line 47: value: Must be .*\n$/,
      ),
    });
    expect(calls().every(({ dryRun }) => dryRun)).toBe(true);
    expect(await versions('BAD')).toEqual([]);
  });

  it('--dry-run has the gateway check every line, and writes nothing', async () => {
    await fileOf('dry.env', namesOf('DRY', 2));
    expect(await run('import', 'dry.env', '--dry-run')).toMatchObject({
      code: 0,
      stdout: outcome('2 new.'),
      stderr: expect.stringMatching(/^Nothing was written/m),
    });
    expect(calls().map(({ dryRun }) => dryRun)).toEqual([true]);
    expect(await versions('DRY')).toEqual([]);
    await writeFile(join(shell.directory, 'dry.env'), 'DRY_0=••••••••\n');
    expect(await run('import', 'dry.env', '--dry-run')).toMatchObject({ code: 1, stderr: outcome('line 1: value:') });
  });

  it('ends between two calls when it is interrupted, and goes on when it is run again', async () => {
    await fileOf('stopped.env', namesOf('STOPPED', 24), 65_000);
    const { child, exit } = shell.start(['import', 'stopped.env'], env);
    answerWrite = async (_number, _answer, send) => {
      child.kill('SIGINT');
      if (child.stderr) await once(child.stderr, 'data');
      send();
    };
    expect(await exit).toMatchObject({
      code: 130,
      stderr: outcome(
        'Stopped.',
        'Written: lines 1 to 21 (11 secrets).',
        'Not written: lines 23 to 47 (13 secrets).',
        again,
      ),
    });
    expect(await versions('STOPPED')).toHaveLength(11);

    answerWrite = passOn;
    passed = [];
    expect(await run('import', 'stopped.env')).toMatchObject({ code: 0, stdout: outcome('13 new, 11 same.') });
    expect(calls().filter(({ dryRun }) => !dryRun)).toHaveLength(2);
    expect(await versions('STOPPED')).toEqual(Array.from({ length: 24 }, () => 1));
  });

  it('names the line whose secret somebody else has created meanwhile, and the lines that are written', async () => {
    await fileOf('raced.env', namesOf('RACED', 24), 65_000);
    answerWrite = async (_number, _answer, send) => {
      const input = { name: 'RACED_13', provider: 'p', value: 'of somebody else' };
      await gateway.run('mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }', {
        input,
      });
      send();
    };
    expect(await run('import', 'raced.env')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(
          [
            '^secrets-gateway import: CONFLICT_ERROR: .*',
            ' {2}line 27: name: .*',
            'Written: lines 1 to 21 \\(11 secrets\\)\\.',
            'Not written: lines 23 to 47 \\(13 secrets\\)\\.',
            `${again}\n$`,
          ].join('\n'),
        ),
      ),
    });
    expect(await versions('RACED')).toHaveLength(12);
  });

  it('sends a call again whose answer was lost, and it is made once', async () => {
    await fileOf('lost.env', namesOf('LOST', 12), 65_000);
    answerWrite = (number, answer, send) => (number === 1 ? answer.destroy() : send());
    const { exit } = shell.start(['import', 'lost.env'], env, { preload: [longWaits.skipped] });
    expect(await exit).toMatchObject({ code: 0, stdout: outcome('12 secrets are written.') });
    const keys = calls().flatMap(({ idempotencyKey }) => idempotencyKey ?? []);
    expect(keys).toEqual([keys[0], keys[0], keys[2]]);
    expect(await versions('LOST')).toEqual(Array.from({ length: 12 }, () => 1));
  });

  it('says of which lines it is not known whether they are written, where no answer comes at all', async () => {
    await fileOf('gone.env', namesOf('GONE', 24), 65_000);
    answerWrite = (number, answer, send) => (number === 1 ? send() : answer.destroy());
    const { exit } = shell.start(['import', 'gone.env'], env, { preload: [longWaits.skipped] });
    expect(await exit).toMatchObject({
      code: 3,
      stderr: outcome(
        'Written: lines 1 to 21 (11 secrets).',
        'Not known, all or none: lines 23 to 43 (11 secrets).',
        'Not written: lines 45 to 47 (2 secrets).',
        again,
      ),
    });
  });
});

describe('values are compared', () => {
  const as = async (sub: string, scope: string) => {
    const { stdout } = await shell.run(['token', '--sub', sub, '--scope', scope]);
    return (...args: string[]) => shell.run(args, { ...env, SECRETS_GATEWAY_TOKEN: stdout.trim() });
  };
  const asked = () => passed.map(({ operation, input }) => (input.dryRun ? 'dry run' : operation));
  const seen = 'same     COMPARED_0\nchanged  COMPARED_1\nnew      COMPARED_2\n1 new, 1 changed, 1 same.\n';

  beforeAll(async () => {
    const owner = await as('comparing', 'secrets:read secrets:write');
    await fileOf('compared.env', namesOf('COMPARED', 2));
    expect(await owner('import', 'compared.env')).toMatchObject({ code: 0 });
    await fileOf('compared.env', namesOf('COMPARED', 3));
    const text = await readFile(join(shell.directory, 'compared.env'), 'utf8');
    await writeFile(join(shell.directory, 'compared.env'), text.replace('COMPARED_1xxxx', 'COMPARED_1yyyy'));
  });

  it.each([
    ['by the gateway, in a dry run', 'secrets:read secrets:write secrets:match', ['dry run']],
    [
      'by the gateway, also where values could be delivered',
      'secrets:read secrets:write secrets:match secrets:resolve',
      ['dry run'],
    ],
    [
      'by the gateway, one by one, where nothing may be written',
      'secrets:read secrets:match',
      ['MatchesSecret', 'MatchesSecret'],
    ],
    ['here, where the gateway may not tell', 'secrets:read secrets:write secrets:resolve', ['ResolveValues']],
  ])('%s', async (_how, scope, expected) => {
    const caller = await as('comparing', scope);
    expect(await caller('diff', 'compared.env')).toEqual({ code: 1, stdout: seen, stderr: '' });
    expect(asked().filter((one) => !/^(Viewer|Secrets|Sealing)$/.test(one))).toEqual(expected);
    expect(text).not.toContain(canary);
  });

  it('not at all without a scope for it, and that is told', async () => {
    const caller = await as('comparing', 'secrets:read secrets:write');
    const { code, stdout, stderr } = await caller('diff', 'compared.env');
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/^exists {3}COMPARED_0$/m) });
    expect(stderr).toContain('needs the scope secrets:match or secrets:resolve');
    expect(await caller('import', 'compared.env')).toMatchObject({
      code: 1,
      stderr: outcome('needs the scope secrets:match or secrets:resolve: COMPARED_0, COMPARED_1. Nothing was written.'),
    });
    expect(asked()).not.toContain('CreateSecrets');
    expect(await caller('import', 'compared.env', '--on-conflict', 'skip')).toMatchObject({ code: 0 });
    expect(calls().map(({ dryRun, secrets }) => [dryRun ?? false, secrets.length])).toContainEqual([false, 1]);
  });
});
