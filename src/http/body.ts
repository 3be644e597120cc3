import { IncomingMessage } from 'node:http';
import { badRequest, DomainError } from '../errors.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  /** How long a body may take to arrive, from the start of the request. */
  readonly arrivalMs: number;
}

/** Told about a body while it is read. */
export interface BodyHolder {
  /** How many bytes it holds in memory, each time that this changes. */
  onHeld(bytes: number): void;
  /** All of it has arrived, or it is refused. */
  onEnd(): void;
}

/** A buffer that has to grow has at least this size at first, and is doubled then. */
const firstBytes = 16 * 1024;
/**
 * Each piece costs microseconds, whatever its size: a mebibyte in chunks of one byte would take seconds. This many pieces
 * are accepted however small they are; more of them must have an average size. In packets of the smallest usual size (536 bytes) a
 * mebibyte has 2,000 pieces.
 */
const anyPieces = 1000;
const averagePieceBytes = 64;
const noBytes = Buffer.alloc(0);

/**
 * The reading of a whole body. All of it that has arrived is in one buffer: an object for each chunk would take hundreds of
 * times the bytes of a chunk.
 */
export class BodyReading {
  readonly #request: IncomingMessage;
  readonly #maxBytes: number;
  readonly #holder: BodyHolder;
  readonly #declared: number;
  #body: Buffer = noBytes;
  #bytes = 0;
  #pieces = 0;
  #isGrown = false;
  #hasEnded = false;
  #resolve: (body: Buffer) => void = () => {};
  #reject: (reason: unknown) => void = () => {};

  constructor(request: IncomingMessage, maxBytes: number, holder: BodyHolder) {
    this.#request = request;
    this.#maxBytes = maxBytes;
    this.#holder = holder;
    this.#declared = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  }

  /** @throws DomainError PAYLOAD_TOO_LARGE, BAD_REQUEST when the client breaks off, or the reason why it was stopped */
  start(): Promise<Buffer> {
    const request = this.#request;
    const body = new Promise<Buffer>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail before anybody waits for it.
    body.catch(ignore);
    // A client that left before the body was asked for: no event about it will come.
    if (request.destroyed) this.#breakOff();
    else if (this.#declared > this.#maxBytes && this.#declared !== Number.POSITIVE_INFINITY)
      this.stop(this.#tooLarge());
    else request.on('data', this.#take).on('error', this.#breakOff).on('close', this.#breakOff).on('end', this.#finish);
    return body;
  }

  /** Refuses what has arrived, and what still comes. */
  stop(reason: unknown): void {
    // The reader has it: nothing that comes later may free its memory.
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const request = this.#request;
    request.off('data', this.#take);
    // Freed now, and not when the garbage is collected.
    if (this.#isGrown) (this.#body.buffer as ArrayBuffer).transfer(0);
    this.#body = noBytes;
    this.#holder.onHeld(0);
    this.#holder.onEnd();
    // What still comes must not wait in the request's own buffer, which has an object for each chunk.
    discardBody(request, this.#pieces);
    this.#reject(reason);
  }

  readonly #take = (piece: Buffer): void => {
    this.#bytes += piece.length;
    this.#pieces += 1;
    const bytes = this.#bytes;
    const pieces = this.#pieces;
    if (bytes > this.#maxBytes) {
      this.stop(this.#tooLarge());
      return;
    }
    if (pieces > anyPieces && bytes < pieces * averagePieceBytes) {
      this.stop(badRequest('The body came in too many pieces. Send it in larger chunks.'));
      return;
    }
    if (pieces === 1) this.#body = piece;
    else {
      if (bytes > this.#body.length) {
        this.#body = grown(this.#body, this.#isGrown, sizeFor(bytes, Math.min(this.#maxBytes, this.#declared)));
        this.#isGrown = true;
      }
      piece.copy(this.#body, bytes - piece.length);
    }
    this.#holder.onHeld(this.#body.length);
  };

  readonly #breakOff = (): void => {
    if (!this.#hasEnded) this.stop(badRequest('The body ended early.'));
  };

  readonly #finish = (): void => {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#holder.onEnd();
    this.#resolve(this.#bytes === this.#body.length ? this.#body : this.#body.subarray(0, this.#bytes));
  };

  #tooLarge(): DomainError {
    return new DomainError('PAYLOAD_TOO_LARGE', {
      description: `Send at most ${this.#maxBytes / 1024 / 1024} MiB. Split the request.`,
    });
  }
}

function ignore(): void {}

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

/** Whether a request says that a body follows. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

const smallBytes = 16 * 1024;

/** Whether a body is small and comes in one piece: a chunk that nobody reads takes many times its bytes. */
export function isSmall({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= smallBytes;
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
