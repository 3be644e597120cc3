import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { aliases, providers } from '../../src/broker/providers/providers.ts';
import { ProviderTable } from '../../src/model/provider.ts';
import type { CheckResult } from '../../src/model/secret-health.ts';
import { bufferOf } from './buffer-of.ts';

/** What a provider answers. */
export interface RecordedAnswer {
  readonly status: number;
  /** Is sent as JSON; text is sent as it is, as HTML. */
  readonly body: unknown;
  /** The answer is made so long. */
  readonly bytes?: number;
}

/** What a provider answers to the check of a key. */
export interface RecordedCase extends RecordedAnswer {
  readonly what: string;
  readonly key: string;
  readonly result: CheckResult;
}

export interface Recorded {
  /** Where the answers are told. */
  readonly sources: readonly string[];
  /** Whether the provider's own documentation or code tells what a made-up key gets. */
  readonly isDocumented: boolean;
  /** What it must be asked. */
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly key: { readonly header: string; readonly before: string };
  readonly good: RecordedAnswer & { readonly key: string };
  readonly madeUp: RecordedAnswer & { readonly key: string };
  readonly others?: readonly RecordedCase[];
  /** What it answers at other paths, by these. */
  readonly elsewhere?: Readonly<Record<string, RecordedAnswer>>;
  /** Keys that it is not asked about. */
  readonly notAsked?: readonly string[];
}

/** By the ids of providers. */
export const recorded: Readonly<Record<string, Recorded>> = JSON.parse(
  readFileSync(new URL('../broker/check/recorded-answers.json', import.meta.url), 'utf8'),
);

export interface AskedProvider {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** All providers of the table on one port of loopback, each under a name of its own. They answer as was recorded. */
export class RecordedProviders {
  readonly asked: AskedProvider[] = [];
  /** What is answered to everything. */
  always: RecordedAnswer | null = null;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(): Promise<RecordedProviders> {
    const fake = new RecordedProviders();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  /** The table, with each row at this machine. */
  get table(): ProviderTable {
    const rows = providers.map((row) => ({
      ...row,
      destination: { ...row.destination, origin: this.originOf(row.id) },
    }));
    return new ProviderTable(rows, aliases);
  }

  originOf(id: string): string {
    return `http://${id}.localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers, rawHeaders } = request;
    const [id = ''] = (headers.host ?? '').split('.');
    const body = (await bufferOf(request)).toString();
    this.asked.push({ id, method, path, rawHeaders, body });
    const provider = recorded[id];
    const answer = this.always ?? (provider && answerOf(provider, { method, path, headers, body }));
    const { status, body: content, bytes = 0 } = answer ?? { status: 404, body: { error: 'no such host' } };
    const isPage = typeof content === 'string';
    response.writeHead(status, { 'Content-Type': isPage ? 'text/html' : 'application/json' });
    // Blanks belong to no value of JSON.
    response.end((isPage ? content : JSON.stringify(content)).padEnd(bytes));
  }
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function answerOf(provider: Recorded, { method, path, headers, body }: Request): RecordedAnswer {
  const { request, key, good, madeUp, others = [], elsewhere = {} } = provider;
  const isIt =
    method === request.method &&
    path === request.path &&
    body === (request.body ?? '') &&
    Object.entries(request.headers ?? {}).every(([name, value]) => headers[name] === value);
  if (!isIt) return elsewhere[path] ?? { status: 404, body: { error: 'not found' } };
  const sent = headers[key.header];
  return [good, ...others].find((known) => sent === `${key.before}${known.key}`) ?? madeUp;
}
