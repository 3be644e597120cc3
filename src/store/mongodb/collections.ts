import type { Collection, Db } from 'mongodb';
import type { ApiKeyDocument } from './api-keys.ts';
import type { AuditDocument } from './audit.ts';
import type { DeletedDocument } from './deleted-secrets.ts';
import type { SecretDocument } from './documents.ts';
import type { KeptResultDocument } from './kept-results.ts';
import type { OwnerDocument } from './owner-document.ts';
import type { SecretIdDocument } from './secret-ids.ts';
import type { VersionDocument } from './versions.ts';

/** `_id` is the digest, by which the collection can be sharded. */
export interface NonceDocument {
  readonly _id: string;
  readonly keptUntil: Date;
}

export interface Collections {
  readonly database: Db;
  readonly secrets: Collection<SecretDocument>;
  readonly secretIds: Collection<SecretIdDocument>;
  readonly deletedSecrets: Collection<DeletedDocument>;
  readonly owners: Collection<OwnerDocument>;
  readonly audit: Collection<AuditDocument>;
  readonly apiKeys: Collection<ApiKeyDocument>;
  readonly nonces: Collection<NonceDocument>;
  readonly secretVersions: Collection<VersionDocument>;
  readonly keptResults: Collection<KeptResultDocument>;
}

export function collectionsOf(database: Db): Collections {
  return {
    database,
    secrets: database.collection('secrets'),
    secretIds: database.collection('secretIds'),
    deletedSecrets: database.collection('deletedSecrets'),
    owners: database.collection('owners'),
    audit: database.collection('audit'),
    apiKeys: database.collection('apiKeys'),
    nonces: database.collection('nonces'),
    secretVersions: database.collection('secretVersions'),
    keptResults: database.collection('keptResults'),
  };
}
