import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import { DomainError } from '../../errors.ts';
import type { Principal } from '../../model/principal.ts';
import type { Counter } from '../../store/store.ts';
import { createRateLimiter, type RateLimit, type RateLimitState } from './rate-limiter.ts';

/** How much callers may ask for. */
export interface Budget {
  /**
   * Takes points from a principal's budget, or without credentials from its address's, and says in the response's
   * RateLimit headers what is left.
   * @throws DomainError TOO_MANY_REQUESTS
   */
  spend(principal: Principal | null, request: IncomingMessage, response: ServerResponse, points: number): Promise<void>;
  /**
   * Takes a point from what an address may fail with. Good credentials from the same address are never held up: behind
   * a gateway, one client's bad tokens must not lock out the others.
   * @throws DomainError TOO_MANY_REQUESTS
   */
  spendFailure(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** Wrong credentials cost an address this many times what a query costs. */
const failurePoints = 10;

/** @param limit null: nothing is counted */
export function createBudget(
  limit: RateLimit | null,
  counter: (seconds: number) => Counter,
  trustProxy: boolean,
): Budget {
  if (!limit) return { async spend() {}, async spendFailure() {} };
  const limiter = createRateLimiter(limit, counter(limit.windowSeconds));
  const { points: windowPoints } = limit;

  async function take(key: string, points: number, response: ServerResponse): Promise<void> {
    // Dearer than a whole window, it could never be met: it takes what a window has, but for the point of the request itself.
    const state = await limiter.consume(key, Math.min(points, Math.max(1, windowPoints - 1)));
    response.setHeader('RateLimit-Limit', state.limit);
    response.setHeader('RateLimit-Remaining', state.remaining);
    response.setHeader('RateLimit-Reset', state.resetSeconds);
    if (state.exceeded) throw tooMany(state);
  }

  return {
    spend: (principal, request, response, points) =>
      take(principal ? `subject ${principal.subject}` : `address ${addressOf(request, trustProxy)}`, points, response),
    spendFailure: (request, response) => take(`failures ${addressOf(request, trustProxy)}`, failurePoints, response),
  };
}

function tooMany({ limit, resetSeconds }: RateLimitState): DomainError {
  return new DomainError('TOO_MANY_REQUESTS', {
    description: `The limit is ${limit} points in a window; a query takes 1, each mutation in an operation 5, every 1,000 objects that it could return 1 more. Come back in ${resetSeconds} s.`,
    retryAfterSeconds: resetSeconds,
  });
}

/** The client's address; behind a trusted proxy, the one that the proxy itself saw, which comes last. */
function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  const last =
    String(forwarded ?? '')
      .split(',')
      .at(-1)
      ?.trim() ?? '';
  // Some proxies add the port, which is another for each connection.
  const address = isIP(last) ? last : last.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return networkOf(isIP(address) ? address : (request.socket.remoteAddress ?? 'unknown'));
}

/** One client has a whole IPv6 network of 64 bits (RFC 6177), and could come from another address of it each time. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = [], tail = []] = address
    .toLowerCase()
    .split('::')
    .map((part) => part.split(':').filter(Boolean));
  const groups = [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
