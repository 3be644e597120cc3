import type { DatabaseSync } from 'node:sqlite';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord } from '../../model/secret.ts';
import type { NamedSecrets, SelectedSecret } from '../store.ts';
import { recordOfRow, secretColumns, selectedColumns, selectedOfRow } from './rows.ts';

/** Reads of secrets whose values are to be opened. */
export interface Selections {
  select(owner: Owner, named: NamedSecrets | null, limit: number): SelectedSecret[];
  find(id: string): SecretRecord | undefined;
}

export function prepareSelections(database: DatabaseSync): Selections {
  const joined = 'FROM secrets LEFT JOIN envelopes ON secret_id = id';
  const all = database.prepare(`SELECT ${selectedColumns} ${joined} WHERE owner = ? ORDER BY name LIMIT ?`);
  const idsOf = (column: string, parameter: string) =>
    `SELECT id FROM secrets WHERE owner = ?1 AND ${column} IN (SELECT value FROM json_each(${parameter}))`;
  // Each part of the union has an index of its own.
  const some = database.prepare(
    `SELECT ${selectedColumns} ${joined} WHERE id IN (
       ${idsOf('name', '?2')} UNION ${idsOf('placeholder', '?3')} UNION ${idsOf('id', '?4')}
     ) ORDER BY name LIMIT ?5`,
  );
  const find = database.prepare(`SELECT ${secretColumns}, envelope ${joined} WHERE id = ?`);
  return {
    select(owner, named, limit) {
      const key = ownerKey(owner);
      if (!named) return all.all(key, limit).map(selectedOfRow);
      const lists = [named.names, named.placeholders, named.ids].map((list) => JSON.stringify(list));
      return some.all(key, ...lists, limit).map(selectedOfRow);
    },
    find(id) {
      const row = find.get(id);
      return row && recordOfRow(row);
    },
  };
}

/** At most so many secrets are named. */
export function countOf({ names, placeholders, ids }: NamedSecrets): number {
  return names.length + placeholders.length + ids.length;
}
