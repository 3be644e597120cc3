import type { Commit } from '../idempotency/once.ts';
import { authenticated } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Principal } from '../model/principal.ts';
import type { Secret, StoredSecret } from '../model/secret.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { backOff } from '../runtime/back-off.ts';
import { StoreConflict, type Write } from '../store/store.ts';
import { nameTaken, sealedValueRefused, tooMuchContention, versionIsNotCurrent } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';

/** What a change makes of the current secret. Without a write the secret stays as it is. */
export interface PreparedChange<T> {
  readonly write: Write | null;
  readonly result: T;
}

/** Another gateway may write in between. The change is then prepared again, on what that gateway left. */
const maxAttempts = 10;

/**
 * Changes the current version of one secret, after earlier changes to it in this process. The operation must have required
 * the scopes.
 * @param find the secret, if the principal may see it
 * @throws DomainError NOT_FOUND, CONFLICT_ERROR (name), SERVICE_UNAVAILABLE, and what `prepare` throws
 */
export async function changeSecret<Current extends StoredSecret, T extends Secret>(
  dependencies: Dependencies,
  caller: Caller,
  id: string,
  find: (dependencies: Dependencies, principal: Principal, id: string) => Promise<Current>,
  commit: Commit<T>,
  prepare: (current: Current) => Promise<PreparedChange<T>> | PreparedChange<T>,
): Promise<T> {
  const principal = authenticated(caller);
  requireBeforeWriteDeadline(caller);
  // Before the mutex: a caller who may not see the secret must not wait for its writers, which would show that it exists,
  // and must not make them wait.
  const found = await find(dependencies, principal, id);
  return dependencies.mutex(id, async (waited) => {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      requireBeforeWriteDeadline(caller);
      // A write that came after the first look makes the commit fail on the version, and the secret is read again.
      const current = attempt === 1 && !waited ? found : await find(dependencies, principal, id);
      const { write, result } = await prepare(current);
      requireBeforeWriteDeadline(caller);
      try {
        await (write ? commit([write], result) : commit([], result, [current]));
        return result;
      } catch (error) {
        if (!(error instanceof StoreConflict)) throw error;
        if (error.on === 'nonce') throw sealedValueRefused('replayed');
        if (error.on === 'name') throw nameTaken();
        await backOff(attempt);
      }
    }
    throw tooMuchContention();
  });
}

/** @throws DomainError CONFLICT_ERROR with the current version, unless it is the expected one */
export function requireVersion(current: Secret, expectedVersion: number | null | undefined): void {
  if (expectedVersion != null && expectedVersion !== current.version) throw versionIsNotCurrent(current.version);
}
