import { authorize } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Owner } from '../model/owner.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * How many secrets an owner has, for a caller that has just written some of them.
 * @throws DomainError UNAUTHORIZED, FORBIDDEN, PERMISSION_ERROR
 */
export async function countSecrets({ store }: Dependencies, caller: Caller, owner: Owner): Promise<number> {
  authorize(caller, owner, 'secrets:write');
  const { totalCount } = await store.list({ owner, filter: {}, from: 'start', limit: 0, count: true });
  return totalCount ?? 0;
}
