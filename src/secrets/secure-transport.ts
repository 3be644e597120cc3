import { DomainError } from '../errors.ts';
import type { Caller } from '../model/principal.ts';

/**
 * For an operation that was sent a value in clear.
 * @throws DomainError UPGRADE_REQUIRED (RFC 9110, section 15.5.22) when others could have read it on the way
 */
export function requireConfidential(caller: Caller): void {
  if (caller.confidential) return;
  throw new DomainError('UPGRADE_REQUIRED', {
    description: 'The value came over plain HTTP. Take it as disclosed: replace it, and send the new one over HTTPS.',
    headers: { Upgrade: 'TLS/1.2, HTTP/1.1', Connection: 'Upgrade' },
  });
}
