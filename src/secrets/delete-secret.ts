import { DomainError } from '../errors.ts';
import { authenticated, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../identity/principal.ts';
import { type Secret, StoreConflict } from '../store/store.ts';
import { versionIsNotCurrent } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import { visibleSecret } from './find-secret.ts';
import { BrokenFields, checkId } from './limits.ts';

export interface DeleteSecretInput {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
}

const maxAttempts = 10;

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

  for (let attempt = 1; ; attempt += 1) {
    const secret = await visibleSecret(dependencies, caller, id, 'secrets:write');
    if (!secret) throw new DomainError('NOT_FOUND');
    if (input.expectedVersion != null && input.expectedVersion !== secret.version) {
      throw versionIsNotCurrent(secret.version);
    }
    const audit = {
      type: 'secret.deleted',
      actor: principal.subject,
      requestId: caller.requestId,
      at: dependencies.now(),
    } as const;
    try {
      await dependencies.store.commit([{ type: 'delete', secret, audit }]);
      return secret;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      if (attempt === maxAttempts) throw versionIsNotCurrent(secret.version);
    }
  }
}
