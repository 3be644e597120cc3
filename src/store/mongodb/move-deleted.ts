import type { Document } from 'mongodb';
import { ownerKey } from '../../model/owner.ts';
import { actorKey } from '../../model/principal.ts';
import type { SecretRecord } from '../../model/secret.ts';
import type { PurgedSecret } from '../deleted-secrets.ts';
import type { SecretWrite } from '../store.ts';
import type { DeletedDocument } from './deleted-secrets.ts';
import { documentOf, type SecretDocument } from './documents.ts';
import { isDuplicateKey, WriteRefused } from './errors.ts';
import { versionConflict } from './first-conflict.ts';
import { healthOf } from './health-document.ts';
import { byOwner } from './secret-ids.ts';
import type { TransactionCommands } from './transaction-commands.ts';

/** What is stored of a secret must be what was read. */
export function asRead({ id, owner, version, mac }: PurgedSecret): Document {
  return { _id: id, owner: ownerKey(owner), version, 'mac.tag': mac.tag };
}

/** A rewrap may have replaced it since it was read. What it left is then moved in another attempt. */
export function withWrappedKey(sealed: SecretRecord['sealed']): Document {
  return sealed ? { 'sealed.envelope.encrypted_key': sealed.envelope.encrypted_key } : { sealed: null };
}

/**
 * Brings deleted secrets to their collection, and takes those away that are restored or purged.
 * @throws StoreConflict, ConflictAmong
 */
export async function moveDeleted(
  commands: TransactionCommands,
  changes: readonly { readonly write: SecretWrite; readonly index: number }[],
): Promise<void> {
  const deletions = changes.flatMap(({ write }) => (write.type === 'deleteSecret' ? [write] : []));
  const taken = changes.flatMap(({ write }) => takenBy(write));
  const conflict = versionConflict(changes);
  try {
    if (deletions.length > 0) await commands.insert('deletedSecrets', await documentsOf(commands, deletions));
    if (taken.length > 0 && (await commands.delete('deletedSecrets', taken)) < taken.length) throw conflict;
  } catch (error) {
    // It was deleted before.
    throw error instanceof WriteRefused && isDuplicateKey(error) ? conflict : error;
  }
}

type Deletion = Extract<SecretWrite, { type: 'deleteSecret' }>;

/** As they were read, but for what is no change of them: a secret may have been used or checked since. */
async function documentsOf(commands: TransactionCommands, deletions: readonly Deletion[]): Promise<DeletedDocument[]> {
  const ids = deletions.map(({ secret }) => [secret.id, ownerKey(secret.owner)] as const);
  const query = { filter: byOwner(ids), projection: { lastUsedAt: 1, health: 1 } };
  const found = await commands.find<Pick<SecretDocument, '_id' | 'lastUsedAt' | 'health'>>(
    'secrets',
    ids.length,
    query,
  );
  const stored = new Map(found.map((document) => [document._id, document]));
  return deletions.map(({ secret, deletion: { deletedAt, deletedBy }, mac }) => {
    const document = stored.get(secret.id);
    const { lastUsedAt = null } = document ?? secret;
    const record = { ...secret, mac, lastUsedAt, health: document ? healthOf(document) : secret.health };
    return { ...documentOf(record), deletedAt, deletedBy: actorKey(deletedBy) };
  });
}

function takenBy(write: SecretWrite): Document[] {
  if (write.type === 'restoreSecret') return [{ ...asRead(write.from), ...withWrappedKey(write.from.sealed) }];
  return write.type === 'purgeDeletedSecret' ? [asRead(write.secret)] : [];
}
