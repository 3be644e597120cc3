import type { DatabaseSync } from 'node:sqlite';
import type { KeptResult } from '../../model/kept-result.ts';
import { isPurge, StoreConflict, type Write } from '../store.ts';
import { type Columns, type ColumnType, text, textOrNull, time } from './rows.ts';

/** More than the commits of one transaction add, so that the table cannot grow without a bound. */
const maxRemoved = 1000;
/** Without calls that keep something, old results are still removed, with any other commit. */
const removeEveryMs = 3_600_000;

const columns: Columns<KeptResult> = {
  id: ['id', text],
  principal: ['principal', text],
  input: ['input', text],
  secretId: ['secret_id', textOrNull],
  result: ['result', textOrNull],
  keptUntil: ['kept_until', time],
  mac: ['mac', text],
};
const fields = Object.entries(columns) as [keyof KeptResult, readonly [string, ColumnType<unknown>]][];
const names = fields.map(([, [column]]) => column);

export interface KeptResults {
  find(principal: string, id: string): KeptResult | undefined;
  /** Inside the transaction of the commit. Removes some of those whose time is over. */
  removeExpired(writes: readonly Write[]): void;
  /**
   * Inside the same transaction, for each write. What tells of a secret goes with its purge, and what is to be forgotten goes.
   * @throws StoreConflict
   */
  keep(write: Write, index: number): void;
}

export function prepareKeptResults(database: DatabaseSync): KeptResults {
  const find = database.prepare(`SELECT ${names.join(', ')} FROM kept_results WHERE id = ? AND principal = ?`);
  const replaced = names.map((name) => `${name} = excluded.${name}`).join(', ');
  // One whose time is over makes room.
  const keep = database.prepare(`
    INSERT INTO kept_results (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
    ON CONFLICT (id) DO UPDATE SET ${replaced} WHERE kept_until <= ?`);
  const expired = `SELECT id FROM kept_results WHERE kept_until < ? ORDER BY kept_until LIMIT ${maxRemoved}`;
  const remove = database.prepare(`DELETE FROM kept_results WHERE id IN (${expired})`);
  const removeOfSecret = database.prepare('DELETE FROM kept_results WHERE secret_id = ?');
  const forget = database.prepare('DELETE FROM kept_results WHERE principal = ?');
  let removedAtMs = Number.NEGATIVE_INFINITY;
  return {
    find(principal, id) {
      const row = find.get(id, principal);
      if (!row) return undefined;
      return Object.fromEntries(fields.map(([field, [column, type]]) => [field, type.read(row[column])])) as never;
    },
    removeExpired(writes) {
      const now = Date.now();
      if (now - removedAtMs < removeEveryMs && !writes.some(({ type }) => type === 'keepResult')) return;
      remove.run(now);
      removedAtMs = now;
    },
    keep(write, index) {
      if (isPurge(write)) removeOfSecret.run(write.secret.id);
      if (write.type === 'forgetResults') forget.run(write.principal);
      if (write.type !== 'keepResult') return;
      const values = fields.map(([field, [, type]]) => type.write(write.kept[field]));
      if (keep.run(...values, Date.now()).changes === 0) throw new StoreConflict(index, 'idempotency');
    },
  };
}
