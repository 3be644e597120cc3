import type { Collection, Db } from 'mongodb';
import type { AuditEvent } from '../../model/audit-event.ts';
import type { Sealed, SealedMark } from '../../model/envelope.ts';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import type { RecordMac, Secret, SecretRecord, StoredSecret } from '../../model/secret.ts';
import type { ApiKeyDocument } from './api-keys.ts';
import type { SecretIdDocument } from './secret-ids.ts';

/** The fields of a secret beside its id and its owner, which are stored as other types. */
type SecretFields = Omit<Secret, 'id' | 'owner'>;

/** One line for each field of a secret. A migration says which type each has in the database (validators.ts). */
const secretFields: { readonly [field in keyof SecretFields]: true } = {
  name: true,
  placeholder: true,
  provider: true,
  notes: true,
  tags: true,
  maskedValue: true,
  version: true,
  createdAt: true,
  updatedAt: true,
};
const fieldNames = Object.keys(secretFields) as (keyof SecretFields)[];

/** What a list reads: it knows the owner. */
export interface ListedDocument extends SecretFields {
  readonly _id: string;
}

/** What a find reads. `owner` is the owner's key in every collection. */
export interface FoundDocument extends ListedDocument {
  readonly owner: string;
  readonly sealed: SealedMark | null;
  readonly mac: RecordMac;
}

export interface SecretDocument extends FoundDocument {
  readonly sealed: Sealed | null;
}

/** Everything but the envelope, for a find that computes what it has of the value. */
export const foundFields = Object.fromEntries([...fieldNames, 'owner', 'mac'].map((name) => [name, 1]));

/** What a find and a list leave out. */
export const foundProjection = { 'sealed.envelope': 0 } as const;
export const listedProjection = { owner: 0, sealed: 0, mac: 0 } as const;

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

/** `_id` is the digest, by which the collection can be sharded. */
export interface NonceDocument {
  readonly _id: string;
  readonly keptUntil: Date;
}

export interface Collections {
  readonly secrets: Collection<SecretDocument>;
  readonly secretIds: Collection<SecretIdDocument>;
  readonly owners: Collection<OwnerDocument>;
  readonly audit: Collection<AuditDocument>;
  readonly apiKeys: Collection<ApiKeyDocument>;
  readonly nonces: Collection<NonceDocument>;
}

export function collectionsOf(database: Db): Collections {
  return {
    secrets: database.collection('secrets'),
    secretIds: database.collection('secretIds'),
    owners: database.collection('owners'),
    audit: database.collection('audit'),
    apiKeys: database.collection('apiKeys'),
    nonces: database.collection('nonces'),
  };
}

/** Everything of a secret but its id, its value and its MAC. */
export function fieldsOf(secret: Secret): Omit<FoundDocument, '_id' | 'sealed' | 'mac'> {
  // Named fields only: a spread would also store what else an object happens to hold.
  return { ...pick(secret), owner: ownerKey(secret.owner) };
}

export function documentOf(record: SecretRecord): SecretDocument {
  return { _id: record.id, ...fieldsOf(record), mac: record.mac, sealed: record.sealed };
}

export function secretOf(document: FoundDocument): StoredSecret {
  const { sealed, mac } = document;
  return Object.assign(listedSecretOf(document, ownerOfKey(document.owner)), { sealed, mac });
}

export function listedSecretOf(document: ListedDocument, owner: Owner): Secret {
  return Object.assign(pick(document), { id: document._id, owner });
}

/** Where the stored envelope is gone, one without parts stands for it, which does not open. */
export function recordOf(document: SecretDocument): SecretRecord {
  const { sealed } = document;
  const envelope = sealed?.envelope ?? ({} as Sealed['envelope']);
  return { ...secretOf(document), sealed: sealed && { ...sealed, envelope } };
}

function pick(source: SecretFields): SecretFields {
  const picked: Record<string, unknown> = {};
  for (const name of fieldNames) picked[name] = source[name];
  return picked as unknown as SecretFields;
}

export function auditEventOf({ _id, owner, ...event }: AuditDocument & { readonly _id?: unknown }): AuditEvent {
  return event;
}
