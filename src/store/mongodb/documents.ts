import type { Collection, Db, Document } from 'mongodb';
import type { AuditEvent } from '../../model/audit-event.ts';
import { type Sealed, unknownKid, type WrappedKey } from '../../model/envelope.ts';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import type { Secret, SecretRecord } from '../../model/secret.ts';
import { date, positive, text, textOrNull } from './bson-types.ts';

/** The fields of a secret beside its id and its owner, which are stored as other types. */
type SecretFields = Omit<Secret, 'id' | 'owner'>;

/** One line for each field of a secret, with its `$jsonSchema`: everything else follows from it. */
export const secretFields: { readonly [field in keyof SecretFields]: Document } = {
  name: { ...text, minLength: 1 },
  placeholder: text,
  provider: textOrNull,
  notes: textOrNull,
  tags: { bsonType: 'array', items: text },
  maskedValue: textOrNull,
  version: positive,
  createdAt: date,
  updatedAt: date,
};
const fieldNames = Object.keys(secretFields) as (keyof SecretFields)[];

/** What a list reads: it knows the owner. */
export interface ListedDocument extends SecretFields {
  readonly _id: string;
}

/** What a find reads. `owner` is the owner's key in every collection. */
export interface FoundDocument extends ListedDocument {
  readonly owner: string;
}

export interface SecretDocument extends FoundDocument {
  readonly sealed: Sealed | null;
}

/** What a rewrap reads: neither the ciphertext nor what it is bound to. */
export interface WrappedKeyDocument {
  readonly _id: string;
  readonly sealed: {
    readonly envelope?: { readonly header?: { readonly kid?: string }; readonly encrypted_key?: string };
  };
}

export interface OwnerDocument {
  readonly _id: string;
  readonly count: number;
  /** One more with every commit: a commit is made only on the revision that it read. */
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
  // Named fields only: a spread would also store what else an object happens to hold.
  return { ...pick(secret), owner: ownerKey(secret.owner) };
}

export function documentOf(record: SecretRecord): SecretDocument {
  return { _id: record.id, ...fieldsOf(record), sealed: record.sealed };
}

export function secretOf(document: FoundDocument): Secret {
  return listedSecretOf(document, ownerOfKey(document.owner));
}

export function listedSecretOf(document: ListedDocument, owner: Owner): Secret {
  return Object.assign(pick(document), { id: document._id, owner });
}

export function recordOf(document: SecretDocument): SecretRecord {
  return { ...secretOf(document), sealed: document.sealed };
}

function pick(source: SecretFields): SecretFields {
  const picked: Record<string, unknown> = {};
  for (const name of fieldNames) picked[name] = source[name];
  return picked as unknown as SecretFields;
}

export function wrappedKeyOf({ _id, sealed: { envelope } }: WrappedKeyDocument): WrappedKey {
  const { header, encrypted_key: encryptedKey } = envelope ?? {};
  return header?.kid !== undefined && encryptedKey !== undefined
    ? { secretId: _id, kid: header.kid, encryptedKey }
    : { secretId: _id, kid: unknownKid, encryptedKey: '' };
}

export function auditEventOf({ _id, owner, ...event }: AuditDocument & { readonly _id?: unknown }): AuditEvent {
  return event;
}
