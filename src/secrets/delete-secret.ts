import { macOfDeleted } from '../crypto/deleted-record.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { RecordRejected, requireRecordMac } from '../crypto/record.ts';
import { keptSecret } from '../idempotency/kept.ts';
import { type IdempotentInput, once } from '../idempotency/once.ts';
import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Deletion } from '../model/deleted-secret.ts';
import { actorOf } from '../model/principal.ts';
import type { RecordMac, Secret, SecretRecord } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { eventOf } from './audit-event.ts';
import { changeSecret, requireVersion } from './change-secret.ts';
import type { Dependencies } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import { existingRecord } from './find-secret.ts';

export interface DeleteSecretInput extends Disclosure, IdempotentInput {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
}

/**
 * Deletes a secret. Until it is purged it can be restored, with its value. What something other than a gateway wrote stays
 * invalid: it can be deleted and purged, and not restored.
 * @returns the secret as it was
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UNPROCESSABLE_ENTITY, CONFLICT_ERROR, SERVICE_UNAVAILABLE
 */
export async function deleteSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: DeleteSecretInput,
): Promise<Secret> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:write');
  requireDisclosure(principal, input);
  const errors = new FieldErrors();
  const id = checkId(input.id, errors.at('id'));

  return once(dependencies, caller, { mutation: 'deleteSecret', input, errors }, keptSecret, (commit) => {
    errors.throwIfAny();
    return changeSecret<SecretRecord, Secret>(dependencies, caller, id, existingRecord, commit, (secret) => {
      requireVersion(secret, input.expectedVersion);
      const deletion = { deletedAt: dependencies.now(), deletedBy: actorOf(principal) };
      const event = eventOf('secret.deleted', secret, principal, caller, deletion.deletedAt);
      const mac = macOfDeletion({ ...secret, ...deletion }, dependencies.keyring());
      return { write: { type: 'deleteSecret', secret, deletion, mac, event }, result: secret };
    });
  });
}

/** Where the MAC of the secret is wrong, that of the deleted one is as well. */
function macOfDeletion(record: SecretRecord & Deletion, keyring: Keyring): RecordMac {
  try {
    requireRecordMac(record, keyring);
  } catch (error) {
    if (error instanceof RecordRejected) return record.mac;
    throw error;
  }
  return macOfDeleted(record, keyring);
}
