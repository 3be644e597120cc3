import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError, type ErrorCode, type ErrorDetails, extensionsOf } from '../errors.ts';

/** A refusal that needs response headers of its own, such as `Allow`. */
export class HttpRefusal extends DomainError {
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, headers: Readonly<Record<string, string>>, details: ErrorDetails) {
    super(code, details);
    this.headers = headers;
  }
}

/** Headers that always go with a code: RFC 9110, sections 11.6.1 and 15.5.22. */
const headersByCode: { readonly [code in ErrorCode]?: Readonly<Record<string, string>> } = {
  UNAUTHORIZED: { 'WWW-Authenticate': 'Bearer realm="secrets-gateway"' },
  UPGRADE_REQUIRED: { Upgrade: 'TLS/1.2, HTTP/1.1', Connection: 'Upgrade' },
};

/** The response headers of an error. */
export function headersOf(error: DomainError): Record<string, string> {
  const { retryAfterSeconds } = error.details;
  return {
    ...headersByCode[error.code],
    ...(error instanceof HttpRefusal && error.headers),
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
  };
}

/** How a route writes an error. */
export interface ErrorShape {
  /** With its parameters. */
  contentType(request: IncomingMessage | null): string;
  /** Those that only this shape has. */
  readonly headers?: (error: DomainError) => Readonly<Record<string, string>>;
  /** @param hints whether the hint is told, as in development */
  body(error: DomainError, requestId: string, hints?: boolean): string;
}

/** `{ "errors": [{ message, extensions }] }`, the shape of a GraphQL response, as application/json. */
export const jsonErrors: ErrorShape = {
  contentType: () => 'application/json; charset=utf-8',
  body: (error, requestId, hints) =>
    JSON.stringify({ errors: [{ message: error.message, extensions: extensionsOf(error, requestId, hints) }] }),
};

/**
 * Problem details (RFC 9457), for a route whose other answers are not the gateway's. Its refusals are told from those by a header.
 * `error` is where SDKs of providers look for what is wrong. Without it OpenAI's says "no body", and Stripe's takes the problem
 * for what was asked for.
 */
export const problemErrors: ErrorShape = {
  contentType: () => 'application/problem+json',
  headers: ({ code }) => ({ 'Secrets-Gateway-Error': code }),
  body(error, requestId, hints) {
    const { type, status, description, ...members } = extensionsOf(error, requestId, hints);
    const { message: title, code } = error;
    const detail = description ?? title;
    return JSON.stringify({
      type: `urn:secrets-gateway:${type}`,
      title,
      status,
      detail,
      ...members,
      error: { message: detail, type, code },
    });
  },
};

/** Writes the whole answer of a refusal, but does not end the response. */
export function writeRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  error: DomainError,
  requestId: string,
  shape: ErrorShape,
  hints?: boolean,
): void {
  const body = shape.body(error, requestId, hints);
  response.writeHead(error.status, {
    ...headersOf(error),
    ...shape.headers?.(error),
    'Content-Type': shape.contentType(request),
    'Content-Length': Buffer.byteLength(body),
  });
  response.write(body);
}
