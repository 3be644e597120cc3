import type { Document } from 'mongodb';
import { ownerKey } from '../../model/owner.ts';
import { actorKey } from '../../model/principal.ts';
import type { SecretRecord } from '../../model/secret.ts';
import type { PurgedSecret } from '../deleted-secrets.ts';
import type { SecretWrite } from '../store.ts';
import type { DeletedDocument } from './deleted-secrets.ts';
import { documentOf } from './documents.ts';
import { isDuplicateKey, WriteRefused } from './errors.ts';
import { versionConflict } from './first-conflict.ts';
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
  const kept = changes.flatMap(({ write }) => (write.type === 'deleteSecret' ? [documentOfDeleted(write)] : []));
  const taken = changes.flatMap(({ write }) => takenBy(write));
  const conflict = versionConflict(changes);
  try {
    if (kept.length > 0) await commands.insert('deletedSecrets', kept);
    if (taken.length > 0 && (await commands.delete('deletedSecrets', taken)) < taken.length) throw conflict;
  } catch (error) {
    // It was deleted before.
    throw error instanceof WriteRefused && isDuplicateKey(error) ? conflict : error;
  }
}

function documentOfDeleted(write: Extract<SecretWrite, { type: 'deleteSecret' }>): DeletedDocument {
  const { secret, deletion, mac } = write;
  const { deletedAt, deletedBy } = deletion;
  return { ...documentOf({ ...secret, mac }), deletedAt, deletedBy: actorKey(deletedBy) };
}

function takenBy(write: SecretWrite): Document[] {
  if (write.type === 'restoreSecret') return [{ ...asRead(write.from), ...withWrappedKey(write.from.sealed) }];
  return write.type === 'purgeDeletedSecret' ? [asRead(write.secret)] : [];
}
