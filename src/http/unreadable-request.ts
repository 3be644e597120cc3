import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { DomainError, type ErrorCode } from '../errors.ts';
import { bodyOf } from './refusal.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/**
 * For what is not HTTP, or too slow to become it. The parser's own message would quote it.
 * @returns what the client was told, undefined when it has gone
 */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): DomainError | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const refusal = new DomainError(codes[error.code ?? ''] ?? 'BAD_REQUEST');
  // Who does not hang up in turn would keep the socket.
  setTimeout(() => socket.destroy(), 1000).unref();
  const requestId = crypto.randomUUID();
  const body = bodyOf(refusal, requestId);
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return refusal;
}
