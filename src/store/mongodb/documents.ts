import type { Collection, Db } from 'mongodb';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import { type AuditEvent, type Sealed, type Secret, type SecretRecord, unknownKid, type WrappedKey } from '../store.ts';

/** `owner` is the owner's key everywhere. */
export interface SecretDocument {
  readonly _id: string;
  readonly owner: string;
  readonly name: string;
  readonly placeholder: string;
  readonly provider: string | null;
  readonly notes: string | null;
  readonly tags: readonly string[];
  readonly maskedValue: string | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly sealed: Sealed | null;
}

/** What a find reads. */
export type FoundDocument = Omit<SecretDocument, 'sealed'>;

/** What a rewrap reads: neither the value nor what it is bound to. */
export interface WrappedKeyDocument {
  readonly _id: string;
  readonly sealed: {
    readonly envelope?: { readonly header?: { readonly kid?: string }; readonly encrypted_key?: string };
  };
}

/** What a list reads, which knows whose it is. */
export type ListedDocument = Omit<FoundDocument, 'owner'>;

export interface OwnerDocument {
  readonly _id: string;
  readonly count: number;
  /** One more with every commit: what a commit is guarded by. */
  readonly revision: number;
  readonly auditSequence: number;
  readonly auditHash: string;
}

export interface AuditDocument extends AuditEvent {
  readonly owner: string;
}

export interface Collections {
  readonly secrets: Collection<SecretDocument>;
  readonly owners: Collection<OwnerDocument>;
  readonly audit: Collection<AuditDocument>;
}

export function collectionsOf(database: Db): Collections {
  return {
    secrets: database.collection('secrets'),
    owners: database.collection('owners'),
    audit: database.collection('audit'),
  };
}

/** Everything of a secret but its id and its envelope. */
export function fieldsOf(secret: Secret): Omit<FoundDocument, '_id'> {
  const { owner, name, placeholder, provider, notes, tags, maskedValue, version, createdAt, updatedAt } = secret;
  return {
    owner: ownerKey(owner),
    name,
    placeholder,
    provider,
    notes,
    tags,
    maskedValue,
    version,
    createdAt,
    updatedAt,
  };
}

export function documentOf(record: SecretRecord): SecretDocument {
  return { _id: record.id, ...fieldsOf(record), sealed: record.sealed };
}

export function secretOf(document: FoundDocument): Secret {
  return listedSecretOf(document, ownerOfKey(document.owner));
}

export function listedSecretOf(document: ListedDocument, owner: Owner): Secret {
  return {
    id: document._id,
    owner,
    placeholder: document.placeholder,
    name: document.name,
    provider: document.provider,
    notes: document.notes,
    tags: document.tags,
    maskedValue: document.maskedValue,
    version: document.version,
    createdAt: document.createdAt,
    updatedAt: document.updatedAt,
  };
}

export function recordOf(document: SecretDocument): SecretRecord {
  return { ...secretOf(document), sealed: document.sealed };
}

export function wrappedKeyOf({ _id, sealed: { envelope } }: WrappedKeyDocument): WrappedKey {
  const { header, encrypted_key: encryptedKey } = envelope ?? {};
  return header?.kid !== undefined && encryptedKey !== undefined
    ? { secretId: _id, kid: header.kid, encryptedKey }
    : { secretId: _id, kid: unknownKid, encryptedKey: '' };
}

export function auditEventOf(document: AuditDocument): AuditEvent {
  return {
    sequence: document.sequence,
    type: document.type,
    secretId: document.secretId,
    version: document.version,
    actor: document.actor,
    requestId: document.requestId,
    at: document.at,
    previousHash: document.previousHash,
    hash: document.hash,
  };
}
