import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { badRequest, DomainError } from '../../errors.ts';
import { isHeaderName, isHeaderValue } from '../../rules/header-syntax.ts';
import type { AbortSignalLike } from '../../runtime/abort.ts';
import type { Upstream } from './connect.ts';
import { UpstreamExchange, type UpstreamResponse } from './exchange.ts';
import { badGateway } from './failure.ts';
import { createResolve, type Resolve } from './resolve.ts';
import { UpstreamSockets } from './sockets.ts';

const maxConnectMs = 10_000;
/** How long a client may pause in the middle of its body. It holds two connections meanwhile. */
const maxBodyMs = 60_000;
/** Each use has one socket. One owner of one destination cannot have all. */
const maxSockets = 2000;
const maxSocketsOfPool = 1200;

export interface ForwarderOptions {
  readonly isAllowedAddress: (address: string) => boolean;
  /** Whether plain HTTP is spoken to loopback. */
  readonly allowHttp: boolean;
  /** To the first byte of the answer, and between bytes. */
  readonly timeoutMs: number;
  /** How long the client may send nothing of its body; a minute, or `timeoutMs` where that is less. */
  readonly bodyMs?: number;
  /** Looks names up; with this machine's DNS servers and hosts file otherwise. */
  readonly resolve?: Resolve;
}

/** The body of the client's request, and how that is framed. */
export interface RequestBody extends Readable {
  readonly headers: IncomingHttpHeaders;
}

export interface UpstreamRequest {
  /** Sockets are not shared between owners. */
  readonly ownerKey: string;
  readonly origin: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names and values in turn; not those that say how the request is framed or where it goes. */
  readonly headers: readonly string[];
  /** Is sent as it is framed: with its length, or chunked. */
  readonly body: RequestBody | null;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignalLike;
  /** Whether it has a connection of its own: on one that was kept, a request that changes something may be lost and not repeated. */
  readonly isAlone?: boolean;
}

export interface Forwarder {
  /**
   * Sends a request, and resolves when the head of the answer is there.
   * @throws DomainError BAD_GATEWAY, GATEWAY_TIMEOUT, SERVICE_UNAVAILABLE with too many at once, REQUEST_TIMEOUT when the client does not send its body
   */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Cuts off what is under way. */
  close(): void;
}

export function createForwarder(options: ForwarderOptions): Forwarder {
  const { isAllowedAddress, allowHttp, timeoutMs, resolve = createResolve() } = options;
  const { bodyMs = Math.min(maxBodyMs, timeoutMs) } = options;
  const sockets = new UpstreamSockets({
    isAllowedAddress,
    resolve,
    connectMs: Math.min(maxConnectMs, timeoutMs),
  });
  const inUse = new InUse();

  async function send(request: UpstreamRequest): Promise<UpstreamResponse> {
    const { ownerKey, origin, method, path, body, signal, isAlone = false } = request;
    const parsed = parsedOrigin(origin);
    if (!parsed || !(parsed.upstream.isSecure || allowHttp)) throw badGateway('insecure');
    requireSendable(request);
    const { host, upstream } = parsed;
    const pool = `${ownerKey}\n${parsed.origin}`;
    const rawHeaders = ['Host', host, ...request.headers, ...framingOf(method, body)];
    if (isAlone) rawHeaders.push('Connection', 'close');
    const use = { pool: isAlone ? `${pool}\n${randomUUID()}` : pool, upstream, signal, isAlone };
    const begin = () => {
      const release = inUse.take(pool);
      const onEnd = () => {
        release();
        sockets.forgetEmpty(use.pool);
      };
      const rules = { timeoutMs, bodyMs, isAllowedAddress };
      return new UpstreamExchange({ sockets, use, method, path, rawHeaders, body, ...rules, onEnd });
    };
    const first = begin();
    try {
      return await first.response;
    } catch (error) {
      // Its socket was one that was kept, and its server had closed it.
      if (!first.mayRepeat) throw error;
    }
    sockets.closeIdle(pool);
    return await begin().response;
  }

  return { send, close: () => sockets.destroy() };
}

/** How many sockets are in use, or being connected. */
class InUse {
  readonly #ofPool = new Map<string, number>();
  #all = 0;

  /** @returns what gives it back */
  take(pool: string): () => void {
    const count = this.#ofPool.get(pool) ?? 0;
    if (this.#all >= maxSockets || count >= maxSocketsOfPool) throw tooMany();
    this.#all += 1;
    this.#ofPool.set(pool, count + 1);
    return () => {
      this.#all -= 1;
      const left = (this.#ofPool.get(pool) ?? 1) - 1;
      if (left === 0) this.#ofPool.delete(pool);
      else this.#ofPool.set(pool, left);
    };
  }
}

interface ParsedOrigin {
  readonly origin: string;
  readonly host: string;
  readonly upstream: Upstream;
}

/** Destinations that were used. A parser is called for each of them, and not for each use. */
const parsedOrigins = new Map<string, ParsedOrigin>();
const mostParsed = 1000;

/** @returns null for what is no origin of HTTP */
function parsedOrigin(origin: string): ParsedOrigin | null {
  const earlier = parsedOrigins.get(origin);
  if (earlier) return earlier;
  const url = URL.parse(origin);
  if (!url || !(url.protocol === 'https:' || url.protocol === 'http:')) return null;
  const parsed = { origin: url.origin, host: url.host, upstream: upstreamOf(url) };
  if (parsedOrigins.size >= mostParsed) parsedOrigins.clear();
  parsedOrigins.set(origin, parsed);
  return parsed;
}

function upstreamOf({ protocol, hostname, port }: URL): Upstream {
  const isSecure = protocol === 'https:';
  return {
    isSecure,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
  };
}

/** These say how a message is framed or where it goes, and only this file may. */
const ownHeaders =
  /^(host|content-length|transfer-encoding|connection|keep-alive|proxy-connection|te|trailer|upgrade|expect)$/i;

/** Node would refuse it with errors that quote it. @throws DomainError */
function requireSendable({ method, path, headers }: UpstreamRequest): void {
  if (!/^[A-Z][A-Z-]*$/.test(method) || method === 'CONNECT') throw badRequest('Send another method.');
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw badRequest('The path has a character that must be percent-encoded.');
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (ownHeaders.test(name)) throw new Error('a header of the connection was to be forwarded');
    if (!isHeaderName(name) || !isHeaderValue(headers[at + 1] ?? ''))
      throw badRequest('A header has a character that cannot be sent.');
  }
}

/** The headers that frame the body as the client did. @throws DomainError BAD_REQUEST for a transfer coding other than chunked */
function framingOf(method: string, body: RequestBody | null): string[] {
  const { 'transfer-encoding': coding, 'content-length': length } = body?.headers ?? {};
  if (coding !== undefined) {
    if (coding.toLowerCase() === 'chunked') return ['Transfer-Encoding', 'chunked'];
    throw badRequest('Send the body with Content-Length, or chunked and with no other transfer coding.');
  }
  // In its one form: a server that takes 010 for 8 would take what is left of the body for the next request.
  if (length !== undefined) return ['Content-Length', String(Number(length))];
  // A method that gives a body a meaning says when there is none (RFC 9110, section 8.6). Node would send an empty one in chunks.
  return /^(GET|HEAD|DELETE|OPTIONS)$/.test(method) ? [] : ['Content-Length', '0'];
}

function tooMany(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'Too many requests to destinations are under way. Retry later.',
    retryAfterSeconds: 1,
  });
}
