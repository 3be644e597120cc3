import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { badRequest, DomainError } from '../errors.ts';
import type { GraphQLEndpoint } from '../graphql/endpoint/endpoint.ts';
import type { VerifyToken } from '../identity/verify-token.ts';
import type { Caller } from '../model/principal.ts';
import { sendGraphiql, wantsGraphiql } from '../ops/graphiql.ts';
import { type ReadinessChecks, sendLiveness, sendReadiness } from '../ops/health.ts';
import type { Metrics } from '../ops/metrics.ts';
import { describeError, type Log } from '../runtime/log.ts';
import { traced } from '../runtime/trace.ts';
import { dropBody, readJson } from './body.ts';
import { applyCors } from './cors.ts';
import { authenticate } from './credentials.ts';
import { isJson, responseType } from './media-type.ts';
import type { Budget } from './rate-limit/budget.ts';
import { refuse } from './refusal.ts';
import { requestIdOf } from './request-id.ts';
import { Places } from './request-slots.ts';
import { hasLoopbackHost, isConfidential } from './transport.ts';
import { refuseUnreadable } from './unreadable-request.ts';

export interface ServerOptions {
  readonly graphql: GraphQLEndpoint;
  readonly verifyToken: VerifyToken;
  readonly budget: Budget;
  readonly requireTls: boolean;
  readonly trustProxy: boolean;
  readonly corsOrigins: readonly string[];
  /** Makes the token that GraphiQL calls with; null without the development issuer. */
  readonly developmentToken: (() => Promise<string>) | null;
  readonly readinessChecks: ReadinessChecks;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Beyond this many requests at once, more of them would only make all of them late. */
const maxPlaces = 1000;
/** How long a client may take to say what it wants. */
const silenceMilliseconds = 10_000;
/**
 * How long nothing may move while a request is answered: who never reads the answer would be under way for ever. (Of an
 * answer that was written in part, Node waits twice as long.)
 */
const stallMilliseconds = 15_000;
/** After this no write is begun for a request. What was begun has the deadlines of the store: two calls of 5 s. */
const writeMilliseconds = 10_000;
/** So an operation has ended by then, whatever the store does, and its client is told how. */
const operationMilliseconds = 25_000;
const drainMilliseconds = 10_000;
/** How long of that a body has to arrive that was on its way. */
const arrivalMilliseconds = 1000;
/** How long those who were refused meanwhile have to read so. */
const lingerMilliseconds = 500;

/** The HTTP server: what is refused before GraphQL is refused here, each refusal in the shape of a GraphQL error. */
export class GatewayServer {
  readonly #options: ServerOptions;
  readonly #server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: silenceMilliseconds,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 2_000,
      // Node's own refusal would have no body and no request id.
      requireHostHeader: false,
    },
    (request, response) => this.#receive(request, response),
  );
  /** The last response that is under way on a connection. */
  readonly #answering = new WeakMap<Socket, ServerResponse<IncomingMessage>>();
  readonly #places = new Places(maxPlaces);
  #draining = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const response = this.#answering.get(socket);
      // What cannot be read comes behind a request that is being answered: its answer goes first, and alone.
      if (response?.req.complete) {
        response.once('close', () => socket.destroySoon());
        return;
      }
      const refusal = refuseUnreadable(error, socket);
      // Of a request that had begun, its own end tells.
      if (refusal && !response) options.metrics.refusal(refusal.code);
    });
    // Node's own time-outs begin with the first byte: who never sends one would keep the connection.
    this.#server.on('connection', (socket) => socket.setTimeout(silenceMilliseconds));
    this.#server.on('checkExpectation', (request, response) => this.#receive(request, response));
  }

  get inFlight(): number {
    return this.#places.taken;
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

  /** Takes no new requests, answers those under way, and ends; cuts off what is not done in time. */
  async drain(): Promise<void> {
    this.#draining = true;
    // Until then the port stays open: who calls meanwhile is told to come back, and who asks, that this is not ready.
    const empty = this.#places.whenEmpty();
    await Promise.race([empty, sleep(arrivalMilliseconds, undefined, { ref: false })]);
    this.#places.evictAll(shuttingDown());
    await Promise.race([empty, sleep(drainMilliseconds - arrivalMilliseconds, undefined, { ref: false })]);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), lingerMilliseconds);
    await closed;
    clearTimeout(timer);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const startedAt = performance.now();
    const { socket } = request;
    // A request that came before on the connection, and is still under way, has its own.
    if (!this.#answering.has(socket)) socket.setTimeout(stallMilliseconds);
    this.#answering.set(socket, response);
    response.once('close', () => {
      if (this.#answering.get(socket) === response) this.#answering.delete(socket);
    });
    const requestId = requestIdOf(request);
    const mediaType = responseType(request.headers.accept);
    response.setHeader('X-Request-Id', requestId);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    this.#answer(request, response, requestId, startedAt, mediaType).catch((error: unknown) => {
      const known = error instanceof DomainError;
      const refusal = known ? error : new DomainError('INTERNAL_SERVER_ERROR', { cause: error });
      this.#options.metrics.refusal(refusal.code);
      const line = { requestId, code: refusal.code, milliseconds: performance.now() - startedAt };
      // To shed load is no defect, and a line with frames for each that is shed would make it worse.
      if (refusal.status < 500 || refusal.code === 'SERVICE_UNAVAILABLE') this.#logRefusal(line, refusal);
      else this.#options.log.error({ ...line, cause: describeError(refusal) }, 'request failed');
      if (response.headersSent) {
        response.destroy();
        return;
      }
      // What is left of the body may end with the connection, so that no other request should follow on it.
      if (!request.complete) response.setHeader('Connection', 'close');
      refuse(response, refusal, requestId, mediaType);
      dropBody(request, () => response.end());
    });
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    startedAt: number,
    mediaType: string | null,
  ): Promise<void> {
    const options = this.#options;
    const isPreflight = applyCors(request, response, options.corsOrigins);
    if (isPreflight) return;
    // RFC 9112, section 3.2.2: the target may be a whole URL, as a client of a proxy sends it.
    if (!request.url?.startsWith('/')) request.url = pathOfUrl(request.url);
    const path = request.url.split('?', 1)[0];
    if (request.headers.host === undefined && request.httpVersion === '1.1') throw badRequest('Send a Host header.');
    if (path === '/livez') return sendLiveness(response);
    if (path === '/readyz') return sendReadiness(response, this.#draining, options.readinessChecks);
    if (options.developmentToken && !hasLoopbackHost(request)) throw foreignHost();
    // Also while too much goes on: that is when they are looked at.
    if (path === '/metrics') return sendMetrics(response, options.metrics);
    if (this.#draining) throw shuttingDown();
    const place = this.#places.take();
    response.once('close', place.leave);
    if (options.developmentToken && wantsGraphiql(request) && (path === '/' || path === '/graphql')) {
      return sendGraphiql(response, await options.developmentToken());
    }
    if (path !== '/graphql') throw new DomainError('NOT_FOUND', { description: 'GraphQL is at /graphql.' });
    checkProtocol(request);
    if (!mediaType) throw notAcceptable();
    const principal = await this.#authenticate(request, response);
    const spend = (points: number) => options.budget.spend(principal, request, response, points);
    await spend(1);
    const body = request.method === 'POST' ? await place.receive((signal) => readJson(request, signal)) : undefined;
    const caller: Caller = {
      principal,
      requestId,
      writeDeadline: performance.now() + writeMilliseconds,
      confidential: !options.requireTls || isConfidential(request, options.trustProxy),
    };
    request.socket.setTimeout(operationMilliseconds);
    const onAnswer = () => void request.socket.setTimeout(stallMilliseconds);
    await traced('graphql.request', () =>
      options.graphql(request, response, { caller, body, mediaType, startedAt, spend, onAnswer }),
    );
  }

  #logRefusal(line: object, { details }: DomainError): void {
    this.#options.log.info(line, 'refused');
    // Why a token is wrong is told to nobody but the operator who looks for it: jose's own code says it.
    if (details.cause) this.#options.log.debug({ ...line, cause: describeError(details.cause) }, 'refused because');
  }

  async #authenticate(request: IncomingMessage, response: ServerResponse) {
    try {
      return await authenticate(request, this.#options.verifyToken);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'UNAUTHORIZED') {
        await this.#options.budget.spendFailure(request, response);
      }
      throw error;
    }
  }
}

async function sendMetrics(response: ServerResponse, metrics: Metrics): Promise<void> {
  const { type, body } = await metrics.text();
  response.writeHead(200, { 'Content-Type': type });
  response.end(body);
}

function pathOfUrl(target: string | undefined): string {
  const url = URL.parse(target ?? '');
  return url ? url.pathname + url.search : '/';
}

function shuttingDown(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'The gateway is shutting down.',
    retryAfterSeconds: 1,
    headers: { Connection: 'close' },
  });
}

/** What GraphQL over HTTP asks of a request before its body is read. @throws DomainError */
function checkProtocol(request: IncomingMessage): void {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'POST') {
    throw new DomainError('METHOD_NOT_ALLOWED', {
      description: 'Send a POST, or a GET for a query.',
      headers: { Allow: 'GET, POST' },
    });
  }
  // JSON alone: a form could be sent by any page the caller has open, without a preflight.
  if (method === 'POST' && !isJson(headers['content-type'])) {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', {
      description: 'Send the request with "Content-Type: application/json".',
      headers: { 'Accept-Post': 'application/json' },
    });
  }
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', {
      description: 'Send the body uncompressed.',
      headers: { 'Accept-Encoding': 'identity' },
    });
  }
}

function notAcceptable(): DomainError {
  return new DomainError('NOT_ACCEPTABLE', {
    description: 'Accept application/graphql-response+json or application/json.',
  });
}

function foreignHost(): DomainError {
  return new DomainError('FORBIDDEN', {
    description: 'In development mode the gateway answers to localhost, 127.0.0.1 and [::1] alone.',
  });
}
