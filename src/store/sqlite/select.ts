import type { DatabaseSync } from 'node:sqlite';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord } from '../../model/secret.ts';
import type { NamedSecrets, SelectedSecret } from '../store.ts';
import {
  type ArrayStatement,
  limitClause,
  prepareArrays,
  recordColumns,
  recordOfRow,
  selectedColumns,
  selectedOfRow,
  text,
} from './rows.ts';

/** Reads of secrets whose values are to be opened. */
export interface Selections {
  /** All of the owner, those after this name. */
  all(owner: Owner, after: string, limit: number): SelectedSecret[];
  /** The ids of those that are named, in the order of the secrets' names. */
  named(owner: Owner, named: NamedSecrets, limit: number): string[];
  /** The secret that is the only one named. */
  one(owner: Owner, list: keyof NamedSecrets, text: string): SelectedSecret[];
  /** Those of the owner that have these ids, in the order of their names. */
  byIds(owner: Owner, ids: readonly string[]): SelectedSecret[];
  find(id: string): SecretRecord | undefined;
  takenIds(ids: readonly string[]): Set<string>;
}

const joined = 'FROM secrets LEFT JOIN envelopes ON secret_id = id';
const among = (parameter: string) => `IN (SELECT value FROM json_each(${parameter}))`;

/** The planner would take another index with the names in it, which is larger. */
const byName = 'secrets INDEXED BY secrets_owner_name';

/** By list: which secrets it names. Each has an index of its own. `+owner` keeps the planner from going through all secrets of the owner. */
const parts = {
  names: `SELECT id FROM ${byName} WHERE owner = ?1 AND name ${among('?2')}`,
  placeholders: `SELECT id FROM secrets WHERE owner = ?1 AND placeholder ${among('?3')}`,
  ids: `SELECT id FROM secrets WHERE +owner = ?1 AND id ${among('?4')}`,
};
const lists = Object.keys(parts) as (keyof typeof parts)[];

/**
 * Takes the owner, three lists as JSON, and the limit.
 * @param given the lists that name something: a part for each that is empty would take as long as one for a secret
 */
export function selectNamed(given: readonly (keyof typeof parts)[]): string {
  const ids = given.map((list) => parts[list]).join(' UNION ');
  // + 0: see limitClause.
  return `SELECT id FROM secrets WHERE id IN (${ids}) ORDER BY name LIMIT ?5 + 0`;
}

/** For one secret alone: without lists, which SQLite puts into tables of their own, it takes a tenth of the time. */
export const selectOne = {
  names: selectWhere('owner = ?1 AND name = ?2'),
  placeholders: selectWhere('owner = ?1 AND placeholder = ?2'),
  ids: selectWhere('+owner = ?1 AND id = ?2'),
};

function selectWhere(condition: string): string {
  return `SELECT ${selectedColumns} ${joined} WHERE ${condition}`;
}

export function prepareSelections(database: DatabaseSync): Selections {
  const all = prepareArrays(
    database,
    `SELECT ${selectedColumns} ${joined} WHERE owner = ? AND name > ? ORDER BY name ${limitClause}`,
  );
  const statements = new Map<string, ArrayStatement>();
  const prepared = (sql: string): ArrayStatement => {
    const statement = statements.get(sql) ?? prepareArrays(database, sql);
    statements.set(sql, statement);
    return statement;
  };
  const taken = prepareArrays(database, `SELECT id FROM secret_ids WHERE id ${among('?')}`);
  const find = prepareArrays(database, `SELECT ${recordColumns} ${joined} WHERE id = ?`);
  const byIds = prepareArrays(
    database,
    `SELECT ${selectedColumns} ${joined} WHERE +owner = ? AND id ${among('?')} ORDER BY +name`,
  );
  return {
    all: (owner, after, limit) => all.all(ownerKey(owner), after, limit).map(selectedOfRow),
    one: (owner, list, text) => prepared(selectOne[list]).all(ownerKey(owner), text).map(selectedOfRow),
    byIds: (owner, ids) => byIds.all(ownerKey(owner), JSON.stringify(ids)).map(selectedOfRow),
    named(owner, named, limit) {
      const given = lists.filter((list) => named[list].length > 0);
      if (given.length === 0) return [];
      const texts = lists.map((list) => JSON.stringify(named[list]));
      const rows = prepared(selectNamed(given)).all(ownerKey(owner), ...texts, limit);
      return rows.map(([id = null]) => text.read(id));
    },
    find(id) {
      const row = find.get(id);
      return row && recordOfRow(row);
    },
    takenIds: (ids) => new Set(taken.all(JSON.stringify(ids)).map(([id]) => String(id))),
  };
}

/** What is named, where that is one text. */
export function onlyOneOf(named: NamedSecrets): readonly [list: keyof NamedSecrets, text: string] | undefined {
  const [one, ...others] = lists.flatMap((list) => named[list].map((text) => [list, text] as const));
  return others.length === 0 ? one : undefined;
}
