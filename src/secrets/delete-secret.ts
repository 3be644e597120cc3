import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Secret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { eventOf } from './audit-event.ts';
import { changeSecret, requireVersion } from './change-secret.ts';
import type { Dependencies } from './dependencies.ts';
import { type Disclosure, requireDisclosure } from './disclosure.ts';
import { existingSecret } from './find-secret.ts';

export interface DeleteSecretInput extends Disclosure {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
}

/**
 * Deletes a secret and its sealed values for good.
 * @returns the secret as it was
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UNPROCESSABLE_ENTITY, CONFLICT_ERROR
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
  errors.throwIfAny();

  return changeSecret(dependencies, caller, id, existingSecret, (secret) => {
    requireVersion(secret, input.expectedVersion);
    const event = eventOf('secret.deleted', secret, principal, caller, dependencies.now());
    return { write: { type: 'deleteSecret', secret, event }, result: secret };
  });
}
