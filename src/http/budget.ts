import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { Counter } from '../store/store.ts';
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

  async function take(key: string, points: number, response: ServerResponse): Promise<void> {
    const state = await limiter.consume(key, points);
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
    description: `The limit is ${limit} points in a window; a query takes 1, a mutation 5. Come back in ${resetSeconds} s.`,
    retryAfterSeconds: resetSeconds,
  });
}

/** The client's address; behind a trusted proxy, the one that the proxy itself saw, which comes last. */
function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  const last = forwarded === undefined ? undefined : String(forwarded).split(',').at(-1)?.trim();
  return last || (request.socket.remoteAddress ?? 'unknown');
}
