import { DomainError } from '../../errors.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { Counter } from '../../store/store.ts';
import { createRateLimiter, type RateLimit } from './rate-limiter.ts';

/**
 * How often a secret may be used, whoever uses it: what a service allows for a key, its users share.
 * @param limit null for any number
 * @returns takes one from the budget of a secret. @throws DomainError TOO_MANY_REQUESTS
 */
export function createUseBudget(
  limit: RateLimit | null,
  counter: (windowSeconds: number) => Counter,
  trace: Trace,
): (secretId: string) => Promise<void> | void {
  if (!limit) return () => {};
  const { consume } = createRateLimiter(limit, counter(limit.windowSeconds), trace);
  const requireLeft = ({ exceeded, resetSeconds }: { readonly exceeded: boolean; readonly resetSeconds: number }) => {
    if (!exceeded) return;
    throw new DomainError('TOO_MANY_REQUESTS', {
      description: `The secret may be used ${limit.points} times in ${limit.windowSeconds} seconds. Retry in ${resetSeconds} s.`,
      retryAfterSeconds: resetSeconds,
    });
  };
  return (secretId) => {
    const state = consume(`use ${secretId}`, 1);
    return state instanceof Promise ? state.then(requireLeft) : requireLeft(state);
  };
}
