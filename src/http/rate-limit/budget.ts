import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '../../errors.ts';
import { actorOf, type Principal } from '../../model/principal.ts';
import { clientAddress } from './client-address.ts';
import type { RateLimiter, RateLimitState } from './rate-limiter.ts';

/** How much callers may ask for. Nothing is waited for, and no promise returned, where the shared counter need not be asked. */
export interface Budget {
  /**
   * Takes points from a principal's budget, or without credentials from its address's. The response's RateLimit headers
   * tell what is left.
   * @throws DomainError TOO_MANY_REQUESTS
   */
  spend(
    principal: Principal | null,
    request: IncomingMessage,
    response: ServerResponse,
    points: number,
  ): Promise<void> | void;
  /**
   * Takes points from an address's budget for failures. Good tokens, and API keys that were good here before, are not refused
   * for it: behind a router, one client's bad credentials must not lock out the others.
   * @throws DomainError TOO_MANY_REQUESTS
   */
  spendFailure(request: IncomingMessage, response: ServerResponse): Promise<void> | void;
  /**
   * Refuses an address that has used up its budget for failures. Only for credentials that were not good here before, and cost
   * a read of the store: nobody may make the gateway look up any number of invented ones.
   * @throws DomainError TOO_MANY_REQUESTS
   */
  admitLookUp(request: IncomingMessage, response: ServerResponse): Promise<void> | void;
}

/** Wrong credentials cost an address this many times what a query costs. */
const failurePoints = 10;

/** @param limiter null: nothing is counted */
export function createBudget(limiter: RateLimiter | null, trustProxy: boolean): Budget {
  if (!limiter) return { spend() {}, spendFailure() {}, admitLookUp() {} };
  const { limit, consume } = limiter;
  // An operation that costs more than a whole window could never run. It takes all of a window except the point that the
  // request itself has taken.
  const maxPoints = Math.max(1, limit.points - 1);

  /** @param policy its name in draft-ietf-httpapi-ratelimit-headers-11 */
  function take(policy: Policy, key: string, points: number, response: ServerResponse): Promise<void> | void {
    const state = consume(`${policy} ${key}`, Math.min(points, maxPoints));
    return state instanceof Promise
      ? state.then((counted) => tell(policy, counted, response))
      : tell(policy, state, response);
  }

  function tell(policy: Policy, state: RateLimitState, response: ServerResponse): void {
    response.setHeader('RateLimit-Policy', `"${policy}";q=${state.limit};w=${limit.windowSeconds}`);
    response.setHeader('RateLimit', `"${policy}";r=${state.remaining};t=${state.resetSeconds}`);
    // As in earlier drafts, which more clients know.
    response.setHeader('RateLimit-Limit', state.limit);
    response.setHeader('RateLimit-Remaining', state.remaining);
    response.setHeader('RateLimit-Reset', state.resetSeconds);
    if (state.exceeded) throw tooMany(state);
  }

  const addressOf = (request: IncomingMessage) => clientAddress(request, trustProxy);
  return {
    spend: (principal, request, response, points) =>
      principal
        ? take(principal.kind, actorOf(principal).id, points, response)
        : take('address', addressOf(request), points, response),
    spendFailure: (request, response) => take('failures', addressOf(request), failurePoints, response),
    admitLookUp: (request, response) => take('failures', addressOf(request), 0, response),
  };
}

/** Whose points are counted: those of a principal of this kind, or of an address. */
type Policy = Principal['kind'] | 'address' | 'failures';

function tooMany({ limit, resetSeconds }: RateLimitState): DomainError {
  return new DomainError('TOO_MANY_REQUESTS', {
    description: `The limit is ${limit} points in a window. A query takes 1, each mutation in an operation 5, every 1,000 objects that it could return 1 more; each list counts as 10 objects, and 20,000 rows that filters look at are 1 point. Retry in ${resetSeconds} s.`,
    retryAfterSeconds: resetSeconds,
  });
}
