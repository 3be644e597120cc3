import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { AuditEvent } from '../../model/audit-event.ts';
import { type Sealed, unknownKid, type WrappedKey } from '../../model/envelope.ts';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import type { Secret, SecretRecord } from '../../model/secret.ts';

export type Row = Record<string, SQLOutputValue>;

/** How a field's type is written to a column, and read from it. */
interface ColumnType<T> {
  write(value: T): SQLInputValue;
  read(value: SQLOutputValue | undefined): T;
}

const text: ColumnType<string> = {
  write: (value) => value,
  read(value) {
    if (typeof value !== 'string') throw new TypeError('a column that must hold text does not');
    return value;
  },
};
const textOrNull: ColumnType<string | null> = {
  write: (value) => value,
  read: (value) => (value === null ? null : text.read(value)),
};
const integer: ColumnType<number> = { write: (value) => value, read: Number };
/** Milliseconds since 1970. */
const time: ColumnType<Date> = { write: (value) => value.getTime(), read: (value) => new Date(Number(value)) };
const json: ColumnType<readonly string[]> = {
  write: (value) => JSON.stringify(value),
  read: (value) => JSON.parse(text.read(value)) as string[],
};

type Columns<T> = { readonly [field in keyof T]: readonly [column: string, type: ColumnType<T[field]>] };

/** The columns of a secret beside its owner and its envelope: one line for each field, everything else follows from it. */
const columns: Columns<Omit<Secret, 'owner'>> = {
  id: ['id', text],
  name: ['name', text],
  placeholder: ['placeholder', text],
  provider: ['provider', textOrNull],
  maskedValue: ['masked_value', textOrNull],
  version: ['version', integer],
  createdAt: ['created_at', time],
  updatedAt: ['updated_at', time],
  tags: ['tags', json],
  notes: ['notes', textOrNull],
};
const fields = Object.entries(columns) as [keyof typeof columns, readonly [string, ColumnType<unknown>]][];
const columnNames = fields.map(([, [column]]) => column);

/** What a list reads: it knows the owner. */
export const listedColumns = columnNames.join(', ');

/** What a find reads: everything but the envelope. */
export const secretColumns = `owner, ${listedColumns}`;

const recordColumns = ['owner', ...columnNames, 'sealed_version', 'envelope'];
const parameterOf = (column: string) => `?${recordColumns.indexOf(column) + 1}`;

/** Takes `recordValues`. */
export const insertRecord = `
  INSERT INTO secrets (${recordColumns.join(', ')}) VALUES (${recordColumns.map(parameterOf).join(', ')})`;

/** Takes `recordValues`, where an envelope that is null keeps the stored one. */
export const updateRecord = `
  UPDATE secrets SET
    ${columnNames.map((column) => `${column} = ${parameterOf(column)}`).join(', ')},
    sealed_version = coalesce(${parameterOf('sealed_version')}, sealed_version),
    envelope = coalesce(${parameterOf('envelope')}, envelope)
  WHERE owner = ${parameterOf('owner')} AND id = ${parameterOf('id')} AND version = ${parameterOf('version')} - 1`;

/** The values of a secret and its envelope, in the order of the parameters. */
export function recordValues(secret: Secret, sealed: Sealed | null | undefined): SQLInputValue[] {
  return [
    ownerKey(secret.owner),
    ...fields.map(([field, [, type]]) => type.write(secret[field])),
    sealed?.version ?? null,
    sealed ? JSON.stringify(sealed.envelope) : null,
  ];
}

export function secretOfRow(row: Row): Secret {
  return listedSecretOfRow(row, ownerOfKey(text.read(row.owner)));
}

export function listedSecretOfRow(row: Row, owner: Owner): Secret {
  const secret: Record<string, unknown> = { owner };
  for (const [field, [column, type]] of fields) secret[field] = type.read(row[column]);
  return secret as unknown as Secret;
}

export function recordOfRow(row: Row): SecretRecord {
  const envelope = textOrNull.read(row.envelope ?? null);
  const sealed =
    envelope === null
      ? null
      : { version: Number(row.sealed_version), envelope: JSON.parse(envelope) as Sealed['envelope'] };
  return { ...secretOfRow(row), sealed };
}

/** Takes `eventValues`. */
export const insertEvent = `
  INSERT INTO audit (owner, sequence, type, secret_id, version, actor_kind, actor_id, request_id, at, previous_hash, hash)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export function eventValues(owner: string, event: AuditEvent): SQLInputValue[] {
  const { sequence, type, secretId, version, actor, requestId, at, previousHash, hash } = event;
  const who = [actor.kind, actor.id];
  return [owner, sequence, type, secretId, version, ...who, requestId, at.getTime(), previousHash, hash];
}

export function auditEventOfRow(row: Row): AuditEvent {
  return {
    sequence: Number(row.sequence),
    type: text.read(row.type) as AuditEvent['type'],
    secretId: text.read(row.secret_id),
    version: Number(row.version),
    actor: { kind: text.read(row.actor_kind) as AuditEvent['actor']['kind'], id: text.read(row.actor_id) },
    requestId: text.read(row.request_id),
    at: time.read(row.at),
    previousHash: text.read(row.previous_hash),
    hash: text.read(row.hash),
  };
}

/** The wrapped key of an envelope, and `NULL` where the stored envelope is damaged. */
export const wrappedKeyColumns = `
  iif(json_valid(envelope), envelope ->> '$.header.kid', NULL) AS kid,
  iif(json_valid(envelope), envelope ->> '$.encrypted_key', NULL) AS encrypted_key`;

export function wrappedKeyOfRow(row: Row): WrappedKey {
  const { kid, encrypted_key: encryptedKey } = row;
  return typeof kid === 'string' && typeof encryptedKey === 'string'
    ? { secretId: text.read(row.id), kid, encryptedKey }
    : { secretId: text.read(row.id), kid: unknownKid, encryptedKey: '' };
}
