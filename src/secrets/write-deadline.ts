import { DomainError } from '../errors.ts';
import type { Caller } from '../model/principal.ts';

/** Before every write: a client that has been told of a time-out must not find it made all the same later. @throws DomainError GATEWAY_TIMEOUT */
export function requireTime(caller: Caller): void {
  if (performance.now() < caller.writeDeadline) return;
  throw new DomainError('GATEWAY_TIMEOUT', {
    description: 'The store was too slow, and this was not begun. Retry.',
    retryAfterSeconds: 1,
  });
}
