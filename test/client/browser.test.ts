import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as client from '../../src/client/index.ts';
import { bundle } from '../support/bundle.ts';
import { TestGateway } from '../support/gateway.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
// In CI a missing browser is a failure.
const skipped = !existsSync(executablePath) && !process.env.CI;
if (skipped) console.warn('\nNO CHROMIUM: the tests of the client in a page are SKIPPED. Set CHROMIUM_PATH to one.\n');

declare global {
  var gatewayClient: typeof client;
}

describe.skipIf(skipped)('the client in a page of another origin, in a real browser', () => {
  let gateway: TestGateway;
  let site: Server;
  let browser: Browser;
  let page: Page;
  let token: string;

  beforeAll(async () => {
    const { code } = await bundle(
      "import * as client from './index.ts'; globalThis.gatewayClient = client;",
      join(import.meta.dirname, '../../src/client'),
    );
    site = createServer(({ url }, response) => {
      if (url === '/redirect/graphql') return response.writeHead(307, { location: '/elsewhere' }).end();
      if (url === '/elsewhere')
        return response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}');
      if (url === '/client.js') return response.writeHead(200, { 'content-type': 'text/javascript' }).end(code);
      const html = '<!doctype html><title>page</title><script type="module" src="/client.js"></script>';
      return response.writeHead(200, { 'content-type': 'text/html' }).end(html);
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const origin = `http://localhost:${(site.address() as AddressInfo).port}`;
    gateway = await TestGateway.start('sqlite', { CORS_ORIGINS: origin });
    token = await gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve' });
    browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
    page = await browser.newPage();
    await page.goto(origin);
    await page.waitForFunction(() => 'gatewayClient' in globalThis);
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
    site?.close();
  });

  it('seals, stores, resolves and opens a value', async () => {
    const value = '\ufeffsk-proj 🔑\r\n';
    const resolved = await page.evaluate(
      async ([url, token, value]) => {
        const client = gatewayClient.createClient({ url, token });
        const owner = { teamId: 'red' };
        await client.createSecret({ owner, name: 'from a page', value });
        const { secrets } = await client.resolve({ owner });
        return secrets.map((secret) => [secret.name, secret.value]);
      },
      [gateway.url, token, value] as const,
    );
    expect(resolved).toEqual([['from a page', value]]);
  });

  it('is told the error of the gateway, and what no gateway is', async () => {
    const codes = await page.evaluate(
      async ([url]) => {
        const tell = async (at: string) => {
          const call = gatewayClient.createClient({ url: at, token: 'x.y.z' }).viewer();
          return call.then(String, (error) => [error.name, error.code, error.status]);
        };
        return [await tell(url), await tell('/'), await tell('/redirect'), await tell('http://localhost:9')];
      },
      [gateway.url] as const,
    );
    expect(codes).toEqual([
      ['GatewayError', 'UNAUTHORIZED', 401],
      ['TransportError', 'UNEXPECTED_ANSWER', 200],
      ['TransportError', 'REDIRECTED', undefined],
      ['TransportError', 'UNREACHABLE', undefined],
    ]);
  });
});
