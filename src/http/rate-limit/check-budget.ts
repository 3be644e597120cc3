import { DomainError } from '../../errors.ts';
import { actorKey, actorOf, type Principal } from '../../model/principal.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { Counter } from '../../store/store.ts';
import { createRateLimiter } from './rate-limiter.ts';

/** How often a principal may have providers asked about keys. */
export const checkLimit = { points: 30, windowSeconds: 60 };

/**
 * A budget of its own, also where RATE_LIMIT is off: it bounds how many keys somebody can try, and what providers get from the
 * gateway's address.
 * @returns takes one from it. @throws DomainError TOO_MANY_REQUESTS
 */
export function createCheckBudget(counter: Counter, trace: Trace): (principal: Principal) => Promise<void> | void {
  const { consume } = createRateLimiter(checkLimit, counter, trace);
  return (principal) => {
    const state = consume(`check ${actorKey(actorOf(principal))}`, 1);
    return state instanceof Promise ? state.then(requireLeft) : requireLeft(state);
  };
}

function requireLeft({ exceeded, resetSeconds }: { readonly exceeded: boolean; readonly resetSeconds: number }): void {
  if (!exceeded) return;
  throw new DomainError('TOO_MANY_REQUESTS', {
    description: `Keys may be checked ${checkLimit.points} times in ${checkLimit.windowSeconds} seconds: each checkSecret is one time, and so is each input with verify. Retry in ${resetSeconds} s.`,
    retryAfterSeconds: resetSeconds,
  });
}
