import { keptApiKey } from '../idempotency/kept.ts';
import { type IdempotentInput, once } from '../idempotency/once.ts';
import type { ApiKey } from '../model/api-key.ts';
import type { Caller } from '../model/caller.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import { eventOf } from './audit-event.ts';
import { changeApiKey, ended, requireManager } from './change-api-key.ts';
import type { ApiKeyDependencies } from './dependencies.ts';

export interface RevokeApiKeyInput extends IdempotentInput {
  readonly id: string;
}

/**
 * Ends a key for good. A key that was revoked before stays as it is.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, NOT_FOUND, UNPROCESSABLE_ENTITY, SERVICE_UNAVAILABLE
 */
export async function revokeApiKey(
  dependencies: ApiKeyDependencies,
  caller: Caller,
  input: RevokeApiKeyInput,
): Promise<ApiKey> {
  requireManager(caller);
  const errors = new FieldErrors();
  const id = checkId(input.id, errors.at('id'));
  return once(dependencies, caller, { mutation: 'revokeApiKey', input, errors }, keptApiKey, (commit) => {
    errors.throwIfAny();
    return changeApiKey<ApiKey>(dependencies, caller, id, commit, (current, principal) => {
      if (current.revokedAt) return { write: null, result: current };
      const at = dependencies.now();
      const to = ended(current, { revokedAt: at }, dependencies);
      const event = eventOf('apiKey.revoked', current, principal, caller, at);
      return { write: { type: 'changeApiKey', from: current, to, event }, result: to };
    });
  });
}
