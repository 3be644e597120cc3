import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { badRequest, DomainError } from '../errors.ts';

/** A larger piece is passed on as it is. */
const smallPieceBytes = 4096;

/**
 * The body of a request, to be read while it arrives. It can be given up without the request: the client then still gets its
 * answer. Fails with a DomainError when the body is too large, ends early, or has trailers behind it.
 */
export class StreamedBody extends Readable {
  /** Of the request: they tell how the body is framed. */
  readonly headers: IncomingHttpHeaders;
  readonly #request: IncomingMessage;
  readonly #maxBytes: number;
  #bytes = 0;
  #hasBegun = false;

  /**
   * Made before anything is waited for: see joinPieces.
   * @throws DomainError PAYLOAD_TOO_LARGE when the request says so
   */
  constructor(request: IncomingMessage, maxBytes: number) {
    super({ highWaterMark: 64 * 1024 });
    this.headers = request.headers;
    this.#request = request;
    this.#maxBytes = maxBytes;
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
    // Whoever waits for the answer is told by `errored`.
    this.on('error', () => {});
    joinPieces(request);
    request.on('error', this.#onBreak).on('close', this.#onBreak);
  }

  override _read(): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#request.on('data', this.#onData).on('end', this.#onEnd);
    }
    this.#request.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd);
    // What still comes waits, until the answer is written.
    this.#request.pause();
    done(error);
  }

  readonly #onData = (piece: Buffer): void => {
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) this.destroy(tooLarge(this.#maxBytes));
    else if (!this.push(piece)) this.#request.pause();
  };

  readonly #onEnd = (): void => {
    // They would be lost, and what is behind them may need them.
    if (this.#request.rawTrailers.length > 0) this.destroy(trailersRefused());
    else this.push(null);
  };

  readonly #onBreak = (): void => {
    if (!this.#request.complete) this.destroy(badRequest('The body ended early.'));
  };
}

export function trailersRefused(): DomainError {
  return badRequest('Send the body without trailers: they are not passed on.');
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError('PAYLOAD_TOO_LARGE', {
    description: `A body may have at most ${maxBytes / 1024 / 1024} MiB. Send it in parts.`,
  });
}

/**
 * Node makes an object for each chunk that a packet brings, and there may be one for each byte. As long as nobody reads the body,
 * it would hold a hundred times the bytes. The small pieces of one packet become one.
 */
function joinPieces(request: IncomingMessage): void {
  let [pieces, bytes]: [Buffer[], number] = [[], 0];
  let isFirst = true;
  const add = (piece: Buffer | null) => IncomingMessage.prototype.push.call(request, piece);
  const flush = () => {
    // Somebody else took over what arrives.
    if (bytes === 0 || request.push !== push) return;
    const joined = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, bytes);
    [pieces, bytes] = [[], 0];
    add(joined ?? null);
  };
  const push = (piece: Buffer | null): boolean => {
    // Most bodies have one piece.
    if (piece === null || piece.length > smallPieceBytes || isFirst) {
      isFirst = false;
      flush();
      return add(piece);
    }
    // After all of the packet.
    if (bytes === 0) setImmediate(flush);
    pieces.push(piece);
    bytes += piece.length;
    // Otherwise Node stops reading from the connection.
    return request.readableLength + bytes < request.readableHighWaterMark;
  };
  request.push = push;
}
