import { Readable } from 'node:stream';

/** What is held of a body while its reader is slow. */
const heldBytes = 16 * 1024;
/** A piece of this size goes on at once. */
const largeBytes = 4096;

/**
 * The body of a message, in pieces that are worth their cost: the parser makes an object of each chunk, and 10,000 chunks of a byte
 * in one packet would each be written by themselves. What arrives together goes on together.
 * It fails with an error of ours when the message ends early, and never with one of Node's.
 */
export class MessageBody extends Readable {
  readonly #message: Readable;
  readonly #brokenOff: () => Error;
  #pieces: Buffer[] = [];
  #hasBegun = false;
  #hasEnded = false;

  /** @param brokenOff makes the error for a message that ends early */
  constructor(message: Readable, brokenOff: () => Error) {
    super({ highWaterMark: heldBytes });
    this.#message = message;
    this.#brokenOff = brokenOff;
    // Otherwise the first listener for data would start it.
    message.pause();
    message.on('data', this.#take).on('end', this.#finish).on('error', this.#breakOff).on('close', this.#breakOff);
    if (message.destroyed) process.nextTick(this.#breakOff);
  }

  /** Whether anything of it has arrived. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  override _read(): void {
    this.#message.resume();
  }

  /** The message is not read any more, and not destroyed: an answer to it may still be on its way. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const message = this.#message;
    this.#pieces = [];
    message.off('data', this.#take).off('end', this.#finish).off('close', this.#breakOff);
    // The listener for errors stays: nobody else may have one.
    if (!this.#hasEnded) message.pause();
    callback(error);
  }

  readonly #take = (piece: Buffer): void => {
    this.#hasBegun = true;
    if (this.#pieces.push(piece) > 1) return;
    if (piece.length >= largeBytes) this.#pass();
    else process.nextTick(this.#pass);
  };

  readonly #pass = (): void => {
    const [first] = this.#pieces;
    if (!first) return;
    const piece = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    if (!this.push(piece)) this.#message.pause();
  };

  readonly #finish = (): void => {
    this.#hasEnded = true;
    this.#pass();
    this.push(null);
  };

  readonly #breakOff = (): void => {
    if (!this.#hasEnded) this.destroy(this.#brokenOff());
  };
}
