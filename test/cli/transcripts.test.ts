import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { CommandLine, longWaits } from '../support/command-line.ts';
import { FakeProvider, settingsOf } from '../support/fake-provider.ts';
import { createSecret } from '../support/graphql.ts';
import { Issuer } from '../support/issuer.ts';
import { startStandalone } from '../support/mongod.ts';
import { replay } from '../support/transcript.ts';
import { Upstream } from '../support/upstream.ts';

// The command line as a user types it. UPDATE_TRANSCRIPTS=1 writes the actual output into the files.

/** What one transcript uses: they run side by side. */
class Stage extends AsyncDisposableStack {
  readonly shell: CommandLine;

  private constructor(shell: CommandLine) {
    super();
    this.shell = shell;
    this.defer(() => shell.close());
  }

  static async open(): Promise<Stage> {
    return new Stage(await CommandLine.open());
  }

  async listening(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.defer(() => void server.close());
    return String((server.address() as AddressInfo).port);
  }
}

/** The files in the directory before the commands run. */
const preparations: Record<string, (stage: Stage) => Promise<void>> = {
  'audit.txt': keepTwoSecrets,
  'audit-refused.txt': keepTwoSecrets,
  'backup.txt': keepTwoSecrets,
  'purge.txt': keepTwoSecrets,
  'purge-refused.txt': keepTwoSecrets,
  'keys.txt': keepTwoSecrets,
  'keys-pending.txt': keepTwoSecrets,
  'keys-mac.txt': keepTwoSecrets,
  'keys-sealing.txt': keepTwoSecrets,
  'keys-equality.txt': keepTwoSecrets,
  'keys-refused-beside-secrets.txt': keepTwoSecrets,
};

/** keys retire waits until every gateway has read the file again. */
const withoutWaits: Record<string, string> = { NODE_OPTIONS: `--import ${longWaits.skipped}` };

async function keepTwoSecrets({ shell }: Stage): Promise<void> {
  const gateway = await shell.serve();
  for (const name of ['ONE', 'TWO']) {
    await gateway.run(createSecret('id'), { input: { name, value: 'a value', provider: 'openai' } });
  }
  const { stderr } = await gateway.stop();
  await writeFile(join(shell.directory, 'gateway.log'), stderr);
}

const isSkipped = (file: string) => file === 'first-run.txt' && inject('mongodbUri') === null;

/** What a transcript finds in the world: ports of other programs, and files that only it needs. */
const surroundings: Record<string, (stage: Stage, env: Record<string, string>) => Promise<Record<string, string>>> = {
  'first-run.txt': async (stage) => {
    const mongod = await startStandalone(['--replSet', 'rs0']);
    stage.defer(() => mongod.stop());
    return { '<taken-port>': await stage.listening(createServer()), '<mongod-port>': new URL(mongod.uri).port };
  },
  'first-run-issuer.txt': async (stage) => {
    const { directory } = stage.shell;
    const issuer = stage.adopt(await Issuer.start(), (one) => one.close());
    await writeFile(join(directory, 'jwks.json'), JSON.stringify(issuer.jwks));
    await writeFile(join(directory, 'token'), await issuer.token());
    // A transcript that ends too early leaves its gateway running.
    stage.defer(async () => {
      const pid = await readFile(join(directory, 'pid'), 'utf8').catch(() => null);
      if (pid !== null && existsSync(`/proc/${pid.trim()}`)) process.kill(Number(pid));
    });
    const site = createHttpServer(({ url }, response) => {
      if (url === '/login') response.setHeader('content-type', 'text/html').end('<!doctype html><title>Log in</title>');
      else response.writeHead(404).end();
    });
    const free = [createServer(), createServer()] as const;
    const [gatewayPort, closedPort] = [await stage.listening(free[0]), await stage.listening(free[1])];
    for (const server of free) server.close();
    return { '<issuer-port>': await stage.listening(site), '<gateway-port>': gatewayPort, '<closed-port>': closedPort };
  },
  'people-check.txt': async (stage, env) => {
    await makeAgent(stage, env);
    return {};
  },
  'people-use.txt': async (stage, env) => {
    const upstream = stage.adopt(await Upstream.start(), (one) => one.close());
    await makeAgent(stage, env);
    return { '<upstream-port>': String(upstream.port) };
  },
};

const createAgent =
  'mutation { createApiKey(input: { teamId: "demo", name: "agent", scopes: ["secrets:use"] }) { key } }';

/** A key that may use the secrets of a team, and nothing else. */
async function makeAgent({ shell }: Stage, env: Record<string, string>): Promise<void> {
  const { url, token } = { url: env.SECRETS_GATEWAY_URL, token: env.SECRETS_GATEWAY_TOKEN };
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: createAgent }),
  });
  const { data } = await answer.json();
  await writeFile(join(shell.directory, 'agent.key'), data.createApiKey.key, { mode: 0o600 });
}

/** One that knows a key of the transcript. */
async function provider(stage: Stage): Promise<Record<string, string>> {
  const acme = stage.adopt(await FakeProvider.start(), (one) => one.close());
  acme.known.add('acme-0123456789');
  return settingsOf(acme);
}

/** A gateway that runs in another folder, and a token for it. */
async function settings(stage: Stage, file: string): Promise<Record<string, string>> {
  const elsewhere = stage.adopt(await CommandLine.open(), (one) => one.close());
  const { url, token } = await elsewhere.serve(file === 'people-check.txt' ? await provider(stage) : {});
  return { SECRETS_GATEWAY_URL: new URL(url).origin, SECRETS_GATEWAY_TOKEN: token };
}

function portIn({ SECRETS_GATEWAY_URL: url }: Record<string, string>): Record<string, string> {
  return url === undefined ? {} : { '<port>': new URL(url).port };
}

describe.concurrent('the terminal shows the output in', () => {
  const size = (file: string) => statSync(join(import.meta.dirname, file)).size;
  // The longest ones first: none is left to run alone at the end.
  const files = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.txt') && !isSkipped(name))
    .toSorted((a, b) => size(b) - size(a));

  it.each(files)('%s', { timeout: 240_000 }, async (file) => {
    await using stage = await Stage.open();
    await preparations[file]?.(stage);
    const path = join(import.meta.dirname, file);
    const transcript = await readFile(path, 'utf8');
    const env = file.startsWith('people-') ? await settings(stage, file) : file === 'keys.txt' ? withoutWaits : {};
    const known = await surroundings[file]?.(stage, env);
    const shown = await replay(transcript, stage.shell.directory, env, { ...known, ...portIn(env) });
    if (process.env.UPDATE_TRANSCRIPTS) await writeFile(path, shown);
    else expect(shown).toBe(transcript);
  });
});

const lines = (...text: string[]) => text.join('\n');

describe('a transcript', () => {
  let shell: CommandLine;
  beforeEach(async () => {
    shell = await CommandLine.open();
  });
  afterEach(() => shell.close());

  it.each<[string, string, string]>([
    ['another word', lines('$ echo two', 'one', ''), lines('$ echo two', 'two', '')],
    ['one more line', lines('$ printf "a\\nb\\n"', 'a'), lines('$ printf "a\\nb\\n"', 'a', 'b')],
    ['one line less', lines('$ echo a', 'a', 'b', ''), lines('$ echo a', 'a', '')],
    ['lines in another order', lines('$ printf "a\\nb\\n"', 'b', 'a'), lines('$ printf "a\\nb\\n"', 'a', 'b')],
    ['a blank line inside', lines('$ printf "a\\n\\nb\\n"', 'a', 'b'), lines('$ printf "a\\n\\nb\\n"', 'a', '', 'b')],
    ['standard error', lines('$ echo no >&2', ''), lines('$ echo no >&2', 'no', '')],
    ['an exit code', lines('$ exit 3', ''), lines('$ exit 3', '[exit 3]', '')],
    ['another exit code', lines('$ exit 3', '[exit 1]'), lines('$ exit 3', '[exit 3]')],
    ['success instead of an exit code', lines('$ true', '[exit 1]', ''), lines('$ true', '')],
    ['no newline at the end', lines('$ printf a', 'a'), lines('$ printf a', 'a', '[no newline at the end]')],
    [
      'one placeholder for two values',
      lines('$ echo kek-1 kek-2', '<kid> <kid>'),
      lines('$ echo kek-1 kek-2', '<kid> <2-kid>'),
    ],
    [
      'a placeholder for another value than before',
      lines('$ echo kek-1', '<kid>', '$ echo kek-2', '<kid>'),
      lines('$ echo kek-1', '<kid>', '$ echo kek-2', '<2-kid>'),
    ],
    [
      'two placeholders for one value',
      lines('$ echo kek-1 kek-1', '<old-kid> <new-kid>'),
      lines('$ echo kek-1 kek-1', '<old-kid> <old-kid>'),
    ],
    ['a placeholder for a value of another kind', lines('$ echo today', '<date>'), lines('$ echo today', 'today')],
  ])('shows %s', async (_what, written, shown) => {
    expect(await replay(written, shell.directory)).toBe(shown);
    expect(shown).not.toBe(written);
    expect(await replay(shown, shell.directory)).toBe(shown);
  });

  it('keeps its prose, its multi-line commands and its placeholders when the text around them changes', async () => {
    const before = lines(
      'Prose.',
      '# More of it.',
      '',
      '$ echo "kek-1 is new, and kek-2 old"',
      '<new-kid> is not old, <old-kid> is',
      '',
      '# Then:',
      '$ for kid in <old-kid> <new-kid>',
      '> do echo $kid 2026-01-02',
      '> done',
      '',
      '',
      '# The end.',
      '',
    );
    const after = before
      .replace('<new-kid> is not old, <old-kid> is', '<new-kid> is new, and <old-kid> old')
      .replace('> done', lines('> done', '<old-kid> <date>', '<new-kid> <date>'));
    expect(await replay(before, shell.directory)).toBe(after);
  });

  it('does not run a command with a placeholder that no output has shown', async () => {
    await expect(replay('$ echo <kid>', shell.directory)).rejects.toThrow('nothing before "echo <kid>" shows');
  });
});
