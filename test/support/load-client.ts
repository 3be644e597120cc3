import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { AnswerError } from './gateway.ts';

export interface LoadAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: who asks reads the fields that it selected
  readonly data: any;
  readonly errors: readonly AnswerError[];
}

export type Run = (query: string, variables: Record<string, unknown>) => Promise<LoadAnswer>;

/** A request that got no whole answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Whether the connection had answered a request before. */
  readonly isKept: boolean;
  readonly code: string;

  constructor(isKept: boolean, code: string) {
    super(`${code} on a ${isKept ? 'kept' : 'new'} connection`);
    this.isKept = isKept;
    this.code = code;
  }
}

/** Longer than the gateway takes for any answer. */
const silenceMs = 60_000;

/** A client with one connection, which it keeps as long as the gateway does. It sends one request at a time. */
export class LoadClient {
  readonly #url: string;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor({ url, token }: { readonly url: string; readonly token: string }) {
    this.#url = url;
    this.#token = token;
  }

  /** @throws NoAnswer */
  readonly run: Run = (query, variables) =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        authorization: `Bearer ${this.#token}`,
      };
      const options = { agent: this.#agent, method: 'POST', headers, timeout: silenceMs };
      const outgoing = request(this.#url, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { data, errors } = parsed(text);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, data, errors });
        });
      });
      const fail = (error: NodeJS.ErrnoException) =>
        reject(new NoAnswer(outgoing.reusedSocket, error.code ?? error.message));
      outgoing.on('timeout', () => outgoing.destroy(new Error('silence')));
      outgoing.on('error', fail);
      outgoing.end(JSON.stringify({ query, variables }));
    });

  close(): void {
    this.#agent.destroy();
  }
}

function parsed(text: string): { data?: unknown; errors: AnswerError[] } {
  try {
    const { data, errors = [] } = JSON.parse(text);
    return { data, errors };
  } catch {
    // An answer that is not JSON has no typed error either.
    return { errors: [] };
  }
}
