import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, isBundleCurrent } from '../bin/bundle-inputs.js';
import { Checkout } from './support/checkout.ts';
import { CommandLine } from './support/command-line.ts';

const run = promisify(execFile);

describe('a checkout with a bundle', () => {
  let checkout: Checkout;
  let shell: CommandLine;
  beforeAll(async () => {
    checkout = await Checkout.open();
    shell = await CommandLine.open(join(checkout.directory, 'bin/secrets-gateway.js'));
    await run(process.execPath, ['scripts/bundle.ts'], { cwd: checkout.directory });
  });
  afterAll(async () => {
    await shell.close();
    await checkout.close();
  });

  /** What is loaded up to a gateway's first answer. */
  async function filesOfGateway(): Promise<string[]> {
    const file = join(shell.directory, 'modules.txt');
    const hook = join(import.meta.dirname, 'performance/loaded-modules.ts');
    const gateway = await shell.serve({ LOADED_MODULES: file, NODE_OPTIONS: `--import ${hook}` });
    const { data } = await gateway.run('{ viewer { subject } secrets { totalCount } }');
    expect(data).toMatchObject({ viewer: { subject: 'developer' } });
    await gateway.stop();
    const loaded = (await readFile(file, 'utf8')).trim().split('\n');
    return loaded.filter((url) => url.startsWith('file:'));
  }

  it('starts a gateway from few files, and loads nothing else', async () => {
    const loaded = await filesOfGateway();
    const others = loaded.filter((url) => !url.includes('/bundle/'));
    expect(others.map((url) => url.replace(/.*\/bin\//, ''))).toEqual(['secrets-gateway.js', 'bundle-inputs.js']);
    console.info(`${loaded.length} files loaded until the first answer`);
    expect(loaded.length).toBeLessThan(50);
  });

  it('lets exec ask once, from few files and little of Node', async () => {
    const gateway = await shell.serve();
    const [file, hook] = ['seen.json', 'see.cjs'].map((name) => join(shell.directory, name));
    await writeFile(
      hook ?? '',
      `const { subscribe } = require('node:diagnostics_channel');
      const { writeFileSync } = require('node:fs');
      const ofNode = () => process.moduleLoadList.filter((name) => name.startsWith('NativeModule ')).map((name) => name.slice(13));
      const asked = [];
      subscribe('http.client.request.start', () => asked.push(ofNode()));
      process.on('exit', () => {
        const files = Object.keys(require.cache).filter((path) => path.includes('/bundle/'));
        writeFileSync(${JSON.stringify(file)}, JSON.stringify({ asked, files, atEnd: ofNode() }));
      });`,
    );
    const { code, stderr } = await shell.run(['exec', '--', 'true'], {
      SECRETS_GATEWAY_URL: gateway.url,
      SECRETS_GATEWAY_TOKEN: gateway.token,
      NODE_OPTIONS: `--require ${hook}`,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const seen = JSON.parse(await readFile(file ?? '', 'utf8'));
    expect(seen.asked).toHaveLength(1);
    console.info(`exec: ${seen.files.length} files, ${seen.asked[0].length} and ${seen.atEnd.length} modules of Node`);
    expect(seen.asked[0]).toEqual(expect.arrayContaining(['crypto', 'http']));
    // Each takes milliseconds. What starts programs is loaded while the gateway works.
    for (const later of ['child_process', 'fs/promises', 'tls', 'zlib', 'internal/deps/undici/undici'])
      expect(seen.asked[0]).not.toContain(later);
    expect(seen.atEnd).toContain('child_process');
    expect(seen.files.length).toBeGreaterThan(1);
    expect(seen.files.length).toBeLessThan(11);
    expect(seen.atEnd.length).toBeLessThan(140);
    await gateway.stop();
  });

  it('knows every file that a command loads', async () => {
    const hook = join(import.meta.dirname, 'performance/loaded-modules.ts');
    const ofPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//;
    const sources = await CommandLine.open(join(checkout.directory, 'src/main.ts'));
    try {
      const gateway = await shell.serve();
      const credentials = { SECRETS_GATEWAY_URL: gateway.url, SECRETS_GATEWAY_TOKEN: gateway.token };
      for (const [command = '', ...args] of [
        ['exec', '--', 'true'],
        ['list'],
        ['render', '--format', 'env'],
        ['schema'],
      ]) {
        const file = join(sources.directory, `${command}.txt`);
        const debugged = { LOADED_MODULES: file, NODE_OPTIONS: `--import ${hook}` };
        const { code } = await sources.run([command, ...args], { ...credentials, ...debugged });
        expect(code).toBe(0);
        const loaded = (await readFile(file, 'utf8')).split('\n').filter((url) => url.startsWith('file:'));
        const list = JSON.parse(await readFile(join(checkout.directory, `bundle/inputs/${command}.json`), 'utf8'));
        const own = loaded.flatMap((url) => /\/(src\/(?!.*node_modules).*)$/.exec(url)?.[1] ?? []);
        expect(own).toContain(`src/main.ts`);
        expect(list.own).toEqual(expect.arrayContaining(own));
        const names = (paths: string[]) => [...new Set(paths.flatMap((path) => ofPackage.exec(path)?.[1] ?? []))];
        expect(names(list.packages)).toEqual(expect.arrayContaining(names(loaded)));
      }
      await gateway.stop();
    } finally {
      await sources.close();
    }
  });

  it('tells a fault at the start, and keeps the names of functions that the log has of one', async () => {
    const { code, stderr } = await shell.run(['serve'], { DATABASE_URL: 'sqlite:/dev/null/x.db' });
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^secrets-gateway cannot start: /),
    });
    const bundled = await readFile(join(checkout.directory, 'bundle/main.cjs'), 'utf8');
    expect(bundled).toContain('async function commandsFor(');
  });

  it('runs its sources as soon as one of them is another, and the bundle when it is the same again', async () => {
    const source = join(checkout.directory, 'src/cli/operator/schema.ts');
    const text = await readFile(source, 'utf8');
    const summary = async () => (await shell.run(['schema', '--help'])).stdout;
    const before = await summary();
    // As many bytes, in a part that alone is changed.
    await writeFile(source, text.replace('print', 'PRINT'));
    expect(await summary()).toContain('PRINT');
    await writeFile(source, text);
    expect(await summary()).toBe(before);
    await rm(join(checkout.directory, 'bundle/inputs'), { recursive: true });
    expect(await summary()).toBe(before);
  });
});

it('is not made of files that are changed meanwhile', async () => {
  const checkout = await Checkout.open();
  try {
    const source = join(checkout.directory, 'src/cli/operator/schema.ts');
    const hook = join(checkout.directory, 'edit.mjs');
    // The first file that is written when the sources have been read.
    await writeFile(
      hook,
      `import fs from 'node:fs/promises';
      import { syncBuiltinESMExports } from 'node:module';
      const { appendFile, writeFile } = fs;
      fs.writeFile = async (path, ...rest) => {
        if (path.endsWith('NOTICES.txt')) await appendFile(${JSON.stringify(source)}, '// changed\\n');
        return writeFile(path, ...rest);
      };
      syncBuiltinESMExports();`,
    );
    const building = run(process.execPath, ['--import', hook, 'scripts/bundle.ts'], { cwd: checkout.directory });
    await expect(building).rejects.toThrow('changed while the bundle was made');
    expect(await readFile(source, 'utf8')).toContain('// changed');
    expect(isBundleCurrent(checkout.directory)).toBe(false);
  } finally {
    await checkout.close();
  }
});

describe('a bundle is used only where', () => {
  const inputs = { own: ['src/a.ts'], packages: ['node_modules/p/index.js'] };
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'secrets-gateway-bundle-'));
    for (const folder of ['src', 'node_modules/p', 'bundle/inputs'])
      await mkdir(join(root, folder), { recursive: true });
  });
  afterAll(() => rm(root, { recursive: true }));

  async function make(): Promise<void> {
    for (const file of [...inputs.own, ...inputs.packages])
      await writeFile(join(root, file), 'export const one = 1;\n');
    await utimes(join(root, 'node_modules/p/index.js'), 1e9, 1e9);
    await writeList('all', inputs);
    expect(isBundleCurrent(root)).toBe(true);
  }

  async function writeList(name: string, { own, packages }: typeof inputs): Promise<void> {
    const list = { digest: digestOf(root, { own, packages }), own, packages };
    await writeFile(join(root, `bundle/inputs/${name}.json`), JSON.stringify(list));
  }

  it('its sources are as they were, byte by byte, whatever their time', async () => {
    await make();
    await utimes(join(root, 'src/a.ts'), 2e9, 2e9);
    expect(isBundleCurrent(root)).toBe(true);
    await writeFile(join(root, 'src/a.ts'), 'export const one = 2;\n');
    expect(isBundleCurrent(root)).toBe(false);
  });

  it('no file of a package was changed', async () => {
    await make();
    await writeFile(join(root, 'node_modules/p/index.js'), 'export const one = 2;\n');
    expect(isBundleCurrent(root)).toBe(false);
    await make();
    await writeFile(join(root, 'node_modules/p/index.js'), 'export const one = 12;\n');
    await utimes(join(root, 'node_modules/p/index.js'), 1e9, 1e9);
    expect(isBundleCurrent(root)).toBe(false);
  });

  it('its inputs are all there, and so is the list of them', async () => {
    for (const file of [...inputs.own, ...inputs.packages, 'bundle/inputs/all.json']) {
      await make();
      await rm(join(root, file));
      expect(isBundleCurrent(root)).toBe(false);
    }
    await make();
    await writeFile(join(root, 'bundle/inputs/all.json'), '{"digest":');
    expect(isBundleCurrent(root)).toBe(false);
  });

  it('what the command can load is as it was; anything else that is typed can load all of it', async () => {
    await make();
    await writeFile(join(root, 'src/b.ts'), 'export const two = 2;\n');
    await writeList('exec', { own: ['src/b.ts'], packages: [] });
    const verdicts = () =>
      ['exec', 'list', '--help', '', '../inputs/exec'].map((typed) => isBundleCurrent(root, typed));
    expect(verdicts()).toEqual([true, true, true, true, true]);
    await writeFile(join(root, 'src/a.ts'), 'export const one = 2;\n');
    expect(verdicts()).toEqual([true, false, false, false, false]);
    await make();
    await writeFile(join(root, 'src/b.ts'), 'export const two = 3;\n');
    expect(verdicts()).toEqual([false, true, true, true, true]);
  });
});
