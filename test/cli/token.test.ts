import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';

const viewer = '{ viewer { subject scopes teams { id role } } }';

let shell: CommandLine;

beforeEach(async () => {
  shell = await CommandLine.open();
});
afterEach(() => shell.close());

describe('secrets-gateway token', () => {
  it('prints a token, and nothing else, that the gateway accepts', async () => {
    const args = ['--sub', 'ada', '--team', 'red:admin', '--team', 'blue', '--team', 'a:b:member'];
    const { code, stdout, stderr } = await shell.run(['token', ...args, '--scope', 'secrets:read']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Signed by a new development issuer/) });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const gateway = await shell.serve();
    expect((await gateway.run(viewer, {}, stdout.trim())).data.viewer).toEqual({
      subject: 'ada',
      scopes: ['secrets:read'],
      teams: [
        { id: 'red', role: 'ADMIN' },
        { id: 'blue', role: 'MEMBER' },
        { id: 'a:b', role: 'MEMBER' },
      ],
    });
  });

  it('prints a token with all scopes for one hour by default', async () => {
    const { stdout } = await shell.run(['token', '--sub', 'ada']);
    const { scope, exp = 0, iat = 0 } = decodeJwt(stdout);
    expect(scope).toBe('secrets:read secrets:write secrets:resolve secrets:use secrets:match keys:manage');
    expect(exp - iat).toBe(3600);
  });

  it.each([
    ['90s', 90],
    ['15m', 900],
    ['2h', 7200],
    ['30d', 2_592_000],
  ])('prints with --ttl %s a token that is valid for %i s', async (ttl, seconds) => {
    const { stdout } = await shell.run(['token', '--sub', 'ada', '--ttl', ttl]);
    const { exp = 0, iat = 0 } = decodeJwt(stdout);
    expect(exp - iat).toBe(seconds);
  });

  it('says which issuer it uses in a folder in which no gateway has run, and nothing where one has', async () => {
    const file = join(await realpath(shell.directory), '.data/development-issuer.json');
    const { stderr } = await shell.run(['token', '--sub', 'ada']);
    expect(stderr).toContain(`a new development issuer, ${file}. No gateway has run in this folder`);
    expect((await shell.run(['token', '--sub', 'ada'])).stderr).toContain(`the development issuer, ${file}.`);
    await (await shell.serve()).stop();
    expect((await shell.run(['token', '--sub', 'ada'])).stderr).toBe('');
  });

  it('creates one issuer when twenty processes start at once in an empty directory', async () => {
    const exits = await Promise.all(Array.from({ length: 20 }, (_, i) => shell.run(['token', '--sub', `user-${i}`])));
    expect(exits.map(({ code }) => code)).toEqual(Array(20).fill(0));
    expect(await readdir(join(shell.directory, '.data'))).toEqual(['development-issuer.json']);
    const gateway = await shell.serve();
    for (const { stdout } of exits) expect((await gateway.run(viewer, {}, stdout.trim())).status).toBe(200);
  });
});
