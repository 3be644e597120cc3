import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { startGateway } from '../../src/gateway.ts';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';

/** A page that may call the gateway. */
const app = 'https://app.example.com';
const browser = { accept: 'text/html,*/*;q=0.8' };

describe('the development token', () => {
  let shell: CommandLine;
  let gateway: RunningGateway;
  beforeAll(async () => {
    shell = await CommandLine.open();
    gateway = await shell.serve({ CORS_ORIGINS: `${app} http://localhost:3000` });
  });
  afterAll(() => shell.close());

  async function get(path: string, headers: Record<string, string>, method = 'GET') {
    const sent = request(new URL(path, gateway.url), { method, headers }).end();
    const [response] = await once(sent, 'response');
    const text = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode as number, headers: response.headers as Record<string, string>, text };
  }

  describe.each(['/', '/graphql', '/graphql?query=%7B__typename%7D'])('in the page at %s', (path) => {
    it('is for a browser of this machine', async () => {
      for (const headers of [{}, { 'sec-fetch-site': 'none' }, { 'sec-fetch-site': 'same-origin' }]) {
        const { status, text } = await get(path, { ...browser, ...headers });
        expect({ status, token: /Bearer eyJ/.test(text) }).toEqual({ status: 200, token: true });
      }
    });

    it('is not for other pages: it may be neither read nor embedded nor held', async () => {
      const { headers } = await get(path, browser);
      expect(headers).toMatchObject({
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
        'cache-control': 'no-store',
      });
    });

    it.each<Record<string, string>>([
      { origin: app },
      { origin: app, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
      { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      { origin: 'null' },
      { forwarded: 'for=192.0.2.1' },
      { via: '1.1 proxy' },
      { 'x-forwarded-for': '192.0.2.1' },
      { 'x-forwarded-proto': 'https' },
      { 'x-real-ip': '127.0.0.1' },
      { host: 'localhost' },
      { host: 'localhost:1' },
      { host: 'app.example.com' },
    ])('is not for %j', async (headers) => {
      const answer = await get(path, { ...browser, ...headers });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text).errors[0].extensions).toMatchObject({ code: 'FORBIDDEN' });
      expect(answer.text).not.toMatch(/eyJ|<html/i);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    });

    it.each([
      ['without a Host header', ''],
      ['with one', 'Host: 127.0.0.1:PORT\r\n'],
    ])('is not for HTTP/1.0 %s, which a proxy speaks', async (_what, host) => {
      const { port } = new URL(gateway.url);
      const socket = connect(Number(port), '127.0.0.1');
      socket.end(`GET ${path} HTTP/1.0\r\n${host.replace('PORT', port)}Accept: text/html\r\n\r\n`);
      const text = Buffer.concat(await socket.toArray()).toString();
      expect(text).toMatch(/^HTTP\/1\.1 403 /);
      expect(text).not.toMatch(/eyJ|<html/i);
    });
  });

  it('is in no answer that a page of CORS_ORIGINS may read', async () => {
    for (const path of ['/', '/graphql', '/livez', '/readyz', '/metrics', '/none']) {
      for (const accept of ['text/html', 'application/json', '*/*']) {
        const { headers, text } = await get(path, { accept, origin: app });
        expect(text).not.toContain('eyJ');
        const isReadable = headers['access-control-allow-origin'] !== undefined;
        expect({ path, accept, isReadable }).toEqual({
          path,
          accept,
          isReadable: path === '/graphql' && accept !== 'text/html',
        });
      }
    }
    const preflight = { origin: app, 'access-control-request-method': 'GET' };
    expect((await get('/graphql', preflight, 'OPTIONS')).status).toBe(204);
    expect((await get('/', preflight, 'OPTIONS')).headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('a program that starts the gateway', () => {
  const start = (over: object) =>
    startGateway({ ...readConfig({ PORT: '0', DATABASE_URL: 'sqlite::memory:' }), ...over }, pino({ level: 'silent' }));

  it.each(['0.0.0.0', '::', '192.0.2.1'])('cannot have development mode on %s', async (host) => {
    await expect(start({ host })).rejects.toThrow(/^HOST .*beyond loopback.* Set HOST/);
  });

  it('cannot have the development issuer in production', async () => {
    await expect(start({ production: true })).rejects.toThrow(/^JWT_ISSUER is missing/);
  });
});
