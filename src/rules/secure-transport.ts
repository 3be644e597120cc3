import { DomainError } from '../errors.ts';
import type { Caller } from '../model/caller.ts';

/**
 * For an operation that was sent a value in clear, or answers with a credential.
 * @throws DomainError UPGRADE_REQUIRED (RFC 9110, section 15.5.22) when somebody could have read it on the way
 */
export function requireSecureTransport(caller: Caller, description = valueInClear): void {
  if (caller.secureTransport) return;
  throw new DomainError('UPGRADE_REQUIRED', { description });
}

const valueInClear =
  'The value came over plain HTTP. Treat it as disclosed: replace it, and send the new one over HTTPS.';
