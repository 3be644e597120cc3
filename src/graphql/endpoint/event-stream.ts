import type { ServerResponse } from 'node:http';
import { DomainError } from '../../errors.ts';
import { createPacing } from '../../runtime/pacing.ts';

export const eventStreamType = 'text/event-stream';

/** How long a client may leave unread what was sent. */
const slowMs = 15_000;
/** How long one that was too slow has to read why. */
const lingerMs = 5000;

/** Bytes of events that are written at once, unless one event has more. */
const pieceBytes = 64 * 1024;
/** Bytes of events that are written in one tick of the event loop, of all streams. It takes milliseconds. */
const pace = createPacing(1024 * 1024);

/** What all streams together may hold for clients that do not read. */
const maxUnreadBytes = 64 * 1024 * 1024;
let unreadBytes = 0;

const headers = {
  'Content-Type': `${eventStreamType}; charset=utf-8`,
  // nginx would collect the events.
  'X-Accel-Buffering': 'no',
};

/** The result of an event. */
export interface EventResult {
  readonly response: object;
  /** About as many as its JSON has. */
  readonly bytes: number;
}

/** One answer in Server-Sent Events, as GraphQL over SSE has them in its distinct connections mode. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #slowMs: number;
  #stopWaiting: () => void = () => {};
  #waits = true;

  /** Sends the head, so that the client knows that it has begun. */
  constructor(response: ServerResponse, slowAfterMs = slowMs) {
    this.#response = response;
    this.#slowMs = slowAfterMs;
    // Some browsers wait for a first byte.
    response.writeHead(200, headers);
    response.write(':\n\n');
  }

  /**
   * Sends events as the client reads them: no more than a piece of them is held for it.
   * @param requireRights called before each piece: throws where it must not be sent any more
   * @throws DomainError REQUEST_TIMEOUT when it does not, or when too much is held already
   */
  async send(results: readonly EventResult[], requireRights: () => void = () => {}): Promise<void> {
    let [text, bytes] = ['', 0];
    for (const [index, { response, bytes: more }] of results.entries()) {
      const turn = pace(more);
      if (turn) await turn;
      text += nextEvent(response);
      bytes += more;
      if (bytes < pieceBytes && index < results.length - 1) continue;
      requireRights();
      await this.#write(text);
      [text, bytes] = ['', 0];
    }
  }

  async #write(text: string): Promise<void> {
    if (this.#response.closed || this.#response.write(text) || !this.#waits) return;
    this.#hold();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(tooSlow()), this.#slowMs);
    this.#response.once('drain', resolve).once('close', resolve);
    this.#stopWaiting = resolve;
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#response.off('drain', resolve).off('close', resolve);
    }
  }

  /** Counts what was not read yet, also after the time in which it should have been. @throws DomainError REQUEST_TIMEOUT */
  #hold(): void {
    const response = this.#response;
    let bytes = response.writableLength;
    if (unreadBytes + bytes > maxUnreadBytes) {
      // At once, with what it holds.
      response.destroy();
      throw tooSlow();
    }
    unreadBytes += bytes;
    const release = () => {
      unreadBytes -= bytes;
      bytes = 0;
      response.off('drain', release).off('close', release);
    };
    response.once('drain', release).once('close', release);
  }

  /** Calls it when the client has left, or has been sent all. */
  onClose(callback: () => void): void {
    if (this.#response.closed) callback();
    else this.#response.once('close', callback);
  }

  /** Whether nobody is there any more. */
  get isClosed(): boolean {
    return this.#response.closed;
  }

  /** What is sent need not be read any more before it ends. */
  stopWaiting(): void {
    this.#waits = false;
    this.#stopWaiting();
  }

  /** A comment, so that no proxy takes the connection for dead. */
  beat(): void {
    if (!this.#response.writableNeedDrain && !this.#response.writableEnded) this.#response.write(':\n\n');
  }

  /** Tells that there is nothing more, after what is still to be told. */
  end(last?: object): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.end(endOfEvents(last));
    const timer = setTimeout(() => this.#response.destroy(), lingerMs).unref();
    this.#response.once('close', () => clearTimeout(timer));
  }
}

/** The events of an answer that is one result. */
export function onlyEvent(result: string): string {
  return `${beforeResult}${result}${afterResult}${complete}`;
}

export async function* onlyEventInPieces(result: AsyncIterable<string>): AsyncGenerator<string> {
  yield beforeResult;
  yield* result;
  yield afterResult + complete;
}

// JSON has no line breaks in it.
const [beforeResult, afterResult] = ['event: next\ndata: ', '\n\n'];

const complete = 'event: complete\ndata:\n\n';

function nextEvent(result: object): string {
  return beforeResult + JSON.stringify(result) + afterResult;
}

function endOfEvents(last: object | undefined): string {
  return last ? nextEvent(last) + complete : complete;
}

function tooSlow(): DomainError {
  return new DomainError('REQUEST_TIMEOUT', {
    message: 'The events were not read in time.',
    description: 'Subscribe again with "after": the cursor of the last change that you have. Nothing is lost.',
    retryAfterSeconds: 1,
  });
}
