import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { createSecret } from '../support/graphql.ts';
import { Issuer } from '../support/issuer.ts';
import { writeKeyring } from '../support/keyring.ts';

const viewer = '{ viewer { subject scopes teams { id role } } secrets { totalCount } }';
const secret = { name: 'NAME', value: 'v', provider: 'p' };

let shell: CommandLine;

beforeEach(async () => {
  shell = await CommandLine.open();
});
afterEach(() => shell.close());

const inDirectory = (...path: string[]) => join(shell.directory, ...path);

/** A GET with any Host header, which fetch does not allow. */
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
  it('runs in an empty directory without any setting, and prints the URL and a valid token', async () => {
    const gateway = await shell.serve();
    expect(gateway.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/graphql$/);
    const { status, data, errors } = await gateway.run(viewer);
    expect({ status, errors }).toEqual({ status: 200, errors: undefined });
    expect(data.viewer).toEqual({
      subject: 'developer',
      scopes: ['secrets:read', 'secrets:write', 'secrets:resolve', 'secrets:use', 'secrets:match', 'keys:manage'],
      teams: [{ id: 'demo', role: 'ADMIN' }],
    });
    expect((await gateway.run(createSecret('name'), { input: secret })).data.createSecret.secret.name).toBe('NAME');
  });

  it('prints a curl command that works when it is pasted', async () => {
    const gateway = await shell.serve();
    const pasted = /curl [\s\S]*?'\n/.exec(gateway.output.stdout.replaceAll(/\\\n\s*/g, ''))?.[0] ?? '';
    const { stdout } = spawnSync('sh', ['-c', pasted], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual({ data: { viewer: { subject: 'developer' }, secrets: { totalCount: 0 } } });
  });

  it('creates files that only its user can read: every file in .data/ is 0600, .data/ itself 0700', async () => {
    const gateway = await shell.serve();
    await gateway.run(createSecret(), { input: secret });
    const files = await readdir(inDirectory('.data'));
    expect(files).toEqual(expect.arrayContaining(['development-issuer.json', 'keyring.json', 'secrets.db']));
    for (const file of files) {
      expect({ file, mode: (await stat(inDirectory('.data', file))).mode & 0o777 }).toEqual({ file, mode: 0o600 });
    }
    expect((await stat(inDirectory('.data'))).mode & 0o777).toBe(0o700);
    expect(await readdir(shell.directory)).toEqual(['.data']);
  });

  it('keeps keyring, issuer and secrets over a restart: the first token is still valid', async () => {
    const first = await shell.serve();
    await first.run(createSecret(), { input: secret });
    const keyring = await readFile(inDirectory('.data/keyring.json'), 'utf8');
    await first.stop();
    const second = await shell.serve();
    expect(await readFile(inDirectory('.data/keyring.json'), 'utf8')).toBe(keyring);
    expect((await second.run(viewer, {}, first.token)).data.secrets.totalCount).toBe(1);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s, without an error message', async (signal) => {
    const gateway = await shell.serve();
    await gateway.run(viewer);
    const { code, stdout, stderr } = await gateway.stop(signal);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n {2}Stopping: .*Ctrl-C again stops at once\.\n {2}Stopped\. Goodbye\.\n$/);
    expect(stderr).not.toMatch(/error|warn/i);
    await expect(fetch(gateway.url)).rejects.toThrow();
  });

  it('ends when npm start gets the signal, which forwards it', async () => {
    const issuer = await Issuer.start();
    const npm = spawn('npm', ['start'], {
      cwd: join(import.meta.dirname, '../..'),
      env: {
        PATH: process.env.PATH,
        HOME: shell.directory,
        PORT: '0',
        DATABASE_URL: 'sqlite::memory:',
        KEYRING_FILE: inDirectory('keyring.json'),
        ...issuer.settings,
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

  it('in development accepts only Host headers that name this machine: DNS rebinding gets FORBIDDEN, 403', async () => {
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
    // No host at all (RFC 9112, section 3.2), and so refused wherever the gateway runs.
    const malformed = await get(path, { host: 'localhost@attacker.test' });
    expect([malformed.status, malformed.text.includes('BAD_REQUEST')]).toEqual([400, true]);
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

  it('with a configured issuer has no GraphiQL, prints no token, creates no issuer and accepts no development token', async () => {
    const development = (await shell.run(['token', '--sub', 'ada'])).stdout.trim();
    const issuer = await Issuer.start();
    try {
      const settings = { ...issuer.settings };
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
        expect((await gateway.run(viewer, {}, await issuer.token())).data.viewer.subject).toBe('ada');
        expect((await gateway.run(viewer, {}, development)).status).toBe(401);
        expect((await gateway.stop()).code).toBe(0);
      }
    } finally {
      await issuer.close();
    }
  });

  it('refuses to start without the keyring that its secrets are sealed with, and starts when the file is restored', async () => {
    const gateway = await shell.serve();
    await gateway.run(createSecret(), { input: secret });
    await gateway.stop();
    await rename(inDirectory('.data/keyring.json'), inDirectory('backup.json'));
    const { code, stderr } = await shell.run(['serve'], { PORT: '0' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^secrets-gateway cannot start: KEYRING_FILE \.data\/keyring\.json: .*backup\.\n$/);
    expect(await readdir(inDirectory('.data'))).not.toContain('keyring.json');
    await rename(inDirectory('backup.json'), inDirectory('.data/keyring.json'));
    const again = await shell.serve();
    expect((await again.run(viewer, {}, gateway.token)).data.secrets.totalCount).toBe(1);
  });

  it('refuses the keyring of another deployment when it cannot open the secrets, and names the key and the fix', async () => {
    const first = await shell.serve();
    await first.run(createSecret(), { input: secret });
    await first.stop();
    const other = inDirectory('other.json');
    await writeKeyring(other, [{ kid: 'other', state: 'active' }]);
    const { keys } = JSON.parse(await readFile(inDirectory('.data/keyring.json'), 'utf8'));
    const { code, stderr } = await shell.run(['serve'], { PORT: '0', KEYRING_FILE: other });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`KEYRING_FILE .*other\\.json: it lacks the keys .*${keys[0].kid}.* restore`));
  });

  it('names the port that is in use, and the fix', async () => {
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
});
