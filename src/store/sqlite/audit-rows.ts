import type { SQLInputValue } from 'node:sqlite';
import type { AuditEvent } from '../../model/audit-event.ts';
import type { ChainState } from '../audit.ts';
import { type Columns, type ColumnType, type Row, text, textOrNull, time } from './rows.ts';

/** An event beside its owner, its sequence, its actor, what it is about, and what not every event has. */
const columns: Columns<
  Omit<AuditEvent, 'sequence' | 'actor' | 'secretId' | 'version' | 'apiKeyId' | (typeof optional)[number]>
> = {
  type: ['type', text as ColumnType<AuditEvent['type']>],
  requestId: ['request_id', text],
  at: ['at', time],
  recordMac: ['record_mac', textOrNull],
  previousHash: ['previous_hash', text],
  kid: ['kid', text],
  hash: ['hash', text],
};
const optional = ['secretName', 'purpose', 'method', 'origin'] as const;
const optionalColumns = ['secret_name', 'purpose', 'method', 'origin'] as const;
const fields = Object.entries(columns) as [keyof typeof columns, readonly [string, ColumnType<unknown>]][];
const insertedColumns = [
  ...['owner', 'sequence', 'actor_kind', 'actor_id', 'secret_id', 'version', 'api_key_id'],
  ...optionalColumns,
  ...fields.map(([, [column]]) => column),
];

/** Takes `eventValues`. */
export const insertEvent = `
  INSERT INTO audit (${insertedColumns.join(', ')}) VALUES (${insertedColumns.map(() => '?').join(', ')})`;

export function eventValues(owner: string, event: AuditEvent): SQLInputValue[] {
  const { sequence, actor, secretId = null, version = null, apiKeyId = null } = event;
  const values: SQLInputValue[] = [owner, sequence, actor.kind, actor.id, secretId, version, apiKeyId];
  for (const field of optional) values.push(event[field] ?? null);
  for (const [field, [, type]] of fields) values.push(type.write(event[field]));
  return values;
}

/** What no gateway wrote becomes an event, too: its MAC tells. */
export function auditEventOfRow(row: Row): AuditEvent {
  const event: Record<string, unknown> =
    row.api_key_id === null ? { secretId: row.secret_id, version: Number(row.version) } : { apiKeyId: row.api_key_id };
  optional.forEach((field, index) => {
    const value = row[optionalColumns[index] ?? ''];
    if (value !== null) event[field] = value;
  });
  event.sequence = Number(row.sequence);
  event.actor = { kind: row.actor_kind, id: row.actor_id };
  for (const [field, [column, type]] of fields) event[field] = type.read(row[column]);
  return event as unknown as AuditEvent;
}

/** Of an owner. `chainOfRow` reads them, and `chainValues` are theirs. */
export const chainColumns = 'audit_sequence, audit_hash, audit_latest_at, audit_max_lag_ms';

export function chainOfRow(row: Row): ChainState {
  return {
    head: { sequence: Number(row.audit_sequence), hash: text.read(row.audit_hash) },
    latestAt: time.read(row.audit_latest_at),
    maxLagMs: Number(row.audit_max_lag_ms),
  };
}

export function chainValues({ head, latestAt, maxLagMs }: ChainState): [number, string, number, number] {
  return [head.sequence, head.hash, latestAt.getTime(), maxLagMs];
}
