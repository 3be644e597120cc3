import type { IncomingMessage } from 'node:http';
import { badRequest, DomainError } from '../errors.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  /** How long a body may take to arrive, from the start of the request. */
  readonly arrivalMs: number;
}

/**
 * Reads a whole body, counting its bytes as they arrive.
 * @param signal ends the reading, and is its reason
 * @throws DomainError PAYLOAD_TOO_LARGE, BAD_REQUEST when the client breaks off, or the signal's reason
 */
export function readBody(request: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  // The client left before the body was asked for: no event about it will come.
  if (request.destroyed) return Promise.reject(brokenOff());
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes <= maxBytes) return;
    request.off('data', take).pause();
    reject(tooLarge(maxBytes));
  };
  signal.addEventListener('abort', () => {
    request.off('data', take);
    chunks.length = 0;
    reject(signal.reason);
  });
  const breakOff = () => reject(brokenOff());
  request
    .on('data', take)
    .once('error', breakOff)
    .once('close', breakOff)
    .once('end', () => {
      request.off('close', breakOff);
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
  return promise;
}

function brokenOff(): DomainError {
  return badRequest('The body ended early.');
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError('PAYLOAD_TOO_LARGE', {
    description: `Send at most ${maxBytes / 1024 / 1024} MiB. Split the request.`,
  });
}

const unreadBytes = 1024 * 1024;
const unreadMs = 1000;

/**
 * Reads on for a moment after a refusal, then pauses, and then ends the response and with it the connection. To end with
 * unread bytes would reset the connection, and the client might not see the answer.
 */
export function dropBody(request: IncomingMessage, end: () => void): void {
  if (request.complete) {
    end();
    return;
  }
  let bytes = 0;
  const timer = setTimeout(end, unreadMs).unref();
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > unreadBytes) request.pause();
  });
  request.on('end', end);
  request.on('close', () => clearTimeout(timer));
  request.resume();
}
