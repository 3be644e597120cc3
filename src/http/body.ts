import { IncomingMessage } from 'node:http';
import { badRequest, DomainError } from '../errors.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  /** How long a body may take to arrive, from the start of the request. */
  readonly arrivalMs: number;
}

/** Told how many bytes a body holds in memory, each time that this changes. */
export type OnHeld = (bytes: number) => void;

/** A buffer that has to grow has at least this size at first, and is doubled then. */
const firstBytes = 16 * 1024;
/**
 * Each piece costs microseconds, whatever its size: a mebibyte in chunks of one byte would take seconds. This many pieces
 * are accepted however small they are; more of them must have an average size. In packets of the smallest usual size (536 bytes) a
 * mebibyte has 2,000 pieces.
 */
const anyPieces = 1000;
const averagePieceBytes = 64;

/**
 * Reads a whole body. All of it that has arrived is in one buffer: an object for each chunk would take hundreds of times the
 * bytes of a chunk.
 * @param signal ends the reading, and is its reason
 * @throws DomainError PAYLOAD_TOO_LARGE, BAD_REQUEST when the client breaks off, or the signal's reason
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
  onHeld: OnHeld,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const declared = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  let body: Buffer = Buffer.alloc(0);
  let [bytes, pieces, isGrown, isWhole] = [0, 0, false, false];
  const take = (piece: Buffer) => {
    bytes += piece.length;
    pieces += 1;
    if (bytes > maxBytes) return refuse(tooLarge(maxBytes));
    if (pieces > anyPieces && bytes < pieces * averagePieceBytes) {
      return refuse(badRequest('The body came in too many pieces. Send it in larger chunks.'));
    }
    if (pieces === 1) body = piece;
    else {
      if (bytes > body.length) {
        body = grown(body, isGrown, sizeFor(bytes, Math.min(maxBytes, declared)));
        isGrown = true;
      }
      piece.copy(body, bytes - piece.length);
    }
    onHeld(body.length);
  };
  const breakOff = () => refuse(badRequest('The body ended early.'));
  const refuse = (reason: unknown) => {
    // The reader has it: nothing that comes later may free its memory.
    if (isWhole) return;
    request.off('data', take);
    // Freed now, and not when the garbage is collected.
    if (isGrown) (body.buffer as ArrayBuffer).transfer(0);
    body = Buffer.alloc(0);
    isGrown = false;
    onHeld(0);
    // What still comes must not wait in the request's own buffer, which has an object for each chunk.
    discardBody(request, pieces);
    reject(reason);
  };
  // A client that left before the body was asked for: no event about it will come.
  if (request.destroyed) breakOff();
  else if (declared > maxBytes && declared !== Number.POSITIVE_INFINITY) refuse(tooLarge(maxBytes));
  else {
    signal.addEventListener('abort', () => refuse(signal.reason));
    request
      .on('data', take)
      .once('error', breakOff)
      .once('close', breakOff)
      .once('end', () => {
        isWhole = true;
        request.off('close', breakOff);
        resolve(bytes === body.length ? body : body.subarray(0, bytes));
      });
  }
  return promise;
}

/** The size of a buffer for this many bytes: a power of two, but never more than a body may have. */
function sizeFor(bytes: number, maxBytes: number): number {
  return Math.min(Math.max(firstBytes, 2 ** Math.ceil(Math.log2(bytes))), maxBytes);
}

/** A larger buffer with the same beginning. A buffer of this function's own is freed at once; a piece could be in use elsewhere. */
function grown(body: Buffer, isOwn: boolean, size: number): Buffer {
  if (isOwn) return Buffer.from((body.buffer as ArrayBuffer).transfer(size));
  const larger = Buffer.from(new ArrayBuffer(size));
  body.copy(larger);
  return larger;
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError('PAYLOAD_TOO_LARGE', {
    description: `Send at most ${maxBytes / 1024 / 1024} MiB. Split the request.`,
  });
}

/** Whether a request says that a body follows. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

const unreadBytes = 1024 * 1024;
const unreadPieces = 1000;
const unreadMs = 1000;
const discarded = new WeakSet<IncomingMessage>();

/**
 * Takes what arrives of a body from now on, and keeps none of it. Stops reading from the connection after a while.
 * @param pieces how many there were already
 */
function discardBody(request: IncomingMessage, pieces = 0): void {
  if (request.complete || discarded.has(request)) return;
  discarded.add(request);
  let [bytes, left, isStopped] = [0, unreadPieces - pieces, false];
  // Not the request: it would collect the rest of what has been read, an object for each chunk.
  const stop = () => request.socket.pause();
  request.on('error', () => {});
  // Node gives it all chunks of a packet, thousands of them, whatever has become of the request. An event for each would
  // take ten times as long.
  request.push = (piece: Buffer | null) => {
    if (piece === null) return IncomingMessage.prototype.push.call(request, null);
    bytes += piece.length;
    left -= 1;
    if (isStopped || (bytes <= unreadBytes && left >= 0)) return true;
    isStopped = true;
    // The request resumes its connection after each chunk.
    request.socket.on('resume', stop);
    stop();
    return true;
  };
  request.resume();
}

/**
 * Reads on for a moment after a refusal, and then ends the response and with it the connection. To end with unread bytes
 * would reset the connection, and the client might not see the answer.
 */
export function dropBody(request: IncomingMessage, end: () => void): void {
  if (request.complete || broken.has(request)) {
    end();
    return;
  }
  const timer = setTimeout(end, unreadMs).unref();
  request.on('end', end).on('error', () => broken.has(request) && end());
  request.on('close', () => clearTimeout(timer));
  discardBody(request);
}

const broken = new WeakSet<IncomingMessage>();

/** Nothing more of the body can be read. Who reads it is told so, and who waits for its end waits no longer. */
export function breakBody(request: IncomingMessage): void {
  if (broken.has(request) || request.listenerCount('error') === 0) return;
  broken.add(request);
  request.emit('error', new Error('the body cannot be read'));
}
