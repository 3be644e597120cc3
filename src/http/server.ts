import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { DomainError } from '../errors.ts';
import type { Caller } from '../identity/principal.ts';
import type { VerifyToken } from '../identity/verify-token.ts';
import { describeError, type Log } from '../log.ts';
import { readJson } from './body.ts';
import { authenticate } from './credentials.ts';
import { sendGraphiql, wantsGraphiql } from './graphiql.ts';
import type { GraphQLEndpoint } from './graphql-endpoint.ts';
import { isJson, responseType } from './media-type.ts';
import { refuse } from './refuse.ts';
import { requestIdOf } from './request-id.ts';
import { hasLoopbackHost, isConfidential } from './transport.ts';

export interface ServerOptions {
  readonly graphql: GraphQLEndpoint;
  readonly verifyToken: VerifyToken;
  readonly requireTls: boolean;
  readonly trustProxy: boolean;
  /** Makes the token that GraphiQL calls with; null without the development issuer. */
  readonly developmentToken: (() => Promise<string>) | null;
  readonly log: Log;
}

/** The HTTP server: what is refused before GraphQL is refused here, each refusal in the shape of a GraphQL error. */
export function createGatewayServer(options: ServerOptions): Server {
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 2_000,
      // Of two Host headers or two credentials, neither can be told to be the true one.
      joinDuplicateHeaders: false,
    },
    (request, response) => {
      const requestId = requestIdOf(request);
      response.setHeader('X-Request-Id', requestId);
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Cache-Control', 'no-store');
      answer(request, response, requestId, options).catch((error: unknown) => {
        options.log.error({ requestId, cause: describeError(error) }, 'request failed');
        if (response.headersSent) response.destroy();
        else refuse(response, new DomainError('INTERNAL_SERVER_ERROR'), requestId);
      });
    },
  );
  server.on('clientError', refuseUnreadable);
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  options: ServerOptions,
): Promise<void> {
  const mediaType = responseType(request.headers.accept);
  try {
    if (options.developmentToken && !hasLoopbackHost(request)) throw foreignHost();
    const path = request.url?.split('?', 1)[0];
    if (options.developmentToken && wantsGraphiql(request) && (path === '/' || path === '/graphql')) {
      return await sendGraphiql(response, await options.developmentToken());
    }
    if (path !== '/graphql') throw new DomainError('NOT_FOUND', { description: 'GraphQL is at /graphql.' });
    checkProtocol(request, mediaType);
    const caller: Caller = {
      principal: await authenticate(request, options.verifyToken),
      requestId,
      confidential: !options.requireTls || isConfidential(request, options.trustProxy),
    };
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    // Yoga shall answer in what was agreed here.
    if (mediaType) request.headers.accept = mediaType;
    await options.graphql(request, response, { caller, body });
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.status >= 500) options.log.warn({ requestId, code: error.code, cause: describeError(error) }, 'refused');
    else options.log.debug({ requestId, code: error.code }, 'request refused');
    refuse(response, error, requestId, mediaType);
    dropBody(request);
  }
}

/** What GraphQL over HTTP asks of a request before its body is read. @throws DomainError */
function checkProtocol(request: IncomingMessage, mediaType: string | null): void {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'POST') {
    throw new DomainError('METHOD_NOT_ALLOWED', {
      description: 'Send a POST, or a GET for a query.',
      headers: { Allow: 'GET, POST' },
    });
  }
  if (!mediaType) {
    throw new DomainError('NOT_ACCEPTABLE', {
      description: 'Accept application/graphql-response+json or application/json.',
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

function foreignHost(): DomainError {
  return new DomainError('FORBIDDEN', {
    description: 'In development mode the gateway answers to localhost, 127.0.0.1 and [::1] alone.',
  });
}

const unreadBytes = 1024 * 1024;

/**
 * Reads on for a moment after a refusal, so that the client gets to see the answer instead of a reset connection;
 * a body that goes on beyond that ends with its connection.
 */
function dropBody(request: IncomingMessage): void {
  if (request.complete) return;
  let bytes = 0;
  const end = () => request.socket.destroySoon();
  const timer = setTimeout(end, 1000).unref();
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > unreadBytes) end();
  });
  request.on('close', () => clearTimeout(timer));
  request.resume();
}

const unreadable: Record<string, { status: string; code: 'BAD_REQUEST' | 'PAYLOAD_TOO_LARGE'; description: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'PAYLOAD_TOO_LARGE',
    description: 'The headers are over 16 KiB.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'BAD_REQUEST',
    description: 'The request did not arrive in time.',
  },
};

/** For what is not HTTP, or too slow to become it. The parser's own message would quote it. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = unreadable[error.code ?? ''];
  const { status, code, description } = known ?? {
    status: '400 Bad Request',
    code: 'BAD_REQUEST' as const,
    description: 'The request is not HTTP.',
  };
  const domainError = new DomainError(code, { description });
  const requestId = crypto.randomUUID();
  const body = JSON.stringify({
    errors: [
      {
        message: domainError.message,
        extensions: { code, status: Number.parseInt(status, 10), type: domainError.type, requestId, description },
      },
    ],
  });
  socket.end(
    `HTTP/1.1 ${status}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
