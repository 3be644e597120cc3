import type { SQLOutputValue } from 'node:sqlite';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import { type AuditEvent, type Sealed, type Secret, type SecretRecord, unknownKid, type WrappedKey } from '../store.ts';

type Row = Record<string, SQLOutputValue>;

/** What a list reads, which knows whose it is. */
export const listedColumns =
  'id, name, placeholder, provider, masked_value, version, created_at, updated_at, tags, notes';

/** What a find reads: everything but the envelope. */
export const secretColumns = `owner, ${listedColumns}`;

/** The values of `secretColumns`, in their order. */
export function secretValues(secret: Secret) {
  return [
    ownerKey(secret.owner),
    secret.id,
    secret.name,
    secret.placeholder,
    secret.provider,
    secret.maskedValue,
    secret.version,
    secret.createdAt.getTime(),
    secret.updatedAt.getTime(),
    JSON.stringify(secret.tags),
    secret.notes,
  ] as const;
}

export function sealedValues(sealed: Sealed | null | undefined) {
  return [sealed?.version ?? null, sealed ? JSON.stringify(sealed.envelope) : null] as const;
}

export function secretOfRow(row: Row): Secret {
  return listedSecretOfRow(row, ownerOfKey(text(row.owner)));
}

export function listedSecretOfRow(row: Row, owner: Owner): Secret {
  return {
    id: text(row.id),
    owner,
    placeholder: text(row.placeholder),
    name: text(row.name),
    provider: textOrNull(row.provider),
    notes: textOrNull(row.notes),
    tags: JSON.parse(text(row.tags)) as string[],
    maskedValue: textOrNull(row.masked_value),
    version: Number(row.version),
    createdAt: new Date(Number(row.created_at)),
    updatedAt: new Date(Number(row.updated_at)),
  };
}

export function recordOfRow(row: Row): SecretRecord {
  const envelope = textOrNull(row.envelope);
  const sealed =
    envelope === null
      ? null
      : { version: Number(row.sealed_version), envelope: JSON.parse(envelope) as Sealed['envelope'] };
  return { ...secretOfRow(row), sealed };
}

export function auditEventOfRow(row: Row): AuditEvent {
  return {
    sequence: Number(row.sequence),
    type: text(row.type) as AuditEvent['type'],
    secretId: text(row.secret_id),
    version: Number(row.version),
    actor: text(row.actor),
    requestId: text(row.request_id),
    at: new Date(Number(row.at)),
    previousHash: text(row.previous_hash),
    hash: text(row.hash),
  };
}

export function wrappedKeyOfRow(row: Row): WrappedKey {
  const [kid, encryptedKey] = [row.kid, row.encrypted_key];
  return typeof kid === 'string' && typeof encryptedKey === 'string'
    ? { secretId: text(row.id), kid, encryptedKey }
    : { secretId: text(row.id), kid: unknownKid, encryptedKey: '' };
}

function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError('a column that holds text does not');
  return value;
}

function textOrNull(value: SQLOutputValue | undefined): string | null {
  return value === null ? null : text(value);
}
