import { CallLimit } from './call-limit.ts';
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
const acceptedAnswers = 'application/graphql-response+json, application/json;q=0.9';

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
    const limit = this.limit(options);
    try {
      return (await limit.of(this.#send(bodyOf(document, variables), limit.signal))) as Data;
    } finally {
      limit.end();
    }
  }

  /** What ends a call with these options. */
  limit({ signal, timeoutMs = this.#client.timeoutMs ?? defaultTimeoutMs }: CallOptions): CallLimit {
    const limit = new CallLimit(this.#client.signal, signal);
    limit.expect(timeoutMs);
    return limit;
  }

  get url(): string {
    return this.#url;
  }

  /** Whether another credential may be there for the next request. */
  get isRenewable(): boolean {
    return typeof (this.#client.token ?? this.#client.apiKey) === 'function';
  }

  /** @throws TransportError where no answer begins */
  async open(body: string, accept: string, signal: AbortSignal): Promise<FetchedAnswer> {
    const credential = await this.#credential();
    signal.throwIfAborted();
    const { fetch = globalThis.fetch } = this.#client;
    try {
      return await fetch(this.#url, {
        method: 'POST',
        headers: { accept, 'content-type': 'application/json', ...credential },
        body,
        redirect: 'manual',
        signal,
      });
    } catch (error) {
      throw unreachable(this.#url, error);
    }
  }

  async #send(body: string, signal: AbortSignal): Promise<unknown> {
    const response = await this.open(body, acceptedAnswers, signal);
    return readAnswer(this.#url, response, await textOf(this.#url, response));
  }

  async #credential(): Promise<Record<string, string>> {
    const { token, apiKey } = this.#client;
    const given = token ?? apiKey;
    const text = typeof given === 'function' ? await given() : given;
    // What the platform says of a header that cannot be sent repeats the header.
    if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) {
      throw new TypeError(
        `The ${token === undefined ? 'apiKey' : 'token'} must be a text without spaces and line breaks.`,
      );
    }
    return token === undefined ? { 'x-api-key': text } : { authorization: `Bearer ${text}` };
  }
}

export function bodyOf(document: TypedDocument<unknown, never>, variables: object): string {
  return JSON.stringify({ query: document.toString(), variables });
}

/** @throws TransportError where the answer breaks off */
export async function textOf(url: string, response: FetchedAnswer): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw unreachable(url, error);
  }
}

/** Without the cause: an error of a `fetch` may hold the request, and with it the credential. */
export function unreachable(url: string, error: unknown): TransportError {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const word = [cause?.code, code].find((one) => typeof one === 'string' && /^[A-Z][A-Z0-9_]+$/.test(one));
  return new TransportError('UNREACHABLE', `No gateway answers at ${url}${word === undefined ? '' : ` (${word})`}.`);
}
