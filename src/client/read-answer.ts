import { type Answer, GatewayError, isOfGateway } from './gateway-error.ts';
import { TransportError } from './transport-error.ts';

/** What is read of a Response. */
export interface FetchedAnswer {
  readonly status: number;
  readonly type?: string;
  readonly headers: { get(name: string): string | null };
  /** For subscriptions. */
  readonly body?: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array> | null;
  text(): Promise<string>;
}

/**
 * The data of an answer without errors.
 * @throws GatewayError, TransportError
 */
export function readAnswer(url: string, response: FetchedAnswer, text: string): unknown {
  const { status } = response;
  // A page is told nothing of a redirect but that it is one: its status is 0.
  if (response.type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    throw new TransportError('REDIRECTED', `${url} redirects. Give the URL that it leads to.`, {
      status: status || undefined,
    });
  }
  const mediaType = mediaTypeOf(response);
  const answer = /^application\/([\w.-]+\+)?json$/i.test(mediaType) ? parse(text) : undefined;
  if (!isAnswer(answer)) {
    const found = /^[\w.+/-]+$/.test(mediaType) ? mediaType : 'no media type';
    const message = `${url} answered with HTTP ${status} and ${found}, not as a gateway does.`;
    throw new TransportError('UNEXPECTED_ANSWER', message, { status });
  }
  return dataOf(url, status, answer);
}

/**
 * The data of an event without errors.
 * @throws GatewayError, TransportError
 */
export function readEvent(url: string, status: number, text: string): unknown {
  const answer = parse(text);
  if (isAnswer(answer)) return dataOf(url, status, answer);
  throw new TransportError('UNEXPECTED_ANSWER', `${url} sent an event that is none of a gateway.`, { status });
}

function dataOf(url: string, status: number, answer: Answer): unknown {
  const { data, errors = [] } = answer;
  const error = errors.find(isOfGateway);
  if (error) throw new GatewayError(error, answer);
  if (errors.length > 0 || data == null) throw foreignError(url, status, answer);
  return data;
}

export function mediaTypeOf({ headers }: FetchedAnswer): string {
  return (headers.get('content-type') ?? '').split(';', 1).join('').trim();
}

/** What the parser says repeats the text, and is not kept. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAnswer(answer: unknown): answer is Answer {
  if (!isObject(answer) || !('data' in answer || 'errors' in answer)) return false;
  const { errors = [] } = answer;
  return Array.isArray(errors) && errors.every(isObject);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A router's own words are not repeated: they may hold what was sent. */
function foreignError(url: string, status: number, answer: Answer): TransportError {
  const [code] = answer.errors?.flatMap(({ extensions }) => extensions?.code ?? []) ?? [];
  const shown = typeof code === 'string' && /^\w{1,64}$/.test(code) ? ` with ${code}` : '';
  const message = `${url} answered${shown} as a router does, not as the gateway. The answer is in error.answer.`;
  return new TransportError('UNEXPECTED_ANSWER', message, { status, answer });
}
