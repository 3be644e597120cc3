import type { DatabaseSync } from 'node:sqlite';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord } from '../../model/secret.ts';
import type { NamedSecrets, SelectedSecret } from '../store.ts';
import {
  type ArrayStatement,
  prepareArrays,
  recordColumns,
  recordOfRow,
  selectedColumns,
  selectedOfRow,
} from './rows.ts';

/** Reads of secrets whose values are to be opened. */
export interface Selections {
  /** Those after this name. */
  select(owner: Owner, named: NamedSecrets | null, after: string, limit: number): SelectedSecret[];
  find(id: string): SecretRecord | undefined;
}

const joined = 'FROM secrets LEFT JOIN envelopes ON secret_id = id';
const among = (parameter: string) => `IN (SELECT value FROM json_each(${parameter}))`;

/** By list: which secrets it names. Each has an index of its own. `+owner` keeps the planner from going through all secrets of the owner. */
const parts = {
  names: `SELECT id FROM secrets WHERE owner = ?1 AND name ${among('?2')}`,
  placeholders: `SELECT id FROM secrets WHERE owner = ?1 AND placeholder ${among('?3')}`,
  ids: `SELECT id FROM secrets WHERE +owner = ?1 AND id ${among('?4')}`,
};
const lists = Object.keys(parts) as (keyof typeof parts)[];

/**
 * Takes the owner, three lists as JSON, the name before, and the limit.
 * @param given the lists that name something: a part for each that is empty would take as long as one for a secret
 */
export function selectNamed(given: readonly (keyof typeof parts)[]): string {
  const ids = given.map((list) => parts[list]).join(' UNION ');
  return `SELECT ${selectedColumns} ${joined} WHERE id IN (${ids}) AND +name > ?5 ORDER BY name LIMIT ?6`;
}

/** For one secret alone: without lists, which SQLite puts into tables of their own, it takes a tenth of the time. */
export const selectOne = {
  names: selectWhere('owner = ?1 AND name = ?2'),
  placeholders: selectWhere('owner = ?1 AND placeholder = ?2'),
  ids: selectWhere('+owner = ?1 AND id = ?2'),
};

function selectWhere(condition: string): string {
  return `SELECT ${selectedColumns} ${joined} WHERE ${condition} AND +name > ?3 LIMIT ?4`;
}

export function prepareSelections(database: DatabaseSync): Selections {
  const all = prepareArrays(
    database,
    `SELECT ${selectedColumns} ${joined} WHERE owner = ? AND name > ? ORDER BY name LIMIT ?`,
  );
  const statements = new Map<string, ArrayStatement>();
  const prepared = (sql: string): ArrayStatement => {
    const statement = statements.get(sql) ?? prepareArrays(database, sql);
    statements.set(sql, statement);
    return statement;
  };
  const find = prepareArrays(database, `SELECT ${recordColumns} ${joined} WHERE id = ?`);
  return {
    select(owner, named, after, limit) {
      const key = ownerKey(owner);
      if (!named) return all.all(key, after, limit).map(selectedOfRow);
      const given = lists.filter((list) => named[list].length > 0);
      if (given.length === 0) return [];
      const [list] = given;
      const [text, ...others] = given.flatMap((one) => named[one]);
      if (list && text !== undefined && others.length === 0) {
        return prepared(selectOne[list]).all(key, text, after, limit).map(selectedOfRow);
      }
      const texts = lists.map((one) => JSON.stringify(named[one]));
      return prepared(selectNamed(given))
        .all(key, ...texts, after, limit)
        .map(selectedOfRow);
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
