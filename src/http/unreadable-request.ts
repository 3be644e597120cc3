import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { DomainError, type ErrorCode } from '../errors.ts';
import { type ErrorShape, headersOf, jsonErrors } from './refusal.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

const closeMs = 1000;

/**
 * The error for a request that is not HTTP, or whose headers arrive too slowly. The parser's own message is not used: it
 * would quote the request.
 */
export function unreadable(error: NodeJS.ErrnoException): DomainError {
  return new DomainError(codes[error.code ?? ''] ?? 'BAD_REQUEST');
}

/** Answers on a connection for which Node has no response, or none that it would send, and ends it. */
export function refuseConnection(
  refusal: DomainError,
  socket: Socket,
  requestId: string,
  shape: ErrorShape = jsonErrors,
): void {
  const body = shape.body(refusal, requestId);
  const headers = {
    'X-Request-Id': requestId,
    Connection: 'close',
    ...headersOf(refusal),
    ...shape.headers?.(refusal),
    'Content-Type': shape.contentType(null),
    'Content-Length': Buffer.byteLength(body),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // A client that does not close its side would keep the socket open.
  setTimeout(() => socket.destroy(), closeMs).unref();
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}\r\n${body}`);
}
