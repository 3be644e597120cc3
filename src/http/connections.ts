import type { Socket } from 'node:net';
import type { HttpResponse } from './response.ts';

/**
 * Connections that are open at once. Each holds at most 32 KiB of headers that have not all arrived, and 16 KiB for
 * its socket and parser, so that all together hold at most 240 MiB. It is five times as many as are answered at once.
 */
const maxConnections = 5000;

/** How long a new connection may be silent. */
const silenceMs = 10_000;

/** The open connections: which of them are being answered, and which wait for a request. */
export class Connections {
  readonly #onMakeRoom: () => void;
  readonly #max: number;
  /** Those that wait for the next request, or for the rest of its headers; the one that has waited for longest first. */
  readonly #waiting = new Set<Socket>();
  /** The responses that have not been sent, in the order of their requests. */
  readonly #answering = new Map<Socket, HttpResponse[]>();
  #open = 0;
  #noneWaiting = Promise.withResolvers<void>();

  /** @param onMakeRoom is told when a connection is closed for another */
  constructor(onMakeRoom: () => void, max = maxConnections) {
    this.#onMakeRoom = onMakeRoom;
    this.#max = max;
  }

  add(socket: Socket): void {
    this.#open += 1;
    this.#waiting.add(socket);
    // Node's own time limits start with the first byte, so that a silent client would keep its connection.
    socket.setTimeout(silenceMs);
    socket.once('close', () => {
      this.#open -= 1;
      this.#stopWaiting(socket);
      // Node closes the responses of a connection, except where it was taken out of HTTP: see requestClass.
      setImmediate(() => {
        for (const response of this.answeringOn(socket)) response.emit('close');
      });
    });
    if (this.#open <= this.#max) return;
    const [longest = socket] = this.#waiting;
    // It closes later. Until then the next connection must find another.
    this.#stopWaiting(longest);
    longest.destroy();
    this.#onMakeRoom();
  }

  /** The responses on a connection that have not been sent. */
  answeringOn(socket: Socket): readonly HttpResponse[] {
    return this.#answering.get(socket) ?? [];
  }

  /** The connection is being answered, until `end`. */
  begin(socket: Socket, response: HttpResponse): void {
    this.#stopWaiting(socket);
    const responses = this.#answering.get(socket);
    if (responses) responses.push(response);
    else this.#answering.set(socket, [response]);
  }

  /** Every response whose headers have not been sent tells its client that the connection ends with it. */
  closeAfterAnswers(): void {
    for (const response of [...this.#answering.values()].flat()) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
    }
  }

  /** Resolves when no connection waits for a request. */
  whenNoneWaiting(): Promise<void> {
    this.#noneWaiting = Promise.withResolvers<void>();
    if (this.#waiting.size === 0) this.#noneWaiting.resolve();
    return this.#noneWaiting.promise;
  }

  /** The response has been sent, or will not be. */
  end(socket: Socket, response: HttpResponse): void {
    const responses = this.#answering.get(socket) ?? [];
    if (responses.length > 1) {
      this.#answering.set(
        socket,
        responses.filter((other) => other !== response),
      );
    } else {
      this.#answering.delete(socket);
      if (!socket.destroyed && socket.writable) this.#waiting.add(socket);
    }
  }

  #stopWaiting(socket: Socket): void {
    this.#waiting.delete(socket);
    if (this.#waiting.size === 0) this.#noneWaiting.resolve();
  }
}
