import { DomainError } from '../errors.ts';
import { mayReach } from '../identity/authorize.ts';
import type { DeletedRecord } from '../model/deleted-secret.ts';
import type { Principal } from '../model/principal.ts';
import type { Dependencies } from './dependencies.ts';

/** From when on deletions can be undone. */
export function restorableSince({ now, deletedRetentionMs }: Dependencies): Date {
  return new Date(now().getTime() - deletedRetentionMs);
}

/**
 * A deleted secret that can still be restored, if the principal may see it.
 * @throws DomainError NOT_FOUND
 */
export async function restorableSecret(
  dependencies: Dependencies,
  principal: Principal,
  id: string,
): Promise<DeletedRecord> {
  const deleted = await dependencies.store.deletedSecrets.find(id);
  const isThere = deleted && mayReach(principal, deleted.owner) && deleted.deletedAt > restorableSince(dependencies);
  if (!isThere) throw new DomainError('NOT_FOUND');
  return deleted;
}
