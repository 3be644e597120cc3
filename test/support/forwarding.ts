import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createAddressRule } from '../../src/broker/upstream/addresses.ts';
import type { UpstreamResponse } from '../../src/broker/upstream/exchange.ts';
import {
  createForwarder,
  type Forwarder,
  type ForwarderOptions,
  type UpstreamRequest,
} from '../../src/broker/upstream/forward.ts';
import { freeBytes } from '../../src/runtime/free-bytes.ts';
import { bufferOf } from './buffer-of.ts';

/** A forwarder that may reach this machine. */
export function testForwarder(options: Partial<ForwarderOptions> = {}): Forwarder {
  const isAllowedAddress = createAddressRule(['127.0.0.0/8', '::1']);
  return createForwarder({ isAllowedAddress, allowHttp: true, timeoutMs: 20_000, ...options });
}

/** A GET without a body of an owner, unless it says otherwise. */
export function send(
  forwarder: Forwarder,
  origin: string,
  request: Partial<UpstreamRequest> = {},
): Promise<UpstreamResponse> {
  const { signal } = new AbortController();
  return forwarder.send({
    ownerKey: 'ada',
    origin,
    method: 'GET',
    path: '/',
    headers: [],
    body: null,
    signal,
    ...request,
  });
}

export async function textOf({ body }: UpstreamResponse): Promise<string> {
  return (await bufferOf(body)).toString('latin1');
}

/** The error of what must not succeed, as it is told. */
export async function failureOf(work: Promise<unknown>): Promise<{ code: string; description: string }> {
  const error = await work.then(
    () => ({ code: 'NONE' }),
    (reason: unknown) => reason,
  );
  const { code, details } = error as { code: string; details?: { description?: string } };
  return { code, description: details?.description ?? '' };
}

/** A server on loopback that is told of each connection, and speaks no protocol by itself. */
export class RawServer {
  /** What has arrived, of all connections. */
  received = '';
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(onRequest: (socket: Socket, connection: number) => void) {
    this.#server = createTcpServer((socket) => {
      this.connections += 1;
      const connection = this.connections;
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
      socket.on('data', (bytes) => {
        this.received += bytes.toString('latin1');
        if (this.received.includes('\r\n\r\n')) onRequest(socket, connection);
      });
    });
  }

  /** @param onRequest is called for each piece of a request that arrives */
  static async start(onRequest: (socket: Socket, connection: number) => void): Promise<RawServer> {
    const server = new RawServer(onRequest);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A server on loopback that forwards each request, as the broker does. */
export class Front {
  /** What the forwarding of each request ended with: null, or its error. */
  readonly ends: Promise<{ code: string } | null>[] = [];
  readonly requests: IncomingMessage[] = [];
  readonly #server = createServer((request, response) => {
    this.requests.push(request);
    this.ends.push(this.#forward(request, response));
  });
  readonly #forwarder: Forwarder;
  readonly #origin: string;

  private constructor(forwarder: Forwarder, origin: string) {
    this.#forwarder = forwarder;
    this.#origin = origin;
  }

  static async start(forwarder: Forwarder, origin: string): Promise<Front> {
    const front = new Front(forwarder, origin);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<{ code: string } | null> {
    const gone = new AbortController();
    response.on('close', () => response.writableFinished || gone.abort());
    const hasBody = request.headers['transfer-encoding'] ?? request.headers['content-length'];
    try {
      const { method = '', url: path = '' } = request;
      const body = hasBody === undefined ? null : request;
      const answer = await send(this.#forwarder, this.#origin, { method, path, body, signal: gone.signal });
      response.writeHead(answer.status, answer.rawHeaders);
      await new Promise((resolve, reject) => {
        answer.body.on('data', (piece: Buffer) => response.write(piece, () => freeBytes(piece)) || answer.body.pause());
        answer.body.on('end', resolve).on('error', reject);
        response.on('drain', () => answer.body.resume());
      });
      response.end();
      return null;
    } catch (error) {
      const { code } = error as { code: string };
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(code);
      return { code };
    }
  }
}
