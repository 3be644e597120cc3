import { ownerKey } from '../../model/owner.ts';
import { hasOnlyUses, StaleUses } from '../group-commit.ts';
import { isUse, type LastUse, lastUses } from '../last-uses.ts';
import { requiredBy, StoreConflict, type Write } from '../store.ts';
import type { SecretDocument } from './documents.ts';
import { Contention } from './errors.ts';
import { asRead } from './move-deleted.ts';
import { byOwner } from './secret-ids.ts';
import type { TransactionCommands } from './transaction-commands.ts';

/**
 * Requires that the secrets that these commits tell of are the stored ones, and sets when they were last used. Each commit of an
 * owner changes the owner's document. So a secret that was looked at here cannot have changed by the time that this transaction
 * commits.
 * @throws StaleUses, StoreConflict
 */
export async function useSecrets(commands: TransactionCommands, commits: readonly (readonly Write[])[]): Promise<void> {
  const writes = commits.flat();
  const uses = lastUses(writes);
  // The update of a use finds its secret as it was read, or not at all: it need not be read before.
  if (writes.some((write) => requiredBy(write) && !isUse(write))) await requireCurrent(commands, commits);
  if (uses.length === 0 || (await commands.update('secrets', uses.map(updateOf))) === uses.length) return;
  await requireCurrent(commands, commits);
  throw new Contention('another commit of this owner');
}

function updateOf({ secret, at }: LastUse) {
  return { q: asRead(secret), u: { $max: { lastUsedAt: at } } };
}

async function requireCurrent(commands: TransactionCommands, commits: readonly (readonly Write[])[]): Promise<void> {
  const ids = commits.flat().flatMap((write) => {
    const secret = requiredBy(write);
    return secret ? [[secret.id, ownerKey(secret.owner)] as const] : [];
  });
  const query = { filter: byOwner(ids), projection: { owner: 1, version: 1, mac: 1 } };
  const found = await commands.find<SecretDocument>('secrets', ids.length, query);
  const byId = new Map(found.map((document) => [document._id, document]));
  const conflicts = new Map(commits.flatMap((writes) => conflictOf(writes, byId)));
  const [first] = conflicts.values();
  const stale = new Map([...conflicts].filter(([writes]) => hasOnlyUses(writes)));
  if (commits.length > 1 && stale.size > 0) throw new StaleUses(stale);
  if (first) throw first;
}

/** The first of these writes whose secret is not the stored one. */
function conflictOf(
  writes: readonly Write[],
  byId: ReadonlyMap<string, SecretDocument>,
): [readonly Write[], StoreConflict][] {
  const index = writes.findIndex((write) => {
    const secret = requiredBy(write);
    if (!secret) return false;
    const { id, owner, version, mac } = secret;
    const stored = byId.get(id);
    // What was read must be what is there: something other than a gateway may have written a record of the same version.
    return stored?.version !== version || stored.owner !== ownerKey(owner) || stored.mac.tag !== mac.tag;
  });
  return index < 0 ? [] : [[writes, new StoreConflict(index, 'version')]];
}
