import { DomainError } from '../errors.ts';
import { authenticated, mayReach, requireScope } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Principal } from '../model/principal.ts';
import type { Secret, SecretRecord, StoredSecret } from '../model/secret.ts';
import { FieldErrors } from '../rules/field-errors.ts';
import { checkId } from '../rules/id.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * A secret by its id; null when there is none, or none that the caller may see: the two cannot be told apart.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, UNPROCESSABLE_ENTITY
 */
export async function findSecret(dependencies: Dependencies, caller: Caller, id: string): Promise<Secret | null> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:read');
  const errors = new FieldErrors();
  const checkedId = checkId(id, errors.at('id'));
  errors.throwIfAny();
  return visibleSecret(dependencies, principal, checkedId);
}

/** The secret of this id, if the principal may see it. Scopes are checked before, so that they tell nothing about it. */
export async function visibleSecret(
  { store }: Dependencies,
  principal: Principal,
  id: string,
): Promise<StoredSecret | null> {
  const secret = await store.find(id);
  return secret && mayReach(principal, secret.owner) ? secret : null;
}

/**
 * The same, for an operation that needs one.
 * @throws DomainError NOT_FOUND
 */
export async function existingSecret(
  dependencies: Dependencies,
  principal: Principal,
  id: string,
): Promise<StoredSecret> {
  const secret = await visibleSecret(dependencies, principal, id);
  if (!secret) throw new DomainError('NOT_FOUND');
  return secret;
}

/**
 * The same with its sealed value, for an operation that keeps it.
 * @throws DomainError NOT_FOUND
 */
export async function existingRecord({ store }: Dependencies, principal: Principal, id: string): Promise<SecretRecord> {
  const record = await store.findRecord(id);
  if (!record || !mayReach(principal, record.owner)) throw new DomainError('NOT_FOUND');
  return record;
}
