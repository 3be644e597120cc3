import type { Document } from 'mongodb';
import type { KeptResult } from '../../model/kept-result.ts';
import { isPurge, StoreConflict, type Write } from '../store.ts';
import { isDuplicateKey, WriteRefused } from './errors.ts';
import type { Reads } from './reads.ts';
import type { RowDecoder } from './row-reader.ts';
import type { TransactionCommands } from './transaction-commands.ts';

/** The shard key is the principal. Its documents are on one shard, so that no two of them have one `_id`. */
export interface KeptResultDocument extends Omit<KeptResult, 'id'> {
  readonly _id: string;
}

const keptResult: RowDecoder<KeptResult> = {
  read: (row) => ({
    id: row.text('_id'),
    principal: row.text('principal'),
    input: row.text('input'),
    secretId: row.textOrNull('secretId'),
    result: row.textOrNull('result'),
    keptUntil: row.date('keptUntil'),
    mac: row.text('mac'),
  }),
  of(document) {
    const { _id, principal, input, secretId, result, keptUntil, mac } = document as KeptResultDocument;
    return { id: _id, principal, input, secretId, result, keptUntil, mac };
  },
};

/** In one command. */
export function findKeptResults(reads: Reads, principal: string, ids: readonly string[]): Promise<KeptResult[]> {
  const filter = { principal, _id: { $in: ids } };
  return reads.rows({ find: 'keptResults', filter, batchSize: ids.length + 1 }, keptResult);
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
