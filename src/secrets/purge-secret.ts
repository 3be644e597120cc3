import { DomainError } from '../errors.ts';
import { keptPurge, type Purged } from '../idempotency/kept.ts';
import { type Commit, type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, authorizeManagingKeys, mayReach, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Principal } from '../model/principal.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { backOff } from '../runtime/back-off.ts';
import type { PurgedSecret } from '../store/deleted-secrets.ts';
import { StoreConflict } from '../store/store.ts';
import { eventOf } from './audit-event.ts';
import { tooMuchContention } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';

export interface PurgeSecretInput extends IdempotentInput {
  readonly id: string;
}

const maxAttempts = 10;

/**
 * Removes a secret and all its values at once and for good, whether it was deleted or not. Its audit events stay, and its id
 * stays taken.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UNPROCESSABLE_ENTITY, SERVICE_UNAVAILABLE
 */
export async function purgeSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: PurgeSecretInput,
): Promise<Purged> {
  const principal = authenticated(caller);
  requireScope(principal, 'keys:manage');
  const errors = new FieldErrors();
  const id = checkId(input.id, errors.at('id'));
  return once(dependencies, caller, { mutation: 'purgeSecret', input, errors }, keptPurge, (commit) => {
    errors.throwIfAny();
    return purge(dependencies, caller, principal, id, commit);
  });
}

async function purge(
  dependencies: Dependencies,
  caller: Caller,
  principal: Principal,
  id: string,
  commit: Commit<Purged>,
): Promise<Purged> {
  requireBeforeWriteDeadline(caller);
  const found = await existing(dependencies, principal, id);
  const { owner } = found.secret;
  if (owner.type !== 'user') authorizeManagingKeys(caller, owner.teamId);

  return dependencies.mutex(id, async (waited) => {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      // It may have been deleted, or restored, while others wrote.
      const { type, secret } = attempt === 1 && !waited ? found : await existing(dependencies, principal, id);
      const event = eventOf('secret.purged', secret, principal, caller, dependencies.now());
      requireBeforeWriteDeadline(caller);
      try {
        const purged = { id, owner };
        await commit([{ type, secret, event }], purged);
        return purged;
      } catch (error) {
        if (!(error instanceof StoreConflict)) throw error;
        await backOff(attempt);
      }
    }
    throw tooMuchContention();
  });
}

/** @throws DomainError NOT_FOUND */
async function existing(
  { store }: Dependencies,
  principal: Principal,
  id: string,
): Promise<{ readonly type: 'purgeSecret' | 'purgeDeletedSecret'; readonly secret: PurgedSecret }> {
  const live = async () => ({ type: 'purgeSecret', secret: await store.find(id) }) as const;
  const deleted = async () => ({ type: 'purgeDeletedSecret', secret: await store.deletedSecrets.find(id) }) as const;
  // A third time, because it may have been restored between two reads. What is somebody else's is looked for as long as what is missing.
  for (const look of [live, deleted, live]) {
    const { type, secret } = await look();
    if (secret && mayReach(principal, secret.owner)) return { type, secret };
  }
  throw new DomainError('NOT_FOUND');
}
