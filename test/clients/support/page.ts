import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
// In CI a missing browser is a failure.
export const skipped = !existsSync(executablePath) && !process.env.CI;
if (skipped) console.warn('\nNO CHROMIUM: every test of clients is SKIPPED in this run. Set CHROMIUM_PATH to one.\n');

/** A page with the clients in it, on an origin of its own, in a real browser. */
export class ClientsPage {
  readonly origin: string;
  readonly page: Page;
  /** The method and the body of each request to a gateway, without preflights. */
  readonly requests: { method: string; url: string; body: string }[] = [];
  readonly #browser: Browser;
  readonly #close: () => void;

  private constructor(origin: string, browser: Browser, page: Page, close: () => void) {
    this.origin = origin;
    this.#browser = browser;
    this.page = page;
    this.#close = close;
    page.on('request', (request) => {
      const [method, url] = [request.method(), request.url()];
      if (url.includes('/graphql')) this.requests.push({ method, url, body: request.postData() ?? '' });
    });
  }

  static async open(): Promise<ClientsPage> {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, '../page/main.ts')],
      bundle: true,
      write: false,
      format: 'iife',
      target: 'es2022',
      define: { 'globalThis.__DEV__': 'false', 'process.env.NODE_ENV': '"production"' },
    });
    const script = outputFiles[0]?.text ?? '';
    const server = createServer(({ url }, response) => {
      const isScript = url === '/main.js';
      response.setHeader('Content-Type', isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
      response.end(isScript ? script : '<!doctype html><script src="/main.js"></script>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    const browser = await chromium.launch({
      executablePath,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    });
    const page = await browser.newPage();
    return new ClientsPage(origin, browser, page, () => server.close());
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#close();
  }
}
