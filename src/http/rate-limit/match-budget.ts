import { actorKey, actorOf, type Principal } from '../../model/principal.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { Counter } from '../../store/store.ts';
import { createSpend } from './create-spend.ts';

/** How often a principal may have values compared with stored ones. */
export const matchLimit = { points: 30, windowSeconds: 60 };

const rule = `Values may be compared with stored ones ${matchLimit.points} times in ${matchLimit.windowSeconds} seconds: each matchesSecret is one time, and so is a call for many secrets that meets secrets of the same names.`;

/**
 * A budget of its own, also where RATE_LIMIT is off: it bounds how many values somebody can try until one is the right one.
 * @returns takes one from it. @throws DomainError TOO_MANY_REQUESTS
 */
export function createMatchBudget(counter: Counter, trace: Trace): (principal: Principal) => Promise<void> | void {
  const spend = createSpend({ limit: matchLimit, name: 'match', rule }, counter, trace);
  return (principal) => spend(actorKey(actorOf(principal)));
}
