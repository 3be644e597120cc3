import { DomainError } from '../errors.ts';
import type { Commit } from '../idempotency/once.ts';
import { macOfApiKey, requireGenuine } from '../identity/api-key-mac.ts';
import { authenticated, authorizeManagingKeys, requireScope } from '../identity/authorize.ts';
import type { ApiKeyRecord } from '../model/api-key.ts';
import type { Caller } from '../model/caller.ts';
import type { Principal } from '../model/principal.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { StoreConflict, type Write } from '../store/store.ts';
import type { ApiKeyDependencies } from './dependencies.ts';

/** What a change makes of a key. Without a write the key stays as it is. */
export interface PreparedChange<T> {
  readonly write: Extract<Write, { type: 'changeApiKey' }> | null;
  readonly result: T;
}

/** Others may change the key meanwhile. The change is then prepared again, on what they left. */
const maxAttempts = 5;

/**
 * Changes one key. When this resolves, no request that begins later is accepted here on what the key was before.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND (also for a key of another team), SERVICE_UNAVAILABLE, and
 * what `prepare` throws
 */
export async function changeApiKey<T>(
  dependencies: ApiKeyDependencies,
  caller: Caller,
  id: string,
  commit: Commit<T>,
  prepare: (current: ApiKeyRecord, principal: Principal) => PreparedChange<T>,
): Promise<T> {
  const { apiKeys, keyring, forgetApiKey } = dependencies;
  const teamIds = requireManager(caller).teams.map((team) => team.id);
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const current = await apiKeys.find(id, teamIds);
    if (!current) throw new DomainError('NOT_FOUND');
    const principal = authorizeManagingKeys(caller, current.teamId);
    requireGenuine(current, keyring());
    const { write, result } = prepare(current, principal);
    requireBeforeWriteDeadline(caller);
    try {
      await commit(write ? [write] : [], result);
      return result;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
    } finally {
      // Also when it is not known whether it was written.
      forgetApiKey(current.hash);
    }
  }
  throw new DomainError('SERVICE_UNAVAILABLE', {
    description: 'Too many others change this API key at once.',
    retryAfterSeconds: 1,
  });
}

/** @throws DomainError before anything is looked up. The team is checked when it is known. */
export function requireManager(caller: Caller): Principal {
  const principal = authenticated(caller);
  requireScope(principal, 'keys:manage');
  return principal;
}

/** A key whose end is brought forward. */
export function ended(
  current: ApiKeyRecord,
  end: Partial<Pick<ApiKeyRecord, 'expiresAt' | 'revokedAt'>>,
  { keyring }: ApiKeyDependencies,
): ApiKeyRecord {
  const said = { ...current, ...end };
  return { ...said, mac: macOfApiKey(said, keyring()) };
}
