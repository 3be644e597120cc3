import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as eventsPolled, setTimeout as sleep } from 'node:timers/promises';
import { badRequest, DomainError, type ErrorCode } from '../errors.ts';
import { describeError, type Log } from '../runtime/log.ts';
import { originMatcher } from '../runtime/origin-pattern.ts';
import { breakBody, dropBody, hasBody, isSmall } from './body.ts';
import { Connections } from './connections.ts';
import { type AllowsOrigin, applyCors } from './cors.ts';
import { Exchange } from './exchange.ts';
import { jsonErrors, writeRefusal } from './refusal.ts';
import { requestClass } from './request-class.ts';
import { RequestSlots } from './request-slots.ts';
import { normalizeTarget } from './request-target.ts';
import { HttpResponse } from './response.ts';
import { bodyless, type Route } from './route.ts';
import { foreignHost, methodNotAllowed, notFound, shuttingDown } from './server-refusals.ts';
import { hasLoopbackHost } from './transport.ts';
import { refuseConnection, unreadable } from './unreadable-request.ts';

export interface ServerOptions {
  readonly routes: readonly Route[];
  /** Origins whose pages may call the routes that allow it, and patterns of them. */
  readonly corsOrigins: readonly string[];
  /** Whether requests must name this machine in their Host header. */
  readonly loopbackHostsOnly: boolean;
  /** Told the code of each request that was refused at the HTTP level. */
  readonly onRefusal: (code: string) => void;
  /** Whether refusals are answered with their hints, as in development. */
  readonly hints?: boolean;
  readonly log: Log;
}

/** With more requests than this at once, each further one would only make all of them late. */
const maxSlots = 1000;
/** Room for a token that names 200 teams with their roles. */
const maxHeaderSize = 32 * 1024;
/** How many requests of one connection may wait for their answers. */
const maxPipelined = 10;
/** How long a connection may be idle on most routes while a request arrives. */
const usualIdleMs = 15_000;
/** How long headers may take to arrive. */
const headersMs = 10_000;
/** How long requests in flight have at the end. With what follows it stays below the time for the whole end. */
const drainMs = 8000;
/** How much of that time a body that was on its way has to arrive. */
const drainArrivalMs = 1000;
/** How long a request that was on its way when the end began may take to come in on an idle connection. */
const graceMs = 500;
/** How long clients that are refused at the end have to read why. */
const lingerMs = 500;
/** How long the rest of a body may take once the request has been answered without it. */
const leftoverMs = 1000;

/** The HTTP server: admits each request, gives it to its route, and answers every error in the route's error shape. */
export class HttpServer {
  readonly #options: ServerOptions;
  readonly #server = createServer<typeof IncomingMessage, typeof HttpResponse>(
    {
      maxHeaderSize,
      headersTimeout: headersMs,
      // Each route limits how long a body may take to arrive; Node's limit for all would cut off long uploads.
      requestTimeout: 0,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 2_000,
      // Node's own refusal would have no body and no request id.
      requireHostHeader: false,
      ServerResponse: HttpResponse,
      IncomingMessage: requestClass((socket) => this.#hasTooMany(socket)),
      shouldUpgradeCallback: ({ socket }) => this.#endFlood(socket),
    },
    (request, response) => this.#receive(request, response),
  );
  readonly #connections = new Connections(() => this.#report('SERVICE_UNAVAILABLE', 'closed a connection for another'));
  readonly #slots = new RequestSlots(maxSlots);
  readonly #allowsOrigin: AllowsOrigin | null;
  #draining = false;
  /** Node would ask the system each time, and links in answers have it. */
  #port = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#allowsOrigin = options.corsOrigins.length === 0 ? null : originMatcher(options.corsOrigins);
    // Node sets it for each request of a connection, at no further cost.
    this.#server.timeout = usualIdleMs;
    this.#server.on('connection', (socket) => this.#connections.add(socket));
    this.#server.on('timeout', (socket) => this.#onIdle(socket));
    this.#server.on('clientError', (error, socket) => this.#refuseUnreadable(error, socket as Socket));
    this.#server.on('checkExpectation', (request, response) => this.#receive(request, response));
    // Node would close the connection without a word.
    this.#server.on('connect', (_request, socket) => {
      socket.on('error', () => {});
      this.#refuseConnection(methodNotAllowed(['GET', 'POST']), socket as Socket);
    });
  }

  /** Where it listens; 0 until then. */
  get port(): number {
    return this.#port;
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
    this.#port = typeof address === 'object' && address ? address.port : 0;
    return this.#port;
  }

  /**
   * Refuses new requests, answers those in flight, and ends. Cuts off what is not done in time.
   * @param streams when those that are waited for have ended
   */
  async drain(streams: () => Promise<void> = async () => {}): Promise<void> {
    this.#draining = true;
    this.#connections.closeAfterAnswers();
    // The port stays open until the end: a new request is told to come back, and a readiness probe that this is not ready.
    const [empty, noneWaiting] = [this.#slots.whenEmpty(), this.#connections.whenNoneWaiting()];
    const ended = streams();
    const grace = Promise.race([noneWaiting, sleep(graceMs, undefined, { ref: false })]);
    await Promise.race([empty, sleep(drainArrivalMs, undefined, { ref: false })]);
    this.#slots.evictReceiving(shuttingDown());
    await Promise.race([empty, sleep(drainMs - drainArrivalMs, undefined, { ref: false })]);
    await Promise.all([grace, ended]);
    // What has arrived by now is read first.
    await eventsPolled();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const timer = setTimeout(() => this.#server.closeAllConnections(), lingerMs);
    await closed;
    clearTimeout(timer);
  }

  #receive(request: IncomingMessage, response: HttpResponse): void {
    const { socket } = request;
    const earlier = this.#connections.answeringOn(socket).length;
    this.#connections.begin(socket, response);
    const exchange = new Exchange(request, response);
    response.exchange = exchange;
    exchange.onEnd(() => this.#end(request, response));
    response.setHeader('X-Request-Id', exchange.requestId);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    if (this.#draining) response.setHeader('Connection', 'close');
    try {
      normalizeTarget(request);
    } catch (error) {
      this.#refuse(exchange, this.#routeOf(request), error);
      return;
    }
    const route = this.#routeOf(request);
    const limits = route?.limits ?? bodyless;
    // A pipelined request keeps the limit of the request before it, which is still being answered.
    if (earlier === 0) exchange.limitIdle(limits.idleMs);
    exchange.limitTime(limits);
    const answering = this.#answering(exchange, route);
    if (answering) answering.catch((error: unknown) => this.#refuseWhenRead(exchange, route, error));
  }

  #answering(exchange: Exchange, route: Route | undefined): Promise<void> | void {
    try {
      return this.#answer(exchange, route);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #end(request: IncomingMessage, response: HttpResponse): void {
    const { socket } = request;
    this.#connections.end(socket, response);
    if (!request.complete) setTimeout(() => request.complete || socket.destroy(), leftoverMs).unref();
  }

  /** A connection is closed when it is idle for longer than the request that is being answered on it allows. */
  #onIdle(socket: Socket): void {
    const [answering] = this.#connections.answeringOn(socket);
    if (!answering?.exchange?.mayIdle()) socket.destroy();
  }

  #hasTooMany(socket: Socket): boolean {
    return this.#connections.answeringOn(socket).length >= maxPipelined;
  }

  /** Ends a connection with too many requests. @returns whether it is one */
  #endFlood(socket: Socket): boolean {
    if (!this.#hasTooMany(socket)) return false;
    if (!socket.destroyed) this.#report('SERVICE_UNAVAILABLE', 'closed a connection with too many requests');
    socket.destroy();
    return true;
  }

  #routeOf(request: IncomingMessage): Route | undefined {
    const { url = '' } = request;
    const end = url.indexOf('?');
    const path = end < 0 ? url : url.slice(0, end);
    const isAt = (route: Route) => (route.isPrefix ? path.startsWith(route.path) : path === route.path);
    return this.#options.routes.find((route) => isAt(route) && (route.accepts?.(request) ?? true));
  }

  #answer(exchange: Exchange, route: Route | undefined): Promise<void> | void {
    const { request, response } = exchange;
    const { loopbackHostsOnly, routes } = this.#options;
    const isPreflight = route?.crossOrigin && applyCors(request, response, this.#allowsOrigin, route);
    if (isPreflight) return undefined;
    if (loopbackHostsOnly && !route?.anyHost && !hasLoopbackHost(request)) throw foreignHost();
    if (route?.admission !== 'always') {
      if (this.#draining) throw shuttingDown();
      if (route?.admission !== 'own') exchange.hold(this.#slots);
    }
    if (!route) throw notFound(routes);
    if (!route.methods.includes(request.method ?? '')) throw methodNotAllowed(route.methods);
    if (hasBody(request) && !takesBody(route, request)) throw badRequest('Send this request without a body.');
    return route.answer(exchange);
  }

  /** A connection can be kept when the body has arrived. A small one has come with its head, and is read after it. */
  #refuseWhenRead(exchange: Exchange, route: Route | undefined, error: unknown): void {
    const { request } = exchange;
    if (request.complete || !isSmall(request)) this.#refuse(exchange, route, error);
    else setImmediate(() => this.#refuse(exchange, route, error));
  }

  #refuse(exchange: Exchange, route: Route | undefined, error: unknown): void {
    const { request, response, requestId } = exchange;
    const refusal = error instanceof DomainError ? error : new DomainError('INTERNAL_SERVER_ERROR', { cause: error });
    this.#options.onRefusal(refusal.code);
    if (!exchange.isLogged) this.#logRefusal(exchange, refusal);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // The client has been told, or has gone.
    if (!request.socket.writable) return;
    // The rest of the body may end with the connection, so that no other request should follow on it.
    if (!request.complete) response.setHeader('Connection', 'close');
    writeRefusal(request, response, refusal, requestId, route?.errors ?? jsonErrors, this.#options.hints);
    dropBody(request, () => response.end());
  }

  #logRefusal({ requestId, startedAtMs }: Exchange, refusal: DomainError): void {
    const line = { requestId, code: refusal.code, durationMs: Math.round(performance.now() - startedAtMs) };
    // Shedding load is no defect, and a line with stack frames for each request would make the overload worse.
    if (refusal.status >= 500 && refusal.code !== 'SERVICE_UNAVAILABLE') {
      this.#options.log.error({ ...line, cause: describeError(refusal) }, 'request failed');
      return;
    }
    const { reason, hint, cause } = refusal.details;
    this.#options.log.info({ ...line, ...(reason !== undefined && { reason, hint }) }, 'refused');
    if (cause) this.#options.log.debug({ ...line, cause: describeError(cause) }, 'refused because');
  }

  /** What is no request, or is not all of one. */
  #refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    const [latest, earlier] = this.#connections.answeringOn(socket).slice(-2).reverse();
    // Answers to the requests before it are sent first, and alone. A request without all of its body reports its own end.
    const last = latest?.req.complete ? latest : earlier;
    if (last) last.once('close', () => socket.destroySoon());
    else if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    // Its own refusal may be under way: it is thrown before this, and caught after it.
    else if (latest) setImmediate(() => this.#breakOff(latest, error, socket));
    else this.#refuseConnection(unreadable(error), socket);
  }

  /** The end of a request whose body cannot be read. Its own refusal is logged and counted, under the id that its client is told. */
  #breakOff(response: HttpResponse, error: NodeJS.ErrnoException, socket: Socket): void {
    const shape = this.#routeOf(response.req)?.errors;
    const requestId = String(response.getHeader('X-Request-Id'));
    if (!response.headersSent) refuseConnection(unreadable(error), socket, requestId, shape);
    breakBody(response.req);
  }

  #refuseConnection(refusal: DomainError, socket: Socket): void {
    const requestId = crypto.randomUUID();
    refuseConnection(refusal, socket, requestId);
    this.#report(refusal.code, 'refused', { requestId });
  }

  #report(code: ErrorCode, message: string, line: object = {}): void {
    this.#options.onRefusal(code);
    this.#options.log.info({ ...line, code }, message);
  }
}

/** A GET has none, whatever follows it; nobody would read it. */
function takesBody({ limits }: Route, { method }: IncomingMessage): boolean {
  return limits.maxBodyBytes > 0 && method !== 'GET' && method !== 'HEAD';
}
