import { DomainError } from '../errors.ts';
import type { Caller } from '../model/caller.ts';

/**
 * Called before every write: a client that was told of a time-out must not find the write made later.
 * @throws DomainError GATEWAY_TIMEOUT
 */
export function requireBeforeWriteDeadline(caller: Caller): void {
  if (performance.now() < caller.writeDeadlineMs) return;
  throw new DomainError('GATEWAY_TIMEOUT', {
    description: 'The store was too slow, and this was not begun. Retry.',
    retryAfterSeconds: 1,
  });
}
