import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { Checkout, shellEnvironment } from '../support/checkout.ts';
import { blocksOf, linksOf } from '../support/markdown.ts';
import { pathWithOldNode } from '../support/old-node.ts';

const root = join(import.meta.dirname, '../..');
const env = shellEnvironment();
/** As npx runs it, which takes a second for itself. */
const command = 'node_modules/.bin/node node_modules/.bin/secrets-gateway';

/** Every command but serve, in the folder of its gateway. */
const everyCommand = `
run() { ${command} "$@"; }
run schema > schema.graphql
run keys list | head -1
run backup backup.db
run restore not-there.db 2>/dev/null || echo "restore: $?"
run complete bash | grep -c 'secrets-gateway complete'
export SECRETS_GATEWAY_TOKEN=$(run token --sub packaged)
echo sk-proj-0123456789abcdefghijklmnop | run set OPENAI_API_KEY
run list --json | grep -c maskedValue
run get OPENAI_API_KEY | grep provider
run exec -- node_modules/.bin/node -e 'process.exit(process.env.OPENAI_API_KEY ? 7 : 1)' || echo "exec: $?"
run check 00000000-0000-4000-8000-000000000000 2>/dev/null || echo "check: $?"
run use OPENAI_API_KEY -X TRACE -- /v1/models 2>/dev/null || echo "use: $?"
echo '{{ OPENAI_API_KEY }}' > template
run render template -o rendered
wc -c < rendered
echo OTHER=value > packaged.env
run diff packaged.env || echo "diff: $?"
run import packaged.env
run rm OTHER --yes
run audit verify
run purge --user packaged --yes
`;
const shownByCommands = new RegExp(
  `^${[
    'KID .*',
    '\\d+ secrets? (is|are) in backup.db\\. The keyring is not: .*',
    'restore: 1',
    '[1-9]',
    'OPENAI_API_KEY is created: version 1, placeholder sec_[0-9a-f]{9}\\.',
    '1',
    'provider +openai',
    'exec: 7',
    'check: 1',
    'use: 2',
    ' *35',
    'new +OTHER',
    '1 new\\.',
    'diff: 1',
    'new +OTHER',
    '1 new\\.',
    '1 secret is written\\.',
    'OTHER is deleted\\.',
    '\\d+ events of \\d+ owners? checked\\. Every link holds\\.',
    '2 secrets purged\\. The audit events stay\\.',
  ].join('\\n')}\\n$`,
);

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

describe('the package, installed in an empty folder', () => {
  let folder: string;
  let packed: string;
  /** The packages of which the bundle has modules. */
  let bundled: string[];
  /** Process groups of gateways that did not end. */
  const running = new Set<number>();

  beforeAll(async () => {
    const checkout = await Checkout.open();
    folder = await mkdtemp(join(tmpdir(), 'secrets-gateway-package-'));
    packed = join(folder, 'node_modules/secrets-gateway');
    const { stdout } = await sh('npm pack --silent', checkout.directory);
    const tarball = join(checkout.directory, stdout.trim().split('\n').at(-1) ?? '');
    const { code, stderr } = await sh(`npm install --prefer-offline --no-audit --no-fund --loglevel=error ${tarball}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const inputs = JSON.parse(await readFile(join(checkout.directory, 'bundle/inputs/all.json'), 'utf8'));
    bundled = inputs.packages.flatMap((path: string) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
    await checkout.close();
  }, 240_000);
  afterAll(async () => {
    for (const pid of running) process.kill(-pid, 'SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  /** Runs a shell command in the folder. */
  async function sh(command: string, cwd = folder, variables = {}): Promise<Outcome> {
    return promisify(execFile)('sh', ['-c', command], { cwd, env: { ...env, ...variables } }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );
  }

  /** Starts a gateway on a free port, and waits until it has printed its whole start message. */
  async function serve(file: string, args: string[]) {
    const child = spawn(file, args, { cwd: folder, env: { ...env, PORT: '0' }, detached: true, stdio: 'pipe' });
    const pid = child.pid ?? 0;
    running.add(pid);
    let printed = '';
    const ended = once(child, 'close').then(([code]) => {
      running.delete(pid);
      return code as number | null;
    });
    await new Promise<void>((resolve, reject) => {
      const look = (text: Buffer) => {
        printed += text;
        if (printed.includes('Ctrl-C')) resolve();
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      ended.then(() => reject(new Error(`it ended: ${printed}`)), reject);
    });
    const [, url = ''] = /GraphQL +(http\S+)/.exec(printed) ?? [];
    const [, token = ''] = /Bearer ([\w.-]+)/.exec(printed) ?? [];
    return { child, pid, url, token, ended };
  }

  it('starts with npx, stores a secret with the token that it prints, and ends with Ctrl-C', async () => {
    const gateway = await serve('npx', ['secrets-gateway', 'serve']);
    const query =
      'mutation { createSecret(input: { name: "NAME", provider: "p", value: "a value" }) { secret { name version } } }';
    const answer = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.token}` },
      body: JSON.stringify({ query }),
    });
    expect(await answer.json()).toEqual({ data: { createSecret: { secret: { name: 'NAME', version: 1 } } } });
    expect(existsSync(join(folder, '.data/secrets.db'))).toBe(true);
    // A terminal sends the signal to every process that it started.
    process.kill(-gateway.pid, 'SIGINT');
    await gateway.ended;
    await expect(fetch(gateway.url)).rejects.toThrow();
  });

  it('starts without npm, as under a supervisor, runs each command, and exits with 0 on SIGTERM', async () => {
    const gateway = await serve('node_modules/.bin/node', ['node_modules/.bin/secrets-gateway', 'serve']);
    const help = await sh(`${command} --help`);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    const [, list = ''] = help.stdout.split('\nCommands:\n');
    const names = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    expect(names.filter((name) => !everyCommand.includes(`run ${name} `))).toEqual(['serve', 'help']);

    await writeFile(join(folder, 'commands.sh'), everyCommand);
    const ran = await sh(`SECRETS_GATEWAY_URL=${gateway.url} sh -eu commands.sh`);
    expect(ran).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(shownByCommands) });
    expect(await readFile(join(folder, 'schema.graphql'), 'utf8')).toBe(
      await readFile(join(root, 'schema/subgraph.graphql'), 'utf8'),
    );
    gateway.child.kill('SIGTERM');
    expect(await gateway.ended).toBe(0);
  });

  it('has every file that its exports name, and types for each module', async () => {
    const { exports } = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8')) as {
      exports: Record<string, string | Record<string, string>>;
    };
    for (const [name, target] of Object.entries(exports)) {
      const files = typeof target === 'string' ? [target] : Object.values(target);
      expect([name, files.filter((file) => !existsSync(join(packed, file)))]).toEqual([name, []]);
      if (/\.js$/.test(files.at(-1) ?? '')) expect(target).toHaveProperty('types');
    }
  });

  it('runs inside another program, as docs/running.md shows, and has its types in TypeScript', async () => {
    const [block] = blocksOf(readFileSync(join(root, 'docs/running.md'), 'utf8')).filter(
      ({ language }) => language === 'ts',
    );
    const program = block?.text ?? '';
    expect(program).toContain("from 'secrets-gateway'");
    const misuse = `
      // @ts-expect-error: a setting that is missing
      await startGateway({ port: 0 });
      // @ts-expect-error: the URL is a string
      const url: number = gateway.url;
      export { url };
    `;
    const compilerOptions = { module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: ['node'] };
    const typeRoots = [join(root, 'node_modules/@types')];
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'program.ts'), program);
    await writeFile(join(folder, 'misuse.ts'), program + misuse);
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, typeRoots }, include: ['*.ts'] }),
    );
    const tsc = join(root, 'node_modules/.bin/tsc');
    const checked = await sh(`node_modules/.bin/node ${tsc}`);
    expect(checked).toMatchObject({ code: 0, stdout: '' });
    const ran = await sh('node_modules/.bin/node program.ts');
    expect(ran.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/graphql\n$/);
    expect(ran.code).toBe(0);
  });

  describe('the client', () => {
    const misuse = `
      import { type ErrorCode, isGatewayError as guard } from 'secrets-gateway/client';
      // @ts-expect-error: a secret needs a name
      await client.createSecret({ value: 'x' });
      // @ts-expect-error: no code of the gateway
      guard(null, 'NO_SUCH_CODE');
      // @ts-expect-error: a private part
      import 'secrets-gateway/client/documents';
      export type { ErrorCode };
    `;
    const page = `
      import { createClient } from 'secrets-gateway/client';
      export const client = createClient({ url: '/graphql', apiKey: async () => 'sgk_' });
      for await (const { name } of client.allSecrets()) document.title = name;
    `;
    let programs: string;
    beforeAll(async () => {
      programs = join(folder, 'programs');
      await mkdir(programs);
      await writeFile(join(programs, 'package.json'), '{ "type": "module" }');
    });

    /** Compiles files as another project would, without leaving out the types of the package. */
    async function compile(files: string[], options: Record<string, unknown>): Promise<void> {
      const compilerOptions = { target: 'es2022', strict: true, noEmit: true, skipLibCheck: false, ...options };
      const project = join(programs, `tsconfig.${options.module}.json`);
      await writeFile(project, JSON.stringify({ compilerOptions, files }));
      const tsc = join(root, 'node_modules/.bin/tsc');
      const checked = await sh(`${join(folder, 'node_modules/.bin/node')} ${tsc} -p ${project}`, programs);
      expect(checked).toMatchObject({ code: 0, stdout: '' });
    }

    it('does what README.md and docs/client.md show, with types, on the Node of the machine too', async () => {
      const gateway = await serve('node_modules/.bin/node', ['node_modules/.bin/secrets-gateway', 'serve']);
      const token = await sh(`${command} token --sub developer --team demo:admin`);
      const shown = ['README.md', 'docs/client.md'].map((page) => {
        const blocks = blocksOf(readFileSync(join(root, page), 'utf8')).filter(({ language }) => language === 'ts');
        expect(blocks).toHaveLength(1);
        return blocks[0]?.text.replace('http://127.0.0.1:4000', gateway.url) ?? '';
      });
      for (const [index, text] of shown.entries()) {
        await writeFile(join(programs, `shown-${index}.ts`), text);
        await writeFile(join(programs, `shown-${index}.mjs`), text);
      }
      await writeFile(join(programs, 'misuse.ts'), shown[0] + misuse);
      const typeRoots = [join(root, 'node_modules/@types')];
      const files = ['shown-0.ts', 'shown-1.ts', 'misuse.ts'];
      await compile(files, { module: 'nodenext', lib: ['es2022'], types: ['node'], typeRoots });

      const run = async (command: string) => {
        const { code, stdout, stderr } = await sh(`SECRETS_GATEWAY_TOKEN=${token.stdout.trim()} ${command}`, programs);
        expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
        return stdout;
      };
      const node = join(folder, 'node_modules/.bin/node');
      expect(await run(`${node} shown-0.ts`)).toMatch(
        /^a template refers to it as sec_[0-9a-f]{9}\nDATABASE_URL=postgres:\/\/app:8Kq2@db\/app\n$/,
      );
      expect(await run(`${node} shown-1.ts`)).toMatch(/^sec_[0-9a-f]{9} 0\nDATABASE_URL post•+pp\nsmtp password •+\n$/);
      expect(await run('node shown-1.mjs')).toMatch(/^The team has one of this name\.\nDATABASE_URL post•+pp\n/);
      gateway.child.kill('SIGTERM');
      expect(await gateway.ended).toBe(0);
    });

    it.each(['nodenext', 'esnext'])('has its types in a page, for a compiler with module %s', async (module) => {
      await writeFile(join(programs, 'page.ts'), page);
      const moduleResolution = module === 'esnext' ? 'bundler' : module;
      await compile(['page.ts'], { module, moduleResolution, lib: ['es2022', 'dom'], types: [] });
    });

    it('is bundled for a page with what the page uses, and needs nothing else', async () => {
      const [whole, sealing] = await Promise.all(
        ['*', '{ sealValue }'].map((names) => bundle(`export ${names} from 'secrets-gateway/client';`, folder)),
      );
      for (const { code, imports } of [whole, sealing].filter((one) => one !== undefined)) {
        expect(imports).toEqual([]);
        expect(code).not.toMatch(/\bnode:/);
      }
      expect(whole?.gzippedBytes).toBeLessThanOrEqual(25_000);
      expect(sealing?.gzippedBytes).toBeLessThanOrEqual(10_000);
    });
  });

  it('has pages without dead links', () => {
    const pages = globSync('**/*.md', { cwd: packed, exclude: ['node_modules/**'] });
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/running.md']));
    const dead = pages.flatMap((page) =>
      linksOf(readFileSync(join(packed, page), 'utf8'))
        .filter(({ path }) => path !== '' && !existsSync(join(packed, normalize(join(dirname(page), path)))))
        .map(({ path }) => `${page}: ${path}`),
    );
    expect(dead).toEqual([]);
  });

  it('has no tests and no sources', () => {
    expect(globSync('{src,test,scripts,benchmark,bundle/inputs}', { cwd: packed })).toEqual([]);
  });

  it('runs from its bundle, with the licence of each package in it', async () => {
    const text = await readFile(join(packed, 'bundle/THIRD-PARTY-NOTICES.txt'), 'utf8');
    const notices = new Map(
      text.split(`\n\n${'-'.repeat(80)}\n\n`).map((notice) => [/^(\S+) \S+ \(/.exec(notice)?.[1] ?? '', notice]),
    );
    expect(bundled).toEqual(expect.arrayContaining(['graphql', 'graphql-yoga', 'jose', 'pino', '@opentelemetry/api']));
    for (const name of new Set(bundled)) expect(notices.get(name)).toMatch(/Permission|Redistribution|Apache License/);
    // Part of the gateway replaces methods of the driver's classes: there must be one driver.
    expect(bundled).not.toContain('mongodb');
    const traced = await sh(`NODE_DEBUG=module ${command} exec --help 2>&1 >/dev/null`);
    expect(traced.stdout).toContain('secrets-gateway/bundle/');
    expect(traced.stdout).not.toContain('secrets-gateway/dist/');
  });

  // This test is last, since it removes files that the others need.
  it('reports how to fix an installation without install scripts, and the fix works', async () => {
    await using old = await pathWithOldNode(env.PATH ?? '');
    const PATH = old.path;
    await rm(join(packed, '../node/bin/node'));
    await rm(join(packed, '../.bin/node'));
    const { code, stdout, stderr } = await sh('npx secrets-gateway serve', folder, { PATH });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^secrets-gateway needs Node 26 or newer; this is Node \d+\.\d+\.\d+\.\n/);
    const [, allowed = ''] = /Add ("allowScripts": .*?) to package\.json/.exec(stderr) ?? [];
    const [, rebuild = ''] = /Run "(.*?)"/.exec(stderr) ?? [];
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({
        ...JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
        ...JSON.parse(`{${allowed}}`),
      }),
    );
    expect(await sh(`${rebuild} --prefer-offline`, folder, { PATH })).toMatchObject({ code: 0 });
    expect(await sh('npx secrets-gateway --version', folder, { PATH })).toMatchObject({ code: 0, stderr: '' });
  }, 60_000);
});
