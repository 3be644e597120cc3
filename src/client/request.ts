import { endpointUrl } from './endpoint-url.ts';
import { type FetchedAnswer, readAnswer } from './read-answer.ts';
import { TransportError } from './transport-error.ts';
import type { TypedDocument } from './typed-document.ts';

/** A token or a key, or a function that is asked for it before each request, so that it can be renewed. */
export type Credential = string | (() => string | Promise<string>);

export interface CallOptions {
  /** Ends the call. */
  readonly signal?: AbortSignal | undefined;
  /** How long each request of the call may take. 30,000 by default. */
  readonly timeoutMs?: number | undefined;
}

export interface ClientOptions extends CallOptions {
  /** Of the gateway, or of a router in front of it; with or without `/graphql`. */
  readonly url: string;
  /** A JWT, sent as `Authorization: Bearer`. Give this or `apiKey`. */
  readonly token?: Credential | undefined;
  /** An API key, sent as `X-API-Key`. */
  readonly apiKey?: Credential | undefined;
  /** Used instead of the platform's `fetch`. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<FetchedAnswer>) | undefined;
}

const defaultTimeoutMs = 30_000;
/** A timer of more milliseconds fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Sends a document once, and returns the data of its answer.
 * @throws GatewayError when the gateway refuses, or answers with errors beside the data
 * @throws TransportError when no gateway answers
 */
export type Request = <Data, Variables extends object>(
  document: TypedDocument<Data, Variables>,
  variables: Variables,
  options?: CallOptions,
) => Promise<Data>;

export class Requester {
  readonly #client: ClientOptions;
  readonly #url: string;

  /** @throws TypeError when the URL cannot be used, or not exactly one credential is given */
  constructor(client: ClientOptions) {
    if ((client.token === undefined) === (client.apiKey === undefined)) {
      throw new TypeError('Give either a token or an apiKey.');
    }
    this.#client = client;
    this.#url = endpointUrl(client.url);
  }

  /** See Request. */
  async request<Data, Variables extends object>(
    document: TypedDocument<Data, Variables>,
    variables: Variables,
    options: CallOptions = {},
  ): Promise<Data> {
    const { timeoutMs = this.#client.timeoutMs ?? defaultTimeoutMs } = options;
    const body = JSON.stringify({ query: document.toString(), variables });
    const controller = new AbortController();
    const late = () => controller.abort(new TransportError('TIMEOUT', `No answer within ${timeoutMs} ms.`));
    const abort = () => controller.abort(new TransportError('ABORTED', 'The call was aborted.'));
    // AbortSignal.timeout() would keep its timer after the answer, and AbortSignal.any() is not in every browser.
    const timer = setTimeout(late, Math.min(timeoutMs, maxTimerMs));
    const signals = [this.#client.signal, options.signal].filter((one) => one !== undefined);
    for (const signal of signals) {
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort);
    }
    try {
      return (await unlessAborted(this.#send(body, controller.signal), controller.signal)) as Data;
    } finally {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', abort);
    }
  }

  async #send(body: string, signal: AbortSignal): Promise<unknown> {
    const credential = await this.#credential();
    signal.throwIfAborted();
    const { fetch = globalThis.fetch } = this.#client;
    let response: FetchedAnswer;
    let text: string;
    try {
      response = await fetch(this.#url, {
        method: 'POST',
        headers: {
          accept: 'application/graphql-response+json, application/json;q=0.9',
          'content-type': 'application/json',
          ...credential,
        },
        body,
        redirect: 'manual',
        signal,
      });
      text = await response.text();
    } catch (error) {
      throw unreachable(this.#url, error);
    }
    return readAnswer(this.#url, response, text);
  }

  async #credential(): Promise<Record<string, string>> {
    const { token, apiKey } = this.#client;
    const given = token ?? apiKey;
    const text = typeof given === 'function' ? await given() : given;
    // What the platform says of a header that cannot be sent repeats the header.
    if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) {
      throw new TypeError(`The ${token ? 'token' : 'apiKey'} must be a text without spaces and line breaks.`);
    }
    return token ? { authorization: `Bearer ${text}` } : { 'x-api-key': text };
  }
}

/** Rejects with the reason of the signal, also where a credential or a `fetch` of the caller's does not look at it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
    promise.then(resolve, reject);
  });
}

/** Without the cause: an error of a `fetch` may hold the request, and with it the credential. */
function unreachable(url: string, error: unknown): TransportError {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const word = [cause?.code, code].find((one) => typeof one === 'string' && /^[A-Z][A-Z0-9_]+$/.test(one));
  return new TransportError('UNREACHABLE', `No gateway answers at ${url}${word === undefined ? '' : ` (${word})`}.`);
}
