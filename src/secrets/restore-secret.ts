import { requireDeletedMac } from '../crypto/deleted-record.ts';
import { openBytes } from '../crypto/envelope.ts';
import { digestOfValue } from '../crypto/equality.ts';
import { KeyMissing } from '../crypto/key-missing.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { macOfRecord, openSealed, RecordRejected } from '../crypto/record.ts';
import { keptSecret } from '../idempotency/kept.ts';
import { type Commit, type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { DeletedRecord } from '../model/deleted-secret.ts';
import type { ValueDigest } from '../model/envelope.ts';
import { actorOf, type Principal } from '../model/principal.ts';
import type { Secret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { backOff } from '../runtime/back-off.ts';
import { StoreConflict, type Write } from '../store/store.ts';
import { eventOf } from './audit-event.ts';
import { restoredNameTaken, tooMuchContention } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import { restorableSecret } from './find-deleted-secret.ts';
import { newPlaceholder } from './placeholder.ts';

export interface RestoreSecretInput extends Disclosure, IdempotentInput {
  readonly id: string;
}

const maxAttempts = 10;

/**
 * Undoes a deletion: the secret is there again as it was, in a new version. Its placeholder is another where somebody has it by
 * now.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UNPROCESSABLE_ENTITY, CONFLICT_ERROR (name), SERVICE_UNAVAILABLE
 * @throws RecordRejected when something other than a gateway wrote the deleted secret
 */
export async function restoreSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: RestoreSecretInput,
): Promise<Secret> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:write');
  requireDisclosure(principal, input);
  const errors = new FieldErrors();
  const id = checkId(input.id, errors.at('id'));
  return once(dependencies, caller, { mutation: 'restoreSecret', input, errors }, keptSecret, (commit) => {
    errors.throwIfAny();
    return restore(dependencies, caller, principal, id, commit);
  });
}

async function restore(
  dependencies: Dependencies,
  caller: Caller,
  principal: Principal,
  id: string,
  commit: Commit<Secret>,
): Promise<Secret> {
  requireBeforeWriteDeadline(caller);
  // Before the mutex: a caller who may not see the secret must not wait for those who restore it.
  const found = await restorableSecret(dependencies, principal, id);

  return dependencies.mutex(id, async (waited) => {
    let deleted = waited ? await restorableSecret(dependencies, principal, id) : found;
    let { placeholder } = deleted;
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const { write, secret } = await restoration(dependencies, caller, principal, deleted, placeholder);
      requireBeforeWriteDeadline(caller);
      try {
        await commit([write], secret);
        return secret;
      } catch (error) {
        if (!(error instanceof StoreConflict)) throw error;
        if (error.on === 'name') throw restoredNameTaken();
        if (error.on === 'placeholder') placeholder = newPlaceholder();
        else await backOff(attempt);
        deleted = await restorableSecret(dependencies, principal, id);
      }
    }
    throw tooMuchContention();
  });
}

/** The value stays bound to the version in which it was set, so that its envelope opens as before. */
async function restoration(
  { keyring, now }: Dependencies,
  caller: Caller,
  principal: Principal,
  deleted: DeletedRecord,
  placeholder: string,
): Promise<{ readonly write: Write; readonly secret: Secret }> {
  const ring = keyring();
  // A new MAC must not make a record valid that something other than a gateway wrote.
  requireDeletedMac(deleted, ring);
  const at = now();
  const { sealed, mac: _, deletedAt: __, deletedBy: ___, ...before } = deleted;
  const secret = {
    ...before,
    placeholder,
    version: before.version + 1,
    updatedAt: at,
    updatedBy: actorOf(principal),
  };
  const mac = macOfRecord({ ...secret, sealed }, ring);
  const event = eventOf('secret.restored', secret, principal, caller, at);
  const digest = await digestAgain(deleted, ring);
  return { write: { type: 'restoreSecret', from: deleted, secret, ...(digest && { digest }), mac, event }, secret };
}

/**
 * A deleted secret keeps no digest. The value is in clear for no longer than it takes to make one, in bytes that are then
 * overwritten. One that does not open is restored as it is, without: it cannot be said what it is equal to.
 */
async function digestAgain(deleted: DeletedRecord, keyring: Keyring): Promise<ValueDigest | undefined> {
  const { sealed } = deleted;
  if (!sealed) return undefined;
  try {
    const value = await openSealed(openBytes, deleted, sealed, keyring);
    const digest = digestOfValue(value, deleted, sealed, keyring);
    value.fill(0);
    return digest;
  } catch (error) {
    if (error instanceof RecordRejected || error instanceof KeyMissing) return undefined;
    throw error;
  }
}
