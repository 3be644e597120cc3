import type { DatabaseSync } from 'node:sqlite';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord } from '../../model/secret.ts';
import type { NamedSecrets, SelectedSecret } from '../store.ts';
import { recordOfRow, secretColumns, selectedColumns, selectedOfRow } from './rows.ts';

/** Reads of secrets whose values are to be opened. */
export interface Selections {
  /** Those after this name. */
  select(owner: Owner, named: NamedSecrets | null, after: string, limit: number): SelectedSecret[];
  find(id: string): SecretRecord | undefined;
}

const joined = 'FROM secrets LEFT JOIN envelopes ON secret_id = id';
const among = (parameter: string) => `IN (SELECT value FROM json_each(${parameter}))`;

/**
 * Takes the owner, three lists as JSON, the name before, and the limit. Each list has an index of its own. `+owner` keeps the
 * planner from going through all secrets of the owner instead of looking up ids.
 */
export const selectNamed = `
  SELECT ${selectedColumns} ${joined} WHERE id IN (
    SELECT id FROM secrets WHERE owner = ?1 AND name ${among('?2')}
    UNION SELECT id FROM secrets WHERE owner = ?1 AND placeholder ${among('?3')}
    UNION SELECT id FROM secrets WHERE +owner = ?1 AND id ${among('?4')}
  ) AND +name > ?5 ORDER BY name LIMIT ?6`;

export function prepareSelections(database: DatabaseSync): Selections {
  const all = database.prepare(
    `SELECT ${selectedColumns} ${joined} WHERE owner = ? AND name > ? ORDER BY name LIMIT ?`,
  );
  const some = database.prepare(selectNamed);
  const find = database.prepare(`SELECT ${secretColumns}, envelope ${joined} WHERE id = ?`);
  return {
    select(owner, named, after, limit) {
      const key = ownerKey(owner);
      if (!named) return all.all(key, after, limit).map(selectedOfRow);
      const lists = [named.names, named.placeholders, named.ids].map((list) => JSON.stringify(list));
      return some.all(key, ...lists, after, limit).map(selectedOfRow);
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
