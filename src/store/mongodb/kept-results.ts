import type { ClientSession, Document } from 'mongodb';
import type { KeptResult } from '../../model/kept-result.ts';
import { isPurge, StoreConflict, type Write } from '../store.ts';
import type { Collections } from './documents.ts';
import { isDuplicateKey, WriteRefused } from './errors.ts';
import type { TransactionCommands } from './transaction-commands.ts';

/** The shard key is the principal. Its documents are on one shard, so that no two of them have one `_id`. */
export interface KeptResultDocument extends Omit<KeptResult, 'id'> {
  readonly _id: string;
}

export async function findKeptResult(
  { keptResults }: Collections,
  principal: string,
  id: string,
  options: { readonly maxTimeMS: number; readonly session: ClientSession },
): Promise<KeptResult | undefined> {
  const found = await keptResults.findOne({ _id: id, principal }, options);
  if (!found) return undefined;
  const { _id, ...kept } = found;
  return { id: _id, ...kept };
}

/** @throws StoreConflict where one of the same id is kept, and its time is not over */
export async function keepResults(commands: TransactionCommands, writes: readonly Write[]): Promise<void> {
  const now = new Date();
  const kept = writes.flatMap((write, index) => {
    if (write.type !== 'keepResult') return [];
    const { id, ...fields } = write.kept;
    // An upsert inserts where what is there still counts, and that is refused.
    const q = { _id: id, principal: fields.principal, keptUntil: { $lte: now } };
    return [{ index, update: { q, u: { _id: id, ...fields }, upsert: true } }];
  });
  if (kept.length === 0) return;
  const updates = kept.map(({ update }) => update);
  await commands.update('keptResults', updates).catch((error: unknown) => {
    if (!(error instanceof WriteRefused) || !isDuplicateKey(error)) throw error;
    throw new StoreConflict(kept[error.index]?.index ?? 0, 'idempotency');
  });
}

/** What tells of a secret goes with its purge, whoever called, and so does what is to be forgotten. */
export async function removeResults(commands: TransactionCommands, writes: readonly Write[]): Promise<void> {
  const filters = writes.flatMap((write): Document[] => {
    if (write.type === 'forgetResults') return [{ principal: write.principal }];
    return isPurge(write) ? [{ secretId: write.secret.id }] : [];
  });
  if (filters.length > 0) await commands.deleteAll('keptResults', filters);
}
