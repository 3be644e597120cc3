import { setTimeout } from 'node:timers/promises';
import { DomainError } from '../errors.ts';
import { authenticated } from '../identity/authorize.ts';
import type { Caller } from '../model/principal.ts';
import { tooMuchContention } from '../runtime/keyed-mutex.ts';
import { type Change, type Secret, StoreConflict } from '../store/store.ts';
import { nameTaken, versionIsNotCurrent } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { visibleSecret } from './find-secret.ts';
import { requireTime } from './write-deadline.ts';

/** What shall be of a secret as it is now; no change leaves it as it is. */
export interface PreparedChange {
  readonly change: Change | null;
  readonly result: Secret;
}

/** Writers in other gateways may come between; each time the change is prepared anew, on what they left. */
const maxAttempts = 10;

/**
 * Changes one secret as it is now, after those who asked before. The scope is the operation's to require.
 * @throws DomainError NOT_FOUND, CONFLICT_ERROR (name), SERVICE_UNAVAILABLE, and what `prepare` throws
 */
export function changeSecret(
  dependencies: Dependencies,
  caller: Caller,
  id: string,
  prepare: (current: Secret) => Promise<PreparedChange> | PreparedChange,
): Promise<Secret> {
  const principal = authenticated(caller);
  return dependencies.inTurn(id, async () => {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      requireTime(caller);
      const current = await visibleSecret(dependencies, principal, id);
      if (!current) throw new DomainError('NOT_FOUND');
      const { change, result } = await prepare(current);
      if (!change) return result;
      requireTime(caller);
      try {
        await dependencies.store.commit([change]);
        return result;
      } catch (error) {
        if (!(error instanceof StoreConflict)) throw error;
        if (error.on === 'name') throw nameTaken();
        await setTimeout(Math.random() * 10 * attempt);
      }
    }
    throw tooMuchContention();
  });
}

/** @throws DomainError CONFLICT_ERROR with the current version, unless it is the expected one */
export function checkVersion(current: Secret, expectedVersion: number | null | undefined): void {
  if (expectedVersion != null && expectedVersion !== current.version) throw versionIsNotCurrent(current.version);
}
