import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConnection } from '../../../src/cli/people/connection.ts';
import { kubernetesToken } from '../../../src/cli/people/token-source.ts';
import { CommandLine, type RunningGateway } from '../../support/command-line.ts';

/** Stands for GitHub, and for somebody who would like to have credentials. */
const requests: IncomingMessage[] = [];
let answer: (token: string) => { status?: number; headers?: Record<string, string>; body: string };
const server = createServer((request, response) => {
  requests.push(request);
  const { status = 200, headers = {}, body } = answer(gateway.token);
  response.writeHead(status, headers).end(body);
});

let shell: CommandLine;
let gateway: RunningGateway;
let url: string;
beforeAll(async () => {
  shell = await CommandLine.open();
  gateway = await shell.serve();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await shell.close();
});
beforeEach(() => {
  requests.length = 0;
  answer = (token) => ({ body: JSON.stringify({ count: 1, value: token }) });
});

const canary = 'hunter22canary';
const onGithub = (more: Record<string, string> = {}) => ({
  SECRETS_GATEWAY_URL: gateway.url,
  SECRETS_GATEWAY_TOKEN_SOURCE: 'github-actions',
  ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?api-version=2.0`,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: canary,
  ...more,
});

describe('the token of a workload on GitHub', () => {
  it('is asked for with the audience, and the gateway accepts it', async () => {
    expect(await shell.run(['list'], onGithub())).toMatchObject({ code: 0, stderr: 'There are no secrets.\n' });
    expect(requests.map(({ url: path, headers }) => [path, headers.authorization])).toEqual([
      ['/token?api-version=2.0&audience=secrets-gateway', `Bearer ${canary}`],
    ]);
    await shell.run(['list'], onGithub({ SECRETS_GATEWAY_TOKEN_AUDIENCE: 'https://secrets.example.com' }));
    expect(requests.at(-1)?.url).toContain('audience=https%3A%2F%2Fsecrets.example.com');
  });

  it.each<[string, typeof answer, string]>([
    ['a refusal', () => ({ status: 403, body: canary }), 'GitHub refuses to make a token (status 403)'],
    [
      'a redirect',
      () => ({ status: 302, headers: { location: `${url}/elsewhere` }, body: canary }),
      'GitHub cannot be asked',
    ],
    ['no JSON', () => ({ body: canary }), 'GitHub cannot be asked'],
    ['no token', () => ({ body: '{"value":{}}' }), 'what GitHub answers is no token'],
    [
      'a token of other characters',
      () => ({ body: JSON.stringify({ value: `${canary}\r\nX: y` }) }),
      'has characters that no token',
    ],
  ])('is missing after %s: that is told without what came, and exits with 4', async (_what, misbehaviour, told) => {
    answer = misbehaviour;
    const { code, stdout, stderr } = await shell.run(['list'], onGithub());
    expect({ code, stdout, stderr }).toEqual({ code: 4, stdout: '', stderr: expect.stringContaining(told) });
    expect(stderr).not.toContain(canary);
    expect(requests).toHaveLength(1);
  });

  it('is not asked for over plain HTTP beyond this machine', async () => {
    const { code, stderr } = await shell.run(
      ['list'],
      onGithub({ ACTIONS_ID_TOKEN_REQUEST_URL: 'http://github.example.com/' }),
    );
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining('is no https: URL') });
  });
});

describe('the token of a pod', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is the one that was projected for the gateway, else the one of the pod', async () => {
    const paths = ['projected', 'own'].map((name) => join(directory, name));
    await writeFile(paths[1] ?? '', 'own-token\n');
    expect(await kubernetesToken(paths)).toBe('own-token');
    await writeFile(paths[0] ?? '', 'projected-token');
    expect(await kubernetesToken(paths)).toBe('projected-token');
  });
});

describe('a credential', () => {
  it.each([
    'http://secrets.example.com',
    'http://10.0.0.1:4000',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com/graphql',
    'ftp://127.0.0.1',
    'https://user:pass@secrets.example.com',
    'secrets.example.com',
  ])('is not sent to %s', async (to) => {
    const env = { SECRETS_GATEWAY_URL: to, SECRETS_GATEWAY_TOKEN: canary };
    await expect(readConnection(env, undefined)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.not.stringContaining(canary),
    });
  });

  it.each([
    ['https://secrets.example.com', 'https://secrets.example.com/graphql'],
    ['https://secrets.example.com/graphql/', 'https://secrets.example.com/graphql'],
    ['https://example.com/secrets', 'https://example.com/secrets/graphql'],
    ['http://localhost:4000', 'http://localhost:4000/graphql'],
    ['http://[::1]:4000/graphql', 'http://[::1]:4000/graphql'],
    ['', 'http://127.0.0.1:4000/graphql'],
  ])('is sent from %s to %s', async (to, endpoint) => {
    const env = { SECRETS_GATEWAY_URL: to, SECRETS_GATEWAY_TOKEN: canary };
    expect((await readConnection(env, undefined)).endpoint).toBe(endpoint);
  });

  it('does not follow a redirect', async () => {
    answer = () => ({ status: 307, headers: { location: `${url}/elsewhere` }, body: '' });
    const { code, stdout, stderr } = await shell.run(['list'], {
      SECRETS_GATEWAY_URL: url,
      SECRETS_GATEWAY_TOKEN: canary,
    });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).not.toContain(canary);
    expect(requests.map(({ url: path }) => path)).toEqual(['/graphql']);
  });

  it.each([
    ['a web page', { body: `<html>${canary}`, headers: { 'content-type': 'text/html' } }],
    ['an empty body', { body: '' }],
    ['JSON of another kind', { body: `["${canary}"]`, headers: { 'content-type': 'application/json' } }],
    [
      'an error of a router',
      { body: `{"errors":[{"message":"${canary}"}]}`, headers: { 'content-type': 'application/json' } },
    ],
  ])('is answered by something else with %s: not reachable, and nothing of it is repeated', async (_what, body) => {
    answer = () => body;
    const { code, stdout, stderr } = await shell.run(['list'], {
      SECRETS_GATEWAY_URL: url,
      SECRETS_GATEWAY_TOKEN: 'token',
    });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).not.toContain(canary);
  });
});
