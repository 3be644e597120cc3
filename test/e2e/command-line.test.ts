import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { Issuer } from '../support/issuer.ts';
import { writeKeyring } from '../support/keyring.ts';

const viewer = '{ viewer { subject scopes teams { id role } } secrets { totalCount } }';
const create = 'mutation { createSecret(input: { name: "NAME", value: "v", provider: "p" }) { secret { name } } }';

let shell: CommandLine;

beforeEach(async () => {
  shell = await CommandLine.open();
});
afterEach(() => shell.close());

const inDirectory = (...path: string[]) => join(shell.directory, ...path);

async function run(url: string, token: string, query = viewer) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  return { status: response.status, data, errors };
}

/** A GET with a Host of its own, which fetch does not allow. */
async function get(url: string, headers: Record<string, string>) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status?: number | undefined; text: string }>();
  const sent = request(url, { headers }, async (response) => {
    const chunks = await response.toArray();
    resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() });
  });
  sent.on('error', reject).end();
  return promise;
}

describe('secrets-gateway serve', () => {
  it('runs in an empty directory without any setting: prints the URL and a token that works', async () => {
    const gateway = await shell.serve();
    expect(gateway.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/graphql$/);
    const { status, data, errors } = await run(gateway.url, gateway.token);
    expect({ status, errors }).toEqual({ status: 200, errors: undefined });
    expect(data.viewer).toEqual({
      subject: 'developer',
      scopes: ['secrets:read', 'secrets:write', 'secrets:resolve', 'keys:manage'],
      teams: [{ id: 'demo', role: 'ADMIN' }],
    });
    expect((await run(gateway.url, gateway.token, create)).data.createSecret.secret.name).toBe('NAME');
  });

  it('prints a curl command that works when it is pasted', async () => {
    const gateway = await shell.serve();
    const pasted = /curl [\s\S]*?'\n/.exec(gateway.output.stdout.replaceAll(/\\\n\s*/g, ''))?.[0] ?? '';
    const { stdout } = spawnSync('sh', ['-c', pasted], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual({ data: { viewer: { subject: 'developer' }, secrets: { totalCount: 0 } } });
  });

  it('keeps what it makes to its user: every file in .data/ is 0600, .data/ itself 0700', async () => {
    const gateway = await shell.serve();
    await run(gateway.url, gateway.token, create);
    const files = await readdir(inDirectory('.data'));
    expect(files).toEqual(expect.arrayContaining(['development-issuer.json', 'keyring.json', 'secrets.db']));
    for (const file of files) {
      expect({ file, mode: (await stat(inDirectory('.data', file))).mode & 0o777 }).toEqual({ file, mode: 0o600 });
    }
    expect((await stat(inDirectory('.data'))).mode & 0o777).toBe(0o700);
    expect(await readdir(shell.directory)).toEqual(['.data']);
  });

  it('keeps keyring, issuer and secrets over a new start: the first token goes on working', async () => {
    const first = await shell.serve();
    await run(first.url, first.token, create);
    const keyring = await readFile(inDirectory('.data/keyring.json'), 'utf8');
    await first.stop();
    const second = await shell.serve();
    expect(await readFile(inDirectory('.data/keyring.json'), 'utf8')).toBe(keyring);
    expect((await run(second.url, first.token)).data.secrets.totalCount).toBe(1);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s, without a word of complaint', async (signal) => {
    const gateway = await shell.serve();
    await run(gateway.url, gateway.token);
    const { code, stderr } = await gateway.stop(signal);
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/error|warn/i);
    await expect(fetch(gateway.url)).rejects.toThrow();
  });

  it('ends with npm start, which passes the signal on', async () => {
    const issuer = await Issuer.start();
    const npm = spawn('npm', ['start'], {
      cwd: join(import.meta.dirname, '../..'),
      env: {
        PATH: process.env.PATH,
        HOME: shell.directory,
        PORT: '0',
        DATABASE_URL: 'sqlite::memory:',
        KEYRING_FILE: inDirectory('keyring.json'),
        JWT_ISSUER: issuer.issuer,
        JWT_AUDIENCE: issuer.audience,
        JWT_JWKS_URL: issuer.jwksUrl,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let printed = '';
    npm.stderr.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
    await expect.poll(() => printed, { timeout: 15_000 }).toContain('"url"');
    const [, url = ''] = /"url":"([^"]+)"/.exec(printed) ?? [];
    expect((await fetch(new URL('/livez', url))).status).toBe(200);
    const ended = once(npm, 'exit');
    npm.kill('SIGTERM');
    await ended;
    await expect.poll(() => fetch(new URL('/livez', url)).catch(() => null), { timeout: 5000 }).toBeNull();
    await issuer.close();
  });

  it('in development answers to the names of this machine alone: DNS rebinding meets FORBIDDEN, 403', async () => {
    const gateway = await shell.serve();
    const { port } = new URL(gateway.url);
    const path = `${gateway.url}?query=${encodeURIComponent('{ __typename }')}`;
    for (const host of ['127.0.0.1', `127.0.0.1:${port}`, 'localhost', `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect({ host, status: (await get(path, { host })).status }).toEqual({ host, status: 200 });
    }
    const foreign = [
      'attacker.test',
      `attacker.test:${port}`,
      `localhost.attacker.test:${port}`,
      `127.0.0.1.attacker.test`,
      'localhost@attacker.test',
      `notlocalhost:${port}`,
      '127.0.0.1.',
      '0.0.0.0',
      '192.168.0.1',
      '[::]',
    ];
    for (const host of foreign) {
      for (const accept of ['application/json', 'text/html']) {
        for (const url of [path, gateway.url, new URL('/', gateway.url).href]) {
          const { status, text } = await get(url, { host, accept });
          expect({ host, url, status }).toEqual({ host, url, status: 403 });
          expect(JSON.parse(text).errors[0].extensions.code).toBe('FORBIDDEN');
          expect(text).not.toContain('eyJ');
        }
      }
    }
  });

  it('in development has GraphiQL, for a browser, at / and at /graphql', async () => {
    const gateway = await shell.serve();
    for (const url of [gateway.url, new URL('/', gateway.url).href]) {
      const { status, text } = await get(url, { accept: 'text/html,*/*;q=0.8' });
      expect(status).toBe(200);
      expect(text).toContain('<!doctype html>');
    }
    expect((await get(gateway.url, { accept: 'application/json' })).text).not.toContain('<!doctype html>');
  });

  it('with an issuer of its own has no GraphiQL, prints no token, makes no issuer and accepts no development token', async () => {
    const development = (await shell.run(['token', '--sub', 'ada'])).stdout.trim();
    const issuer = await Issuer.start();
    try {
      const settings = { JWT_ISSUER: issuer.issuer, JWT_AUDIENCE: issuer.audience, JWT_JWKS_URL: issuer.jwksUrl };
      for (const env of [
        settings,
        { ...settings, NODE_ENV: 'production', KEYRING_FILE: 'keyring.json' },
        { ...settings, HOST: '0.0.0.0', KEYRING_FILE: 'keyring.json' },
      ]) {
        const gateway = await shell.serve({ ...env, DATABASE_URL: 'sqlite::memory:' });
        const url = gateway.url.replace('0.0.0.0', '127.0.0.1');
        expect(gateway.output.stdout).toBe('');
        expect(gateway.output.stderr).not.toContain('eyJ');
        for (const path of ['/', '/graphql']) {
          expect((await get(new URL(path, url).href, { accept: 'text/html' })).text).not.toMatch(/<html|eyJ/i);
        }
        expect((await run(url, await issuer.token())).data.viewer.subject).toBe('ada');
        expect((await run(url, development)).status).toBe(401);
        expect((await gateway.stop()).code).toBe(0);
      }
    } finally {
      await issuer.close();
    }
  });

  it('refuses to start without the keyring that its secrets are sealed with, and starts when it is back', async () => {
    const gateway = await shell.serve();
    await run(gateway.url, gateway.token, create);
    await gateway.stop();
    await rename(inDirectory('.data/keyring.json'), inDirectory('backup.json'));
    const { code, stderr } = await shell.run(['serve'], { PORT: '0' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^secrets-gateway cannot start: KEYRING_FILE \.data\/keyring\.json: .*backup\.\n$/);
    expect(await readdir(inDirectory('.data'))).not.toContain('keyring.json');
    await rename(inDirectory('backup.json'), inDirectory('.data/keyring.json'));
    const again = await shell.serve();
    expect((await run(again.url, gateway.token)).data.secrets.totalCount).toBe(1);
  });

  it('refuses a keyring of another deployment beside secrets that it cannot open: names the key and the mend', async () => {
    const first = await shell.serve();
    await run(first.url, first.token, create);
    await first.stop();
    const other = inDirectory('other.json');
    await writeKeyring(other, [{ kid: 'other', state: 'active' }]);
    const { keys } = JSON.parse(await readFile(inDirectory('.data/keyring.json'), 'utf8'));
    const { code, stderr } = await shell.run(['serve'], { PORT: '0', KEYRING_FILE: other });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`KEYRING_FILE .*other\\.json: it lacks the keys .*${keys[0].kid}.* restore`));
  });

  it('names the port that is in use, and the mend', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { code, stdout, stderr } = await shell.run(['serve'], { PORT: String(port) });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `secrets-gateway cannot start: PORT ${port} is in use. Stop what uses it, or set PORT to another.\n`,
    );
    await new Promise((resolve) => other.close(resolve));
  });

  const jwt = {
    JWT_ISSUER: 'https://issuer.test',
    JWT_AUDIENCE: 'secrets-gateway',
    JWT_JWKS_URL: 'https://issuer.test/jwks',
  };
  const privateKeyFile = 'private-file.json';
  const marker = 'hunter22';
  const refused: [what: string, variable: string, mend: RegExp, env: Record<string, string>][] = [
    ['production without an issuer', 'JWT_ISSUER', /identity provider/, { NODE_ENV: 'production' }],
    ['production without a keyring', 'KEYRING_FILE', /Set it to a file/, { NODE_ENV: 'production', ...jwt }],
    ['every address without an issuer', 'JWT_ISSUER', /identity provider/, { HOST: '0.0.0.0' }],
    ['every IPv6 address without an issuer', 'JWT_ISSUER', /identity provider/, { HOST: '::' }],
    ['every address without a keyring', 'KEYRING_FILE', /Set it to a file/, { HOST: '0.0.0.0', ...jwt }],
    ['a store of another kind', 'DATABASE_URL', /sqlite:.*mongodb:/, { DATABASE_URL: `postgres://u:${marker}@h/d` }],
    ['a store URL that is broken', 'DATABASE_URL', /\w/, { DATABASE_URL: `mongodb://u:${marker}@h:port:1/?x` }],
    ['a store out of reach', 'DATABASE_URL', /Check/, { DATABASE_URL: `mongodb://u:${marker}@127.0.0.1:1/d` }],
    ['a file that is no database', 'DATABASE_URL', /\w/, { DATABASE_URL: `sqlite:${privateKeyFile}` }],
    ['a key set file that is missing', 'JWT_JWKS_FILE', /Put/, { ...jwt, JWT_JWKS_URL: '', JWT_JWKS_FILE: 'none' }],
    [
      'a key set file that is none',
      'JWT_JWKS_FILE',
      /Put/,
      { ...jwt, JWT_JWKS_URL: '', JWT_JWKS_FILE: privateKeyFile },
    ],
    ['a keyring that others can read', 'KEYRING_FILE', /chmod 600 open\.json/, { KEYRING_FILE: 'open.json' }],
    ['a keyring by a symbolic link', 'KEYRING_FILE', /the file itself/, { KEYRING_FILE: 'link.json' }],
    ['a keyring that is none', 'KEYRING_FILE', /backup/, { KEYRING_FILE: privateKeyFile }],
    ['a directory for a keyring', 'KEYRING_FILE', /Set the variable to a file/, { KEYRING_FILE: '.' }],
    ['a keyring below a file', privateKeyFile, /directory/, { KEYRING_FILE: `${privateKeyFile}/keyring.json` }],
    ['a port that is none', 'PORT', /0 to 65535/, { PORT: marker }],
  ];
  it.each(refused)(
    'refuses %s: names %s and the mend in one line, and no value',
    async (_what, variable, mend, env) => {
      await writeFile(inDirectory(privateKeyFile), marker, { mode: 0o600 });
      await writeFile(inDirectory('open.json'), '{}', { mode: 0o600 });
      await chmod(inDirectory('open.json'), 0o644);
      await symlink(privateKeyFile, inDirectory('link.json'));
      const { code, stdout, stderr } = await shell.run(['serve'], { PORT: '0', ...env });
      expect(stderr).toMatch(/^secrets-gateway cannot start: [^\n]+\n$/);
      expect(stderr).toContain(variable);
      expect(stderr).toMatch(mend);
      expect(stderr).not.toContain(marker);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    },
  );
});

describe('secrets-gateway token', () => {
  it('prints a token, and nothing else, that the gateway accepts', async () => {
    const args = ['--sub', 'ada', '--team', 'red:admin', '--team', 'blue', '--team', 'a:b:member'];
    const { code, stdout, stderr } = await shell.run(['token', ...args, '--scope', 'secrets:read']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const gateway = await shell.serve();
    expect((await run(gateway.url, stdout.trim())).data.viewer).toEqual({
      subject: 'ada',
      scopes: ['secrets:read'],
      teams: [
        { id: 'red', role: 'ADMIN' },
        { id: 'blue', role: 'MEMBER' },
        { id: 'a:b', role: 'MEMBER' },
      ],
    });
  });

  it('allows everything for an hour unless it is told otherwise', async () => {
    const { stdout } = await shell.run(['token', '--sub', 'ada']);
    const { scope, exp = 0, iat = 0 } = decodeJwt(stdout);
    expect(scope).toBe('secrets:read secrets:write secrets:resolve keys:manage');
    expect(exp - iat).toBe(3600);
  });

  it.each([
    ['90s', 90],
    ['15m', 900],
    ['2h', 7200],
    ['30d', 2_592_000],
  ])('--ttl %s is good for %i s', async (ttl, seconds) => {
    const { stdout } = await shell.run(['token', '--sub', 'ada', '--ttl', ttl]);
    const { exp = 0, iat = 0 } = decodeJwt(stdout);
    expect(exp - iat).toBe(seconds);
  });

  it.each([
    [['token'], '--sub'],
    [['token', '--sub', ''], '--sub'],
    [['token', '--sub', 'a', '--team', ''], '--team'],
    [['token', '--sub', 'a', '--team', ':admin'], '--team'],
    [['token', '--sub', 'a', '--team', 'red:owner'], '--team'],
    [['token', '--sub', 'a', '--scope', 'secrets:read admin'], '--scope'],
    [['token', '--sub', 'a', '--ttl', '0s'], '--ttl'],
    [['token', '--sub', 'a', '--ttl', '31d'], '--ttl'],
    [['token', '--sub', 'a', '--ttl', '1 hour'], '--ttl'],
    [['token', '--sub', 'a', '--ttl', '-1h'], '--ttl'],
    [['token', '--sub', 'a', '--role', 'admin'], '--role'],
    [['token', 'ada'], 'ada'],
    [['tokens'], 'command'],
  ])('%j is refused with 2, says what is wrong, and makes nothing', async (args, named) => {
    const { code, stdout, stderr } = await shell.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr).toContain('--help');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(await readdir(shell.directory)).toEqual([]);
  });

  it.each([
    ['a real issuer', { JWT_ISSUER: 'https://i.test', JWT_AUDIENCE: 'a', JWT_JWKS_URL: 'https://i.test/jwks' }],
    ['NODE_ENV=production', { NODE_ENV: 'production' }],
  ])('is refused where there is %s', async (_what, env) => {
    const { code, stdout, stderr } = await shell.run(['token', '--sub', 'ada'], env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('JWT_ISSUER');
    expect(stderr).toContain('development issuer');
    expect(await readdir(shell.directory)).toEqual([]);
  });

  it.each([
    ['others can read', '{}', 0o644, /chmod 600/],
    ['is not JSON', 'hunter22', 0o600, /Delete it/],
    ['is a key of another kind', '{"kty":"oct","k":"hunter22"}', 0o600, /Delete it/],
    ['is a public key', '{"kty":"OKP","crv":"Ed25519","x":"hunter22"}', 0o600, /Delete it/],
  ])('refuses an issuer file that %s, with the mend and without its content', async (_what, text, mode, mend) => {
    await shell.run(['token', '--sub', 'ada']);
    const file = inDirectory('.data/development-issuer.json');
    await writeFile(file, text);
    await chmod(file, mode);
    const { code, stdout, stderr } = await shell.run(['token', '--sub', 'ada']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('.data/development-issuer.json');
    expect(stderr).toMatch(mend);
    expect(stderr).not.toContain('hunter22');
  });

  it('twenty at once, in an empty directory, are all from the one issuer', async () => {
    const exits = await Promise.all(Array.from({ length: 20 }, (_, i) => shell.run(['token', '--sub', `user-${i}`])));
    expect(exits.map(({ stderr }) => stderr).join('')).toBe('');
    expect(await readdir(inDirectory('.data'))).toEqual(['development-issuer.json']);
    const gateway = await shell.serve();
    for (const { stdout } of exits) expect((await run(gateway.url, stdout.trim())).status).toBe(200);
  });
});

describe('secrets-gateway', () => {
  it('schema prints the subgraph’s SDL: what the gateway answers a composer', async () => {
    const { code, stdout, stderr } = await shell.run(['schema']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const gateway = await shell.serve();
    const { data } = await run(gateway.url, gateway.token, '{ _service { sdl } }');
    expect(stdout).toBe(data._service.sdl);
    expect(stdout).toContain('type Secret');
  });

  it('tells its version', async () => {
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await shell.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([[], ['help'], ['--help'], ['-h']])('%j tells what there is', async (...args) => {
    const { code, stdout } = await shell.run(args);
    expect(code).toBe(0);
    for (const name of ['serve', 'token', 'schema', 'keys']) expect(stdout).toContain(`  ${name}`);
  });

  it.each(['serve', 'token', 'schema'])('%s --help tells its usage, and does nothing', async (name) => {
    const { code, stdout } = await shell.run([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: secrets-gateway ${name}`));
    expect(await readdir(shell.directory)).toEqual([]);
  });

  const oldNode = (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'node'))
    .find((node) => /^v(1\d|2[0-5])\./.test(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout ?? ''));

  it.skipIf(!oldNode)('on a Node that is too old says so, and what to do (skipped where PATH has none)', async () => {
    const { code, stdout, stderr } = await shell.run(['serve'], {}, oldNode);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^secrets-gateway needs Node 26 or newer; this is Node \d+\.\d+\.\d+\.\n.*npm start/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
