import { ownerKey } from '../../model/owner.ts';
import { isUse, type LastUse, lastUses } from '../last-uses.ts';
import { requiredBy, StoreConflict, type Write } from '../store.ts';
import type { SecretDocument } from './documents.ts';
import { Contention } from './errors.ts';
import { asRead } from './move-deleted.ts';
import { byOwner } from './secret-ids.ts';
import type { TransactionCommands } from './transaction-commands.ts';

/**
 * Requires that the secrets that these writes tell of are the stored ones, and sets when they were last used. Each commit of an
 * owner changes the owner's document. So a secret that was looked at here cannot have changed by the time that this transaction
 * commits.
 * @throws StoreConflict
 */
export async function useSecrets(commands: TransactionCommands, writes: readonly Write[]): Promise<void> {
  const uses = lastUses(writes);
  // The update of a use finds its secret as it was read, or not at all: it need not be read before.
  if (writes.some((write) => requiredBy(write) && !isUse(write))) await requireCurrent(commands, writes);
  if (uses.length === 0 || (await commands.update('secrets', uses.map(updateOf))) === uses.length) return;
  await requireCurrent(commands, writes);
  throw new Contention('another commit of this owner');
}

function updateOf({ secret, at }: LastUse) {
  return { q: asRead(secret), u: { $max: { lastUsedAt: at } } };
}

async function requireCurrent(commands: TransactionCommands, writes: readonly Write[]): Promise<void> {
  const required = writes.flatMap((write, index) => {
    const secret = requiredBy(write);
    return secret ? [{ secret, index }] : [];
  });
  const ids = required.map(({ secret }) => [secret.id, ownerKey(secret.owner)] as const);
  const query = { filter: byOwner(ids), projection: { owner: 1, version: 1, mac: 1 } };
  const found = await commands.find<SecretDocument>('secrets', ids.length, query);
  const byId = new Map(found.map((document) => [document._id, document]));
  for (const { secret, index } of required) {
    const { id, owner, version, mac } = secret;
    const stored = byId.get(id);
    const isVersion = stored?.version === version && stored.owner === ownerKey(owner);
    // What was read must be what is there: something other than a gateway may have written a record of the same version.
    if (!isVersion || stored.mac.tag !== mac.tag) throw new StoreConflict(index, 'version');
  }
}
