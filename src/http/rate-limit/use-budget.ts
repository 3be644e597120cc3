import type { Trace } from '../../runtime/trace.ts';
import type { Counter } from '../../store/store.ts';
import { createSpend } from './create-spend.ts';
import type { RateLimit } from './rate-limiter.ts';

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
  const rule = `The secret may be used ${limit.points} times in ${limit.windowSeconds} seconds.`;
  return createSpend({ limit, name: 'use', rule }, counter(limit.windowSeconds), trace);
}
