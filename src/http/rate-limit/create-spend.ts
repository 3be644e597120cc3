import { DomainError } from '../../errors.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { Counter } from '../../store/store.ts';
import { createRateLimiter, type RateLimit } from './rate-limiter.ts';

export interface SpendOptions {
  readonly limit: RateLimit;
  /** Keeps the budgets of one counter apart. */
  readonly name: string;
  /** The sentence that says what is limited, for who is over the limit. */
  readonly rule: string;
}

/** @returns takes one point from the budget of a key. @throws DomainError TOO_MANY_REQUESTS */
export function createSpend(
  { limit, name, rule }: SpendOptions,
  counter: Counter,
  trace: Trace,
): (key: string) => Promise<void> | void {
  const { consume } = createRateLimiter(limit, counter, trace);
  const requireLeft = ({ exceeded, resetSeconds }: { readonly exceeded: boolean; readonly resetSeconds: number }) => {
    if (!exceeded) return;
    const description = `${rule} Retry in ${resetSeconds} s.`;
    throw new DomainError('TOO_MANY_REQUESTS', { description, retryAfterSeconds: resetSeconds });
  };
  return (key) => {
    const state = consume(`${name} ${key}`, 1);
    return state instanceof Promise ? state.then(requireLeft) : requireLeft(state);
  };
}
