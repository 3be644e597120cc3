import type { IncomingMessage } from 'node:http';
import { DomainError } from '../../errors.ts';
import type { Identify, RepeatableCredentials } from '../../http/identify.ts';
import { isJson, jsonType } from '../../http/media-type.ts';
import type { Budget } from '../../http/rate-limit/budget.ts';
import { type ErrorShape, HttpRefusal, jsonErrors } from '../../http/refusal.ts';
import type { Route } from '../../http/route.ts';
import { isSecureTransport } from '../../http/transport.ts';
import type { Caller } from '../../model/caller.ts';
import { Answer } from '../../runtime/answer.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { Engine } from './engine.ts';
import { EventStream } from './event-stream.ts';
import { parseJson } from './json-body.ts';
import { graphqlResponseType, responseType } from './response-type.ts';

export interface GraphQLRouteOptions {
  readonly engine: Engine;
  readonly identify: Identify;
  readonly credentials: RepeatableCredentials;
  readonly budget: Budget;
  readonly trace: Trace;
  /** Whether values in clear must come over TLS or loopback. */
  readonly requireTls: boolean;
  readonly trustProxy: boolean;
}

/** After this time no write is begun for a request. What was begun has the deadlines of the store: two calls of 5 s. */
const writeMs = 10_000;
/** By then every operation has ended, whatever the store does, and its client has been told how. */
const operationMs = 25_000;
/** The body, the operation, and a minute to read the answer. */
const totalMs = 30_000 + operationMs + 60_000;
/** Something is sent on a stream every 15 s. */
const streamIdleMs = 60_000;
const limits = { maxBodyBytes: 1024 * 1024, arrivalMs: 30_000, idleMs: 15_000, totalMs };

/** The media type that the client prefers, whatever it says of others. */
const graphqlErrors: ErrorShape = {
  ...jsonErrors,
  contentType(request) {
    const isAsked = responseType(request?.headers.accept) === graphqlResponseType;
    return `${isAsked ? graphqlResponseType : jsonType}; charset=utf-8`;
  },
};

/** `GET` and `POST /graphql` (GraphQL over HTTP). */
export function graphqlRoute(options: GraphQLRouteOptions): Route {
  const { engine, identify, credentials, budget, trace, requireTls, trustProxy } = options;
  return {
    path: '/graphql',
    methods: ['GET', 'POST'],
    admission: 'slot',
    anyHost: false,
    crossOrigin: true,
    limits,
    errors: graphqlErrors,
    async answer(exchange) {
      const { request, response, requestId, startedAtMs } = exchange;
      requireReadableBody(request);
      const mediaType = responseType(request.headers.accept);
      if (!mediaType) throw notAcceptable();
      // Before anything is waited for: see readBody.
      const arriving = request.method === 'POST' ? exchange.readBody(limits) : null;
      const identified = exchange.working(identify(exchange));
      const principal = identified instanceof Promise ? await identified : identified;
      const spend = (points: number) => budget.spend(principal, request, response, points);
      const spending = exchange.working(spend(1));
      if (spending) await spending;
      const body = arriving ? parseJson(await arriving) : undefined;
      const answer = new Answer(() => response.destroy());
      exchange.onEnd(() => {
        if (!response.writableFinished) answer.stop(clientGone());
        answer.end();
      });
      const caller: Caller = {
        principal,
        requestId,
        answer,
        writeDeadlineMs: performance.now() + writeMs,
        secureTransport: !requireTls || isSecureTransport(request, trustProxy),
        credentials: () => credentials(request),
      };
      exchange.limitIdle(operationMs);
      const onAnswer = () => exchange.limitIdle(limits.idleMs);
      const openStream = () => {
        exchange.beginStream(streamIdleMs);
        return new EventStream(response);
      };
      const context = { caller, body, mediaType, startedAtMs, spend, onAnswer, openStream };
      return trace('graphql.request', () => engine(request, response, context));
    },
  };
}

/** @throws DomainError UNSUPPORTED_MEDIA_TYPE */
function requireReadableBody({ method, headers }: IncomingMessage): void {
  // Only JSON: any page that the caller has open could send a form without a preflight request.
  if (method === 'POST' && !isJson(headers['content-type'])) {
    throw new HttpRefusal(
      'UNSUPPORTED_MEDIA_TYPE',
      { 'Accept-Post': 'application/json' },
      { description: 'Send the request with "Content-Type: application/json".' },
    );
  }
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    throw new HttpRefusal(
      'UNSUPPORTED_MEDIA_TYPE',
      { 'Accept-Encoding': 'identity' },
      { description: 'Send the body uncompressed.' },
    );
  }
}

/** Only the log tells: nobody reads the answer. */
function clientGone(): DomainError {
  return new DomainError('BAD_REQUEST', { message: 'The client has gone.' });
}

function notAcceptable(): DomainError {
  return new DomainError('NOT_ACCEPTABLE', {
    description:
      'Accept application/graphql-response+json or application/json, or text/event-stream for a subscription.',
  });
}
