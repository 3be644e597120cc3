import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { badRequest, DomainError } from '../errors.ts';
import { describeError, type Log } from '../runtime/log.ts';
import { dropBody } from './body.ts';
import { applyCors } from './cors.ts';
import { Exchange } from './exchange.ts';
import { HttpRefusal, jsonErrors, writeRefusal } from './refusal.ts';
import { RequestSlots } from './request-slots.ts';
import { bodyless, type Route } from './route.ts';
import { hasLoopbackHost } from './transport.ts';
import { refuseUnreadable } from './unreadable-request.ts';

export interface ServerOptions {
  readonly routes: readonly Route[];
  readonly corsOrigins: readonly string[];
  /** Whether requests must name this machine in their Host header. */
  readonly loopbackHostsOnly: boolean;
  /** Told the code of each request that was refused at the HTTP level. */
  readonly onRefusal: (code: string) => void;
  readonly log: Log;
}

/** With more requests than this at once, each further one would only make all of them late. */
const maxSlots = 1000;
/** How long a new connection may be silent, and how long headers may take to arrive. */
const silenceMs = 10_000;
const drainMs = 10_000;
/** How much of that time a body that was on its way has to arrive. */
const drainArrivalMs = 1000;
/** How long clients that are refused at the end have to read why. */
const lingerMs = 500;
/** How long the rest of a body may take once the request has been answered without it. */
const leftoverMs = 1000;

/** The HTTP server: admits each request, gives it to its route, and answers every error in the route's error shape. */
export class HttpServer {
  readonly #options: ServerOptions;
  readonly #server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: silenceMs,
      // Each route limits how long a body may take to arrive; Node's limit for all would cut off long uploads.
      requestTimeout: 0,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 2_000,
      // Node's own refusal would have no body and no request id.
      requireHostHeader: false,
    },
    (request, response) => this.#receive(request, response),
  );
  /** The latest response on a connection that has not been sent. */
  readonly #answering = new WeakMap<Socket, ServerResponse<IncomingMessage>>();
  readonly #slots = new RequestSlots(maxSlots);
  #draining = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const response = this.#answering.get(socket);
      // What cannot be read came behind a request that is being answered. That answer is sent first, and alone.
      if (response?.req.complete) {
        response.once('close', () => socket.destroySoon());
        return;
      }
      const refusal = refuseUnreadable(error, socket);
      // A request that had begun reports its own end.
      if (refusal && !response) options.onRefusal(refusal.code);
    });
    // Node's own time limits start with the first byte, so that a silent client would keep its connection.
    this.#server.on('connection', (socket) => socket.setTimeout(silenceMs));
    this.#server.on('checkExpectation', (request, response) => this.#receive(request, response));
  }

  /** How many requests are being answered. */
  get inFlight(): number {
    return this.#slots.taken;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** @returns the port it listens on */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  /** Refuses new requests, answers those in flight, and ends. Cuts off what is not done in time. */
  async drain(): Promise<void> {
    this.#draining = true;
    // The port stays open until the end: a new request is told to come back, and a readiness probe that this is not ready.
    const empty = this.#slots.whenEmpty();
    await Promise.race([empty, sleep(drainArrivalMs, undefined, { ref: false })]);
    this.#slots.evictReceiving(shuttingDown());
    await Promise.race([empty, sleep(drainMs - drainArrivalMs, undefined, { ref: false })]);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), lingerMs);
    await closed;
    clearTimeout(timer);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const exchange = new Exchange(request, response);
    const route = this.#routeOf(request);
    // A pipelined request keeps the limit of the request before it, which is still being answered.
    if (!this.#answering.has(socket)) exchange.limitIdle((route?.limits ?? bodyless).idleMs);
    this.#answering.set(socket, response);
    response.once('close', () => {
      if (this.#answering.get(socket) === response) this.#answering.delete(socket);
      if (!request.complete) setTimeout(() => request.complete || socket.destroy(), leftoverMs).unref();
    });
    response.setHeader('X-Request-Id', exchange.requestId);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    this.#answer(exchange, route).catch((error: unknown) => this.#refuse(exchange, route, error));
  }

  #routeOf(request: IncomingMessage): Route | undefined {
    // RFC 9112, section 3.2.2: the target may be a whole URL, as clients of a proxy send it.
    if (!request.url?.startsWith('/')) request.url = pathOfUrl(request.url);
    const [path] = request.url.split('?', 1);
    return this.#options.routes.find((route) => route.path === path && (route.accepts?.(request) ?? true));
  }

  async #answer(exchange: Exchange, route: Route | undefined): Promise<void> {
    const { request, response } = exchange;
    const { corsOrigins, loopbackHostsOnly, routes } = this.#options;
    const isPreflight = route?.crossOrigin && applyCors(request, response, corsOrigins);
    if (isPreflight) return;
    if (request.headers.host === undefined && request.httpVersion === '1.1') throw badRequest('Send a Host header.');
    if (loopbackHostsOnly && !route?.anyHost && !hasLoopbackHost(request)) throw foreignHost();
    if (route?.admission !== 'always') {
      if (this.#draining) throw shuttingDown();
      exchange.hold(this.#slots.take());
    }
    if (!route) throw notFound(routes);
    if (!route.methods.includes(request.method ?? '')) throw methodNotAllowed(route.methods);
    await route.answer(exchange);
  }

  #refuse(exchange: Exchange, route: Route | undefined, error: unknown): void {
    const { request, response, requestId, startedAtMs } = exchange;
    const refusal = error instanceof DomainError ? error : new DomainError('INTERNAL_SERVER_ERROR', { cause: error });
    this.#options.onRefusal(refusal.code);
    const line = { requestId, code: refusal.code, durationMs: performance.now() - startedAtMs };
    // Shedding load is no defect, and a line with stack frames for each request would make the overload worse.
    if (refusal.status < 500 || refusal.code === 'SERVICE_UNAVAILABLE') this.#logRefusal(line, refusal);
    else this.#options.log.error({ ...line, cause: describeError(refusal) }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // The rest of the body may end with the connection, so that no other request should follow on it.
    if (!request.complete) response.setHeader('Connection', 'close');
    writeRefusal(request, response, refusal, requestId, route?.errors ?? jsonErrors);
    dropBody(request, () => response.end());
  }

  #logRefusal(line: object, { details }: DomainError): void {
    this.#options.log.info(line, 'refused');
    // Why a token is wrong is told to the operator only: jose's own code says it.
    if (details.cause) this.#options.log.debug({ ...line, cause: describeError(details.cause) }, 'refused because');
  }
}

function pathOfUrl(target: string | undefined): string {
  const url = URL.parse(target ?? '');
  return url ? url.pathname + url.search : '/';
}

function shuttingDown(): DomainError {
  return new HttpRefusal(
    'SERVICE_UNAVAILABLE',
    { Connection: 'close' },
    { description: 'The gateway is shutting down.', retryAfterSeconds: 1 },
  );
}

function notFound(routes: readonly Route[]): DomainError {
  const paths = [...new Set(routes.map(({ path }) => path))].join(', ');
  return new DomainError('NOT_FOUND', { description: `Nothing is at this path. There are: ${paths}.` });
}

function methodNotAllowed(methods: readonly string[]): DomainError {
  return new HttpRefusal(
    'METHOD_NOT_ALLOWED',
    { Allow: methods.join(', ') },
    { description: `Send the request with ${methods.join(' or ')}.` },
  );
}

function foreignHost(): DomainError {
  return new DomainError('FORBIDDEN', {
    description: 'In development mode the gateway answers to localhost, 127.0.0.1 and [::1] only.',
  });
}
