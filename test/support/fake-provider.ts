import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StoreName, TestGateway } from './gateway.ts';

/** What a check sends is of this path, and nothing else is. */
export const checkPath = '/v1/whoami';
export const checkQuery = '?of=nobodys-business';

export interface AskedFor {
  readonly method: string;
  readonly path: string;
  readonly key: string;
  readonly headers: IncomingMessage['headers'];
}

/** A service on loopback that knows some keys. It answers 200 to them and 401 to others, unless it is told to answer otherwise. */
export class FakeProvider {
  readonly arrived: AskedFor[] = [];
  readonly known = new Set<string>();
  /** Of every answer, whatever the key is; null: the key decides. */
  status: number | null = null;
  /** Is waited for before anything is answered. */
  onArrival: (asked: AskedFor) => unknown = () => {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeProvider> {
    const provider = new FakeProvider();
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A key that it knows. */
  newKey(): string {
    const key = `acme-${crypto.randomUUID()}`;
    this.known.add(key);
    return key;
  }

  get checks(): AskedFor[] {
    return this.arrived.filter(({ path }) => path.startsWith(checkPath));
  }

  /** Holds what arrives. @returns what has arrived first, and how all of it goes on */
  hold(): { readonly arrived: Promise<AskedFor>; readonly release: () => void } {
    const [arrived, released] = [Promise.withResolvers<AskedFor>(), Promise.withResolvers<void>()];
    this.onArrival = (asked) => {
      arrived.resolve(asked);
      return released.promise;
    };
    const release = () => {
      this.onArrival = () => {};
      released.resolve();
    };
    return { arrived: arrived.promise, release };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const key = String(headers.authorization).replace(/^Bearer /, '');
    const asked = { method, path, key, headers };
    this.arrived.push(asked);
    await this.onArrival(asked);
    const status = this.status ?? (this.known.has(key) ? 200 : 401);
    response.writeHead(status, { 'content-type': 'application/json', 'x-account': 'whose-key-it-is' });
    response.end(JSON.stringify({ account: 'whose-key-it-is', key, status }));
  }
}

/** A gateway that knows the provider as `acme`. */
export async function gatewayOf(
  store: StoreName,
  provider: FakeProvider,
  env: Record<string, string> = {},
): Promise<TestGateway> {
  return TestGateway.start(store, { RATE_LIMIT: 'off', ...(await settingsOf(provider)), ...env });
}

export async function settingsOf({ origin }: FakeProvider): Promise<Record<string, string>> {
  return providersFile([{ id: 'acme', destination: { origin }, check: { path: `${checkPath}${checkQuery}` } }]);
}

/** The setting of a gateway that knows these providers, too. */
export async function providersFile(providers: readonly object[]): Promise<Record<string, string>> {
  const file = join(await mkdtemp(join(tmpdir(), 'providers-')), 'providers.json');
  await writeFile(file, JSON.stringify({ providers }));
  return { BROKER_PROVIDERS_FILE: file };
}
