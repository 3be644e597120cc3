import { authenticated, mayReach, requireScope } from '../identity/authorize.ts';
import type { Caller, Scope } from '../identity/principal.ts';
import type { Secret } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';
import { BrokenFields, checkId } from './limits.ts';

/**
 * A secret by its id; null when there is none, or none that the caller may see: the two cannot be told apart.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, UNPROCESSABLE_ENTITY
 */
export async function findSecret(dependencies: Dependencies, caller: Caller, id: string): Promise<Secret | null> {
  requireScope(authenticated(caller), 'secrets:read');
  const broken = new BrokenFields();
  const checkedId = checkId(id, ['id'], broken);
  broken.throwIfAny();
  return visibleSecret(dependencies, caller, checkedId, 'secrets:read');
}

/** The secret of this id if the caller may see it. The scope is looked at first, so it says nothing of the secret. */
export async function visibleSecret(
  { store }: Dependencies,
  caller: Caller,
  id: string,
  scope: Scope,
): Promise<Secret | null> {
  const principal = authenticated(caller);
  requireScope(principal, scope);
  const secret = await store.find(id);
  return secret && mayReach(principal, secret.owner) ? secret : null;
}
