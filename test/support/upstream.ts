import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { bufferOf } from './buffer-of.ts';
import { upstreamAnswers } from './upstream-answers.ts';

/** What arrived at an upstream. */
export interface Arrived {
  /** The number of its connection. */
  readonly connection: number;
  readonly method: string;
  /** As it stood in the request line. */
  readonly target: string;
  /** Every byte up to the body, one character for each. */
  readonly head: string;
  /** Names and values in turns, as they arrived. */
  readonly rawHeaders: readonly string[];
  readonly body: Promise<Buffer>;
  /** Resolves when the client has gone, or has its whole answer. */
  readonly closed: Promise<void>;
}

export interface UpstreamOptions {
  /** PEM files; with them the upstream speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** The host that `origin` names; that on which it listens by default. */
  readonly hostname?: string;
  /** Called before anything is answered. */
  readonly onArrival?: (arrived: Arrived) => Promise<void> | void;
}

/** The bytes of a connection that are not yet a whole head. */
interface Tap {
  readonly number: number;
  text: string;
  isInBody: boolean;
}

/**
 * A service on loopback that the broker sends requests to. The last segment of the path says how it behaves
 * (`upstream-answers.ts`), and everything that arrives is kept.
 */
export class Upstream {
  readonly arrived: Arrived[] = [];
  /** How many connections were opened. */
  connections = 0;
  /** Streams that `send` writes events to. */
  readonly streams = new Set<ServerResponse>();
  onArrival: NonNullable<UpstreamOptions['onArrival']>;
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  readonly #hostname: string;
  readonly #sockets = new Set<Socket>();
  readonly #taps = new WeakMap<Socket, Tap>();
  #wake: () => void = () => {};

  private constructor({ tls, hostname, host = '127.0.0.1', onArrival = () => {} }: UpstreamOptions) {
    // Larger than what the gateway accepts, so that what arrives is never cut here.
    const limits = { maxHeaderSize: 256 * 1024, requestTimeout: 0, keepAliveTimeout: 60_000 };
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#receive(request, response);
    this.#server = tls ? createTlsServer({ ...limits, ...tls }, answer) : createServer(limits, answer);
    this.#scheme = tls ? 'https' : 'http';
    this.#hostname = hostname ?? host;
    this.onArrival = onArrival;
    this.#server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => this.#tap(socket));
    // What is no HTTP was no request of a broker: it is kept too, and a test would see it.
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  static async start(options: UpstreamOptions = {}): Promise<Upstream> {
    const upstream = new Upstream(options);
    await new Promise<void>((resolve) => upstream.#server.listen(0, options.host ?? '127.0.0.1', resolve));
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `${this.#scheme}://${this.#hostname}:${this.port}`;
  }

  /** The last request that arrived. */
  get last(): Arrived {
    const last = this.arrived.at(-1);
    if (!last) throw new Error('nothing arrived at the upstream');
    return last;
  }

  /** Waits until this many requests have arrived since it started. */
  async count(requests: number): Promise<void> {
    await this.#until(() => this.arrived.length >= requests);
  }

  /** Waits until this many answers of `/events` have begun. */
  async streaming(streams: number): Promise<void> {
    await this.#until(() => this.streams.size >= streams);
  }

  /** Writes to every answer of `/events`. */
  send(text: string): void {
    for (const stream of this.streams) stream.write(text);
  }

  /** Resets the connection of every answer of `/events`. */
  reset(): void {
    for (const stream of this.streams) stream.socket?.resetAndDestroy();
  }

  /** Tells those who wait that something is another. */
  changed(): void {
    this.#wake();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #tap(socket: Socket): void {
    this.connections += 1;
    const tap: Tap = { number: this.connections, text: '', isInBody: false };
    this.#taps.set(socket, tap);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    socket.prependListener('data', (bytes: Buffer) => {
      if (!tap.isInBody) tap.text += bytes.toString('latin1');
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const tap = this.#taps.get(request.socket) ?? { number: 0, text: '', isInBody: false };
    const arrived: Arrived = {
      connection: tap.number,
      method: request.method ?? '',
      target: request.url ?? '',
      head: tap.text.slice(0, tap.text.indexOf('\r\n\r\n') + 4),
      rawHeaders: request.rawHeaders,
      body: keepsBody(request) ? bufferOf(request) : Promise.resolve(Buffer.alloc(0)),
      closed: new Promise((resolve) => response.on('close', resolve)),
    };
    tap.isInBody = true;
    tap.text = '';
    response.on('close', () => {
      tap.isInBody = false;
      this.streams.delete(response);
    });
    arrived.body.catch(() => {});
    this.arrived.push(arrived);
    this.changed();
    await this.onArrival(arrived);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://upstream');
    const behave = upstreamAnswers[pathname.split('/').at(-1) ?? ''] ?? upstreamAnswers.ok;
    try {
      await behave?.({ upstream: this, request, response, arrived, parameters: searchParams });
    } catch (error) {
      // Its client has gone.
      if (!request.destroyed) throw error;
    }
  }
}

/** What passes through is not kept: it may be large. */
function keepsBody({ url = '' }: IncomingMessage): boolean {
  return !/\/(?:mirror|never-read|swallow)(?:\?|$)/.test(url);
}
