import { requireScope } from '../identity/authorize.ts';
import type { Principal } from '../model/principal.ts';

/** What a mutation will show of the secret that it changes. */
export interface Disclosure {
  /**
   * False only where nothing is shown but what the right to write covers: id, placeholder, name, owner, version and times.
   * When it is left out, more may be shown.
   */
  readonly reads?: boolean | undefined;
}

/**
 * Called by every mutation before it looks anything up: an update that changes nothing must not be a way to read.
 * @throws DomainError PERMISSION_ERROR
 */
export function requireDisclosure(principal: Principal, { reads = true }: Disclosure): void {
  if (reads) requireScope(principal, 'secrets:read', forMore);
}

const forMore =
  'Showing more of a secret than id, placeholder, name, owner, version and times, or a list, needs the scope secrets:read. Nothing was changed.';
