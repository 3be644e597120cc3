import { actorKey, actorOf, type Principal } from '../../model/principal.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { Counter } from '../../store/store.ts';
import { createSpend } from './create-spend.ts';

/** How often a principal may have providers asked about keys. */
export const checkLimit = { points: 30, windowSeconds: 60 };

const rule = `Keys may be checked ${checkLimit.points} times in ${checkLimit.windowSeconds} seconds: each checkSecret is one time, and so is each input with verify.`;

/**
 * A budget of its own, also where RATE_LIMIT is off: it bounds how many keys somebody can try, and what providers get from the
 * gateway's address.
 * @returns takes one from it. @throws DomainError TOO_MANY_REQUESTS
 */
export function createCheckBudget(counter: Counter, trace: Trace): (principal: Principal) => Promise<void> | void {
  const spend = createSpend({ limit: checkLimit, name: 'check', rule }, counter, trace);
  return (principal) => spend(actorKey(actorOf(principal)));
}
