import { ownerKey } from '../../model/owner.ts';
import type { StoredSecret } from '../../model/secret.ts';
import { isSameHealth, type SecretHealth } from '../../model/secret-health.ts';
import { hasOnlyUses, StaleUses } from '../group-commit.ts';
import { type HealthChange, healthChangeOf } from '../health.ts';
import { isUse, type LastUse, lastUses } from '../last-uses.ts';
import { requiredBy, StoreConflict, type Write } from '../store.ts';
import type { SecretDocument } from './documents.ts';
import { Contention } from './errors.ts';
import { healthDocumentOf, healthOf } from './health-document.ts';
import { lastUsedFields } from './last-used.ts';
import { asRead } from './move-deleted.ts';
import { byOwner } from './secret-ids.ts';
import type { TransactionCommands } from './transaction-commands.ts';

/**
 * Requires that the secrets that these commits tell of are the stored ones, and sets when they were last used and what was found
 * out about their values. Each commit of an owner changes the owner's document. So a secret that was looked at here cannot have
 * changed by the time that this transaction commits.
 * @throws StaleUses, StoreConflict
 */
export async function useSecrets(commands: TransactionCommands, commits: readonly (readonly Write[])[]): Promise<void> {
  const writes = commits.flat();
  const changes = writes.flatMap((write) => healthChangeOf(write) ?? []);
  const updates = [...lastUses(writes).map(updateOf), ...changes.map(healthUpdateOf)];
  // The update of a use finds its secret as it was read, or not at all: it need not be read before.
  const isRead = changes.length > 0 || writes.some((write) => requiredBy(write) && !isUse(write));
  if (isRead) await requireCurrent(commands, commits);
  if (updates.length === 0 || (await commands.update('secrets', updates)) === updates.length) return;
  if (!isRead) await requireCurrent(commands, commits);
  throw new Contention('another commit of this owner');
}

function updateOf({ secret, at }: LastUse) {
  return { q: asRead(secret), u: { $max: lastUsedFields(at) } };
}

/** The health that it replaces was read in the same snapshot. */
function healthUpdateOf({ secret, health }: HealthChange) {
  return { q: asRead(secret), u: { $set: { health: healthDocumentOf(health) } } };
}

type Stored = Pick<SecretDocument, '_id' | 'owner' | 'version' | 'mac' | 'health'>;

async function requireCurrent(commands: TransactionCommands, commits: readonly (readonly Write[])[]): Promise<void> {
  const ids = commits.flat().flatMap((write) => {
    const secret = requiredBy(write);
    return secret ? [[secret.id, ownerKey(secret.owner)] as const] : [];
  });
  const projection = { owner: 1, version: 1, mac: 1, health: 1 };
  const found = await commands.find<Stored>('secrets', ids.length, { filter: byOwner(ids), projection });
  const conflicts = conflictsOf(commits, new Map(found.map((document) => [document._id, document])));
  const [first] = conflicts.values();
  const stale = new Map([...conflicts].filter(([writes]) => hasOnlyUses(writes)));
  if (commits.length > 1 && stale.size > 0) throw new StaleUses(stale);
  if (first) throw first;
}

/** By commit the first of its writes whose secret is not the stored one. They are made one after the other. */
function conflictsOf(
  commits: readonly (readonly Write[])[],
  stored: ReadonlyMap<string, Stored>,
): Map<readonly Write[], StoreConflict> {
  const conflicts = new Map<readonly Write[], StoreConflict>();
  const changed = new Map<string, SecretHealth>();
  for (const writes of commits) {
    const changedHere = new Map<string, SecretHealth>();
    const index = writes.findIndex((write) => {
      const secret = requiredBy(write);
      if (!secret) return false;
      const document = stored.get(secret.id);
      if (!document || !isStored(secret, document)) return true;
      const change = healthChangeOf(write);
      if (!change) return false;
      const health = changedHere.get(secret.id) ?? changed.get(secret.id) ?? healthOf(document);
      if (!isSameHealth(secret.health, health)) return true;
      changedHere.set(secret.id, change.health);
      return false;
    });
    if (index >= 0) conflicts.set(writes, new StoreConflict(index, 'version'));
    else for (const [id, health] of changedHere) changed.set(id, health);
  }
  return conflicts;
}

/** What was read must be what is there: something other than a gateway may have written a record of the same version. */
function isStored({ owner, version, mac }: StoredSecret, stored: Stored): boolean {
  return stored.version === version && stored.owner === ownerKey(owner) && stored.mac.tag === mac.tag;
}
