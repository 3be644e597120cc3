import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { createSecret } from '../support/graphql.ts';
import { Issuer } from '../support/issuer.ts';

const soon = { timeout: 10_000, interval: 20 };

let shell: CommandLine;
let issuer: Issuer;
let settings: Record<string, string>;

beforeEach(async () => {
  shell = await CommandLine.open();
  issuer = await Issuer.start();
  settings = {
    DATABASE_URL: 'sqlite::memory:',
    KEYRING_FILE: 'keyring.json',
    JWT_ISSUER: issuer.issuer,
    JWT_AUDIENCE: `another ${issuer.audience}`,
    JWT_JWKS_URL: issuer.jwksUrl,
  };
});
afterEach(async () => {
  await shell.close();
  await issuer.close();
});

describe.each<Record<string, string>>([
  { NODE_ENV: 'production' },
  { HOST: '0.0.0.0' },
  { HOST: '0.0.0.0', NODE_ENV: 'development' },
])('with %j', (exposed) => {
  it('there is no introspection, no page and no development token, and no value is taken over plain HTTP', async () => {
    const { url, output } = await shell.serve({ ...settings, ...exposed, TRUST_PROXY: 'on' });
    const local = url.replace('0.0.0.0', '127.0.0.1');
    const token = await issuer.token();
    const post = async (query: string, variables = {}, headers = {}) => {
      const response = await fetch(local, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
        body: JSON.stringify({ query, variables }),
      });
      return response.json();
    };
    expect((await post('{ viewer { subject } }')).data).toEqual({ viewer: { subject: 'ada' } });
    for (const query of ['{ __schema { queryType { name } } }', '{ __type(name: "Secret") { name } }']) {
      const { data, errors } = await post(query);
      expect({ data, code: errors[0].extensions.code }).toEqual({ data: undefined, code: 'BAD_REQUEST' });
    }
    const secret = { input: { name: 'NAME', value: 'v', provider: 'p' } };
    const inClear = await post(createSecret(), secret, { 'x-forwarded-proto': 'http' });
    expect(inClear.errors[0].extensions.code).toBe('UPGRADE_REQUIRED');
    for (const path of ['/', '/graphql']) {
      const page = await fetch(new URL(path, local), { headers: { accept: 'text/html' } });
      expect(await page.text()).not.toMatch(/<html|eyJ/i);
    }
    expect(output.stdout).toBe('');
    expect(output.stderr).not.toContain('eyJ');
  });

  it('a token is refused, with the settings of an issuer or without', async () => {
    for (const env of [exposed, { ...settings, ...exposed }]) {
      const { code, stdout, stderr } = await shell.run(['token', '--sub', 'ada'], env);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('JWT_ISSUER');
    }
  });

  it('INTROSPECTION=on allows it all the same', async () => {
    const gateway = await shell.serve({ ...settings, ...exposed, INTROSPECTION: 'on' });
    const { data } = await gateway.run('{ __type(name: "Secret") { name } }', {}, await issuer.token());
    expect(data).toEqual({ __type: { name: 'Secret' } });
  });

  it('SIGUSR1 opens no debugger', async () => {
    const gateway = await shell.serve({ ...settings, ...exposed, NODE_OPTIONS: '--inspect-port=0' });
    void gateway.stop('SIGUSR1');
    await expect.poll(() => gateway.output.stderr, soon).toContain('SIGUSR1 ignored');
    expect((await gateway.run('{ viewer { subject } }', {}, await issuer.token())).status).toBe(200);
    expect(gateway.output.stderr).not.toMatch(/debugger listening/i);
    expect((await gateway.stop()).code).toBe(0);
  });
});

it('in development SIGUSR1 opens it', async () => {
  const gateway = await shell.serve({ NODE_OPTIONS: '--inspect-port=0' });
  void gateway.stop('SIGUSR1');
  await expect.poll(() => gateway.output.stderr, soon).toMatch(/debugger listening on ws:\/\/127\.0\.0\.1/i);
});

it('INTROSPECTION=off is off in development, too', async () => {
  const gateway = await shell.serve({ INTROSPECTION: 'off' });
  const { data, errors } = await gateway.run('{ __type(name: "Secret") { name } }');
  expect({ data, code: errors[0].extensions.code }).toEqual({ data: undefined, code: 'BAD_REQUEST' });
});
