import type { IncomingMessage } from 'node:http';
import type { BodyLimits } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { ErrorShape } from './refusal.ts';

/** A path of the server, with its own protocol, limits and error shape. */
export interface Route {
  readonly path: string;
  /** Whether it answers every path that begins with its own. */
  readonly isPrefix?: boolean;
  /** Other methods are METHOD_NOT_ALLOWED. */
  readonly methods: readonly string[];
  /** Where several routes have the same path: whether this one answers the request. The first that does is taken. */
  readonly accepts?: (request: IncomingMessage) => boolean;
  /**
   * slot: the request takes one of the request slots, and is refused when none is free or the gateway is shutting down ·
   * own: the route itself bounds how many it answers; it is refused when the gateway is shutting down ·
   * always: it is answered even then
   */
  readonly admission: 'slot' | 'own' | 'always';
  /** Whether it answers under any Host header, also where the server answers to this machine's names only. */
  readonly anyHost: boolean;
  /** Whether pages of CORS_ORIGINS may read its answers. */
  readonly crossOrigin: boolean;
  /** Which other headers of its answers they may read. */
  readonly exposedHeaders?: string;
  readonly limits: RouteLimits;
  readonly errors: ErrorShape;
  /** @throws DomainError, which is answered in the route's error shape */
  answer(exchange: Exchange): Promise<void> | void;
}

export interface RouteLimits extends BodyLimits {
  /** How long the connection may be idle while a request arrives, and while its answer is sent. */
  readonly idleMs: number;
  /** How long all of it may take, from the first byte of the request to the last of its answer: some clients read slowly. */
  readonly totalMs: number;
}

/** For a route that reads no body. */
export const bodyless: RouteLimits = { maxBodyBytes: 0, arrivalMs: 0, idleMs: 15_000, totalMs: 60_000 };
