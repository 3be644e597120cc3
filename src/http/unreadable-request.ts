import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { DomainError, type ErrorCode } from '../errors.ts';
import { jsonErrors } from './refusal.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

const closeMs = 1000;

/**
 * Answers a request that is not HTTP, or whose headers arrive too slowly. The parser's own message is not used: it would quote the request.
 * @returns the error that was answered; undefined when the client has gone
 */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): DomainError | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const refusal = new DomainError(codes[error.code ?? ''] ?? 'BAD_REQUEST');
  // A client that does not close its side would keep the socket open.
  setTimeout(() => socket.destroy(), closeMs).unref();
  const requestId = crypto.randomUUID();
  const body = jsonErrors.body(refusal, requestId);
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return refusal;
}
