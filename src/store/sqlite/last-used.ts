import type { DatabaseSync } from 'node:sqlite';
import { ownerKey } from '../../model/owner.ts';
import { lastUses } from '../last-uses.ts';
import type { Write } from '../store.ts';

/**
 * Sets when secrets were last used, inside the transaction that the caller holds: once for each of them, after all commits that
 * share it. One of those may have deleted the secret.
 * @returns what takes these commits
 */
export function prepareLastUsed(database: DatabaseSync): (commits: readonly (readonly Write[])[]) => void {
  const [current, deleted] = ['secrets', 'deleted_secrets'].map((table) =>
    database.prepare(
      `UPDATE ${table} SET last_used_at = max(coalesce(last_used_at, ?1), ?1) WHERE id = ?2 AND owner = ?3`,
    ),
  );
  return (commits) => {
    for (const { secret, at } of lastUses(commits.flat())) {
      const values = [at.getTime(), secret.id, ownerKey(secret.owner)];
      if (current?.run(...values).changes === 0) deleted?.run(...values);
    }
  };
}
