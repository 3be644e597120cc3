import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/principal.ts';
import type { Secret } from '../store/store.ts';
import { changeSecret, checkVersion } from './change-secret.ts';
import type { Dependencies } from './dependencies.ts';
import { BrokenFields, checkId } from './rules.ts';

export interface DeleteSecretInput {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
}

/**
 * Deletes a secret and its sealed value for good, and returns it as it was.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UNPROCESSABLE_ENTITY, CONFLICT_ERROR
 */
export async function deleteSecret(
  dependencies: Dependencies,
  caller: Caller,
  input: DeleteSecretInput,
): Promise<Secret> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:write');
  const broken = new BrokenFields();
  const id = checkId(input.id, ['input', 'id'], broken);
  broken.throwIfAny();

  return changeSecret(dependencies, caller, id, (secret) => {
    checkVersion(secret, input.expectedVersion);
    const at = dependencies.now();
    const audit = { type: 'secret.deleted', actor: principal.subject, requestId: caller.requestId, at } as const;
    return { change: { type: 'delete', secret, audit }, result: secret };
  });
}
