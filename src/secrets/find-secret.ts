import { authenticated, mayReach, requireScope } from '../identity/authorize.ts';
import type { Caller, Principal } from '../model/principal.ts';
import type { Secret } from '../store/store.ts';
import type { Dependencies } from './dependencies.ts';
import { BrokenFields, checkId } from './rules.ts';

/**
 * A secret by its id; null when there is none, or none that the caller may see: the two cannot be told apart.
 * @throws DomainError UNAUTHORIZED, PERMISSION_ERROR, UNPROCESSABLE_ENTITY
 */
export async function findSecret(dependencies: Dependencies, caller: Caller, id: string): Promise<Secret | null> {
  const principal = authenticated(caller);
  requireScope(principal, 'secrets:read');
  const broken = new BrokenFields();
  const checkedId = checkId(id, ['id'], broken);
  broken.throwIfAny();
  return visibleSecret(dependencies, principal, checkedId);
}

/** The secret of this id, if it is the principal's to see. Scopes are looked at before, so that they tell nothing of it. */
export async function visibleSecret({ store }: Dependencies, principal: Principal, id: string): Promise<Secret | null> {
  const secret = await store.find(id);
  return secret && mayReach(principal, secret.owner) ? secret : null;
}
