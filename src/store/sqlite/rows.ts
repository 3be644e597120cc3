import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { Destination } from '../../model/destination.ts';
import type { Envelope, SealedMark } from '../../model/envelope.ts';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import { type Actor, actorKey, actorOfKey } from '../../model/principal.ts';
import type { RecordMac, Secret, SecretRecord, StoredSecret } from '../../model/secret.ts';
import type { SecretHealth } from '../../model/secret-health.ts';
import { destinationOfText, destinationText } from '../destination-text.ts';
import { storedHealth } from '../health.ts';
import { largeEnvelope, type SelectedSecret } from '../store.ts';

export type Row = Record<string, SQLOutputValue>;

/** A row of a statement that returns arrays: an object for each row takes longer than reading it. */
export type Values = readonly SQLOutputValue[];

/** How a field's type is written to a column, and read from it. */
export interface ColumnType<T> {
  write(value: T): SQLInputValue;
  read(value: SQLOutputValue | undefined): T;
}

export const text: ColumnType<string> = {
  write: (value) => value,
  read(value) {
    if (typeof value !== 'string') throw new TypeError('a column that must hold text does not');
    return value;
  },
};
export const textOrNull: ColumnType<string | null> = {
  write: (value) => value,
  read: (value) => (value === null ? null : text.read(value)),
};
const integer: ColumnType<number> = { write: (value) => value, read: Number };
/** Milliseconds since 1970. */
export const time: ColumnType<Date> = { write: (value) => value.getTime(), read: (value) => new Date(Number(value)) };
const timeOrNull: ColumnType<Date | null> = {
  write: (value) => value && time.write(value),
  read: (value) => (value === null ? null : time.read(value)),
};
export const destinationOrNull: ColumnType<Destination | null> = {
  write: (value) => value && destinationText(value),
  read: (value) => (value === null ? null : destinationOfText(value)),
};
const actor: ColumnType<Actor> = { write: actorKey, read: (value) => actorOfKey(text.read(value)) };
export const json: ColumnType<readonly string[]> = {
  write: (value) => JSON.stringify(value),
  read: (value) => JSON.parse(text.read(value)) as string[],
};

/**
 * A limit that is given. At a parameter that stands alone SQLite looks when it plans, and so it prepares the statement anew
 * for each execution.
 */
export const limitClause = 'LIMIT ? + 0';

export type Columns<T> = { readonly [field in keyof T]: readonly [column: string, type: ColumnType<T[field]>] };

/** The columns of a secret beside its owner, its health and its envelope: one line for each field, everything else follows from it. */
const columns: Columns<Omit<Secret, 'owner' | 'health'>> = {
  id: ['id', text],
  name: ['name', text],
  placeholder: ['placeholder', text],
  provider: ['provider', textOrNull],
  maskedValue: ['masked_value', textOrNull],
  version: ['version', integer],
  createdAt: ['created_at', time],
  updatedAt: ['updated_at', time],
  createdBy: ['created_by', actor],
  updatedBy: ['updated_by', actor],
  tags: ['tags', json],
  notes: ['notes', textOrNull],
  expiresAt: ['expires_at', timeOrNull],
  destination: ['destination', destinationOrNull],
  lastUsedAt: ['last_used_at', timeOrNull],
};
const fields = Object.entries(columns) as [keyof typeof columns, readonly [string, ColumnType<unknown>]][];
const columnNames = fields.map(([, [column]]) => column);

/** In the order in which `healthOf` reads them. */
export const healthColumns = ['health_status', 'health_checked_at', 'health_source'];

const shownColumns = [...columnNames, ...healthColumns];

/** What a list reads: it knows the owner. */
export const listedColumnsOf = (table: string) => shownColumns.map((column) => `${table}.${column}`).join(', ');

/** What a row has of a value beside its envelope, in the order in which `markOf` reads it. */
export const markColumns = ['sealed_version', 'sealed_number', 'sealed_tag', 'sealed_at', 'sealed_by'];

const storedColumns = [...shownColumns, 'owner', 'mac_kid', 'mac_tag', ...markColumns];

/** What a find reads: everything but the envelope, which is in a table of its own. */
export const secretColumns = storedColumns.join(', ');

const parameterOf = (column: string) => `?${storedColumns.indexOf(column) + 1}`;

/** Takes `storedValues`. */
export const insertRecord = `
  INSERT INTO secrets (${secretColumns}) VALUES (${storedColumns.map(parameterOf).join(', ')})`;

/** A use may have set it since the change was prepared. */
const updatedColumns = [...columnNames.filter((column) => column !== 'last_used_at'), 'mac_kid', 'mac_tag'];

const isValueKept = `${parameterOf('sealed_version')} IS NULL`;

/** Takes `storedValues`, where a value that is null keeps the stored one with its health, and then the MAC of the secret before the change. */
export const updateRecord = `
  UPDATE secrets SET
    ${updatedColumns.map((column) => `${column} = ${parameterOf(column)}`).join(', ')},
    ${healthColumns.map((column) => `${column} = iif(${isValueKept}, ${column}, ${parameterOf(column)})`).join(', ')},
    ${markColumns.map((column) => `${column} = coalesce(${parameterOf(column)}, ${column})`).join(', ')}
  WHERE owner = ${parameterOf('owner')} AND id = ${parameterOf('id')} AND version = ${parameterOf('version')} - 1
    AND mac_tag = ?${storedColumns.length + 1}`;

/** The values of a secret, in the order of the parameters. */
export function storedValues(secret: Secret, sealed: SealedMark | null | undefined, mac: RecordMac): SQLInputValue[] {
  const values = fields.map(([field, [, type]]) => type.write(secret[field]));
  values.push(...healthValues(secret.health), ownerKey(secret.owner), mac.kid, mac.tag, ...markValues(sealed));
  return values;
}

/** In the order of `healthColumns`. */
export function healthValues(health: SecretHealth | null): SQLInputValue[] {
  return health ? [health.status, time.write(health.checkedAt), health.source] : [null, null, null];
}

/** In the order of `markColumns`. */
export function markValues(mark: SealedMark | null | undefined): SQLInputValue[] {
  if (!mark) return markColumns.map(() => null);
  return [mark.version, mark.number, mark.tag, time.write(mark.setAt), actor.write(mark.setBy)];
}

/** Of the values of `markColumns`. */
export function markOf([version, number, tag, setAt, setBy]: Values): SealedMark {
  return {
    version: integer.read(version),
    number: integer.read(number),
    tag: text.read(tag),
    setAt: time.read(setAt),
    setBy: actor.read(setBy),
  };
}

/** Takes the secret's id and its envelope as JSON. */
export const putEnvelope = `
  INSERT INTO envelopes (secret_id, envelope) VALUES (?, ?)
  ON CONFLICT (secret_id) DO UPDATE SET envelope = excluded.envelope`;

/** Where the columns are in a row that was read with `listedColumnsOf`, `secretColumns` or `selectedColumns`. */
const at = Object.fromEntries(fields.map(([field], index) => [field, index])) as {
  readonly [field in keyof typeof columns]: number;
};
const healthAt = columnNames.length;
const ownerAt = shownColumns.length;
const endOfStored = storedColumns.length;

/** Field by field: a loop over the columns takes a third more time for a list. */
export function listedSecretOfRow(row: Values, owner: Owner): Secret {
  return {
    id: text.read(row[at.id]),
    owner,
    name: text.read(row[at.name]),
    placeholder: text.read(row[at.placeholder]),
    provider: textOrNull.read(row[at.provider]),
    maskedValue: textOrNull.read(row[at.maskedValue]),
    version: integer.read(row[at.version]),
    createdAt: time.read(row[at.createdAt]),
    updatedAt: time.read(row[at.updatedAt]),
    createdBy: actor.read(row[at.createdBy]),
    updatedBy: actor.read(row[at.updatedBy]),
    tags: json.read(row[at.tags]),
    notes: textOrNull.read(row[at.notes]),
    expiresAt: timeOrNull.read(row[at.expiresAt]),
    destination: destinationOrNull.read(row[at.destination]),
    lastUsedAt: timeOrNull.read(row[at.lastUsedAt]),
    health: row[healthAt] === null ? null : healthOf(row),
  };
}

function healthOf(row: Values): SecretHealth | null {
  return storedHealth(row[healthAt], time.read(row[healthAt + 1]), row[healthAt + 2]);
}

export function secretOfRow(row: Values): StoredSecret {
  const [owner, kid, tag, ...mark] = row.slice(ownerAt, endOfStored);
  return Object.assign(listedSecretOfRow(row, ownerOfKey(text.read(owner))), {
    sealed: mark[0] === null ? null : markOf(mark),
    mac: { kid: text.read(kid), tag: text.read(tag) },
  });
}

/** What `recordOfRow` reads. */
export const recordColumns = `${secretColumns}, envelope`;

export function recordOfRow(row: Values): SecretRecord {
  const secret = secretOfRow(row);
  return { ...secret, sealed: secret.sealed && { ...secret.sealed, envelope: envelopeOf(row[endOfStored]) } };
}

/** What `selectedOfRow` reads. An envelope that is large is left out; its size is known without reading it. */
export const selectedColumns = `${secretColumns}, coalesce(octet_length(envelope), 0),
  iif(octet_length(envelope) > ${largeEnvelope}, NULL, envelope)`;

export function selectedOfRow(row: Values): SelectedSecret {
  const secret = secretOfRow(row);
  const [bytes, envelope] = row.slice(endOfStored);
  const envelopeBytes = secret.sealed ? Number(bytes) : 0;
  return {
    secret,
    envelope: secret.sealed && envelopeBytes <= largeEnvelope ? envelopeOf(envelope) : null,
    envelopeBytes,
  };
}

/** Prepares a statement whose rows are `Values`. */
export function prepareArrays(database: DatabaseSync, sql: string): ArrayStatement {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement as unknown as ArrayStatement;
}

/** As node:sqlite runs it; its types know objects alone. */
export interface ArrayStatement {
  all(...values: readonly SQLInputValue[]): Values[];
  get(...values: readonly SQLInputValue[]): Values | undefined;
}

/** Where the stored envelope is damaged or gone, one without parts, which does not open. */
export function envelopeOf(stored: SQLOutputValue | undefined): Envelope {
  try {
    const envelope: unknown = JSON.parse(text.read(stored));
    if (typeof envelope === 'object' && envelope !== null) return envelope as Envelope;
  } catch {
    // Something other than a gateway wrote it.
  }
  return {} as Envelope;
}

/** The wrapped key of an envelope, and `NULL` where the stored envelope is damaged. */
export const wrappedKeyColumns = `
  iif(json_valid(envelope), envelope ->> '$.header.kid', NULL) AS kid,
  iif(json_valid(envelope), envelope ->> '$.encrypted_key', NULL) AS encrypted_key`;
