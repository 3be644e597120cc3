import type { DatabaseSync } from 'node:sqlite';
import { tooNew, tooOld } from '../schema-version.ts';

/**
 * One step per version, forward only: a released step is never changed, and new steps are added at the end.
 * Text compares byte by byte (BINARY, the default collation, over UTF-8).
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE owners (
    owner TEXT PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count >= 0),
    audit_sequence INTEGER NOT NULL,
    audit_hash TEXT NOT NULL,
    audit_latest_at INTEGER NOT NULL,
    audit_max_lag_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE secrets (
    id TEXT PRIMARY KEY NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    placeholder TEXT NOT NULL,
    provider TEXT,
    masked_value TEXT,
    version INTEGER NOT NULL CHECK (version >= 1),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    tags TEXT NOT NULL,
    notes TEXT,
    sealed_version INTEGER,
    sealed_number INTEGER,
    sealed_tag TEXT,
    sealed_at INTEGER,
    sealed_by TEXT,
    mac_kid TEXT NOT NULL,
    mac_tag TEXT NOT NULL,
    CHECK ((sealed_version IS NULL) = (sealed_tag IS NULL)),
    CHECK ((sealed_version IS NULL) = (sealed_number IS NULL)),
    CHECK ((sealed_version IS NULL) = (sealed_at IS NULL AND sealed_by IS NULL))
  ) STRICT;
  CREATE UNIQUE INDEX secrets_owner_name ON secrets (owner, name);
  CREATE UNIQUE INDEX secrets_owner_placeholder ON secrets (owner, placeholder);
  CREATE INDEX secrets_owner_provider_name ON secrets (owner, provider, name);

  -- Whose a secret's id is. It stays when the secret is deleted: an id is never free again.
  CREATE TABLE secret_ids (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- In a table of their own. A column that is added to secrets later would lie behind them, in overflow pages that every list
  -- would then read.
  CREATE TABLE envelopes (
    secret_id TEXT PRIMARY KEY NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
    envelope TEXT NOT NULL
  ) STRICT;

  -- Earlier values. The key is the secret's id and a place among those that its values take in turn, so that those of one
  -- secret are a range of it.
  CREATE TABLE secret_versions (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    secret_id TEXT NOT NULL,
    masked_value TEXT,
    sealed_version INTEGER NOT NULL,
    sealed_number INTEGER NOT NULL,
    sealed_tag TEXT NOT NULL,
    sealed_at INTEGER NOT NULL,
    sealed_by TEXT NOT NULL,
    mac_kid TEXT NOT NULL,
    mac_tag TEXT NOT NULL,
    envelope TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Secrets that were deleted, until they are purged.
  CREATE TABLE deleted_secrets (
    id TEXT PRIMARY KEY NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    placeholder TEXT NOT NULL,
    provider TEXT,
    masked_value TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    tags TEXT NOT NULL,
    notes TEXT,
    sealed_version INTEGER,
    sealed_number INTEGER,
    sealed_tag TEXT,
    sealed_at INTEGER,
    sealed_by TEXT,
    mac_kid TEXT NOT NULL,
    mac_tag TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    deleted_by TEXT NOT NULL
  ) STRICT;
  CREATE INDEX deleted_secrets_owner_name_id ON deleted_secrets (owner, name, id, deleted_at);
  CREATE INDEX deleted_secrets_deleted_at_id ON deleted_secrets (deleted_at, id);
  CREATE TABLE deleted_envelopes (
    secret_id TEXT PRIMARY KEY NOT NULL REFERENCES deleted_secrets (id) ON DELETE CASCADE,
    envelope TEXT NOT NULL
  ) STRICT;

  -- Only for filters. secrets.tags (JSON) has the tags in their order.
  CREATE TABLE secret_tags (
    owner TEXT NOT NULL,
    tag TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (owner, tag, name),
    FOREIGN KEY (owner, name) REFERENCES secrets (owner, name) ON UPDATE CASCADE ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  -- For the cascades, which look up the tags of one secret.
  CREATE INDEX secret_tags_owner_name ON secret_tags (owner, name);

  CREATE TABLE audit (
    owner TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    secret_id TEXT,
    version INTEGER,
    secret_name TEXT,
    api_key_id TEXT,
    purpose TEXT,
    method TEXT,
    origin TEXT,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    record_mac TEXT,
    previous_hash TEXT NOT NULL,
    kid TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (owner, sequence),
    CHECK ((secret_id IS NULL) = (version IS NULL) AND (secret_id IS NULL) = (secret_name IS NULL)),
    CHECK ((secret_id IS NULL) <> (api_key_id IS NULL))
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX audit_owner_secret_id ON audit (owner, secret_id, sequence) WHERE secret_id IS NOT NULL;

  -- Keyed by the SHA-256 of the key, by which each request with a key is authenticated. The owner is the team.
  CREATE TABLE api_keys (
    hash TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    connector_id TEXT,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by_kind TEXT NOT NULL,
    created_by_id TEXT NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER,
    mac_kid TEXT NOT NULL,
    mac_tag TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX api_keys_owner_id ON api_keys (owner, id);
  CREATE UNIQUE INDEX api_keys_owner_name_id ON api_keys (owner, name, id);

  -- What makes a write possible once only, by the SHA-256 of what the client chose.
  CREATE TABLE nonces (
    digest TEXT PRIMARY KEY,
    kept_until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX nonces_kept_until ON nonces (kept_until);

  -- Results of calls with an idempotency key.
  CREATE TABLE kept_results (
    id TEXT PRIMARY KEY NOT NULL,
    principal TEXT NOT NULL,
    input TEXT NOT NULL,
    secret_id TEXT,
    result TEXT,
    kept_until INTEGER NOT NULL,
    mac TEXT NOT NULL
  ) STRICT;
  CREATE INDEX kept_results_kept_until ON kept_results (kept_until);
  CREATE INDEX kept_results_principal ON kept_results (principal);
  CREATE INDEX kept_results_secret_id ON kept_results (secret_id) WHERE secret_id IS NOT NULL;
  `,
  `
  -- By which equal values of one owner are found: of current values alone. In a table of their own, so that a rename, a list
  -- and a find do not touch them, and they go with their secrets.
  CREATE TABLE secret_digests (
    secret_id TEXT PRIMARY KEY NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
    secret_owner TEXT NOT NULL,
    kid TEXT NOT NULL,
    digest TEXT NOT NULL,
    mac TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX secret_digests_owner_digest ON secret_digests (secret_owner, digest);
  `,
  `
  ALTER TABLE secrets ADD COLUMN expires_at INTEGER;
  ALTER TABLE deleted_secrets ADD COLUMN expires_at INTEGER;

  -- Each is in the order of lists and has what a filter looks at, so that no row is read which does not match.
  CREATE INDEX secrets_owner_name_expires_at ON secrets (owner, name, expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX secrets_owner_name_updated_at ON secrets (owner, name, updated_at);
  CREATE INDEX secrets_owner_name_without_value ON secrets (owner, name) WHERE sealed_version IS NULL;
  `,
  `
  -- Where a value may be sent: a JSON array.
  ALTER TABLE secrets ADD COLUMN destination TEXT;
  ALTER TABLE secrets ADD COLUMN last_used_at INTEGER;
  ALTER TABLE deleted_secrets ADD COLUMN destination TEXT;
  ALTER TABLE deleted_secrets ADD COLUMN last_used_at INTEGER;

  -- Made anew: behind the envelopes a list would find it in overflow pages.
  CREATE TABLE secret_versions_with_destination (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    secret_id TEXT NOT NULL,
    masked_value TEXT,
    destination TEXT,
    sealed_version INTEGER NOT NULL,
    sealed_number INTEGER NOT NULL,
    sealed_tag TEXT NOT NULL,
    sealed_at INTEGER NOT NULL,
    sealed_by TEXT NOT NULL,
    mac_kid TEXT NOT NULL,
    mac_tag TEXT NOT NULL,
    envelope TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO secret_versions_with_destination
    SELECT id, owner, secret_id, masked_value, NULL, sealed_version, sealed_number, sealed_tag, sealed_at, sealed_by,
      mac_kid, mac_tag, envelope
    FROM secret_versions;
  DROP TABLE secret_versions;
  ALTER TABLE secret_versions_with_destination RENAME TO secret_versions;
  `,
  `
  -- By type, among all that was done to a secret. Uses are in no need of it: they are nearly all of the events of a secret that is used.
  CREATE INDEX audit_owner_secret_id_type ON audit (owner, secret_id, type, sequence)
    WHERE secret_id IS NOT NULL AND type < 'secret.used';
  `,
  `
  -- What was last found out about a value.
  ALTER TABLE secrets ADD COLUMN health_status TEXT;
  ALTER TABLE secrets ADD COLUMN health_checked_at INTEGER;
  ALTER TABLE secrets ADD COLUMN health_source TEXT
    CHECK ((health_status IS NULL) = (health_checked_at IS NULL) AND (health_status IS NULL) = (health_source IS NULL));
  ALTER TABLE deleted_secrets ADD COLUMN health_status TEXT;
  ALTER TABLE deleted_secrets ADD COLUMN health_checked_at INTEGER;
  ALTER TABLE deleted_secrets ADD COLUMN health_source TEXT;
  CREATE INDEX secrets_owner_health_name ON secrets (owner, health_status, name) WHERE health_status IS NOT NULL;
  CREATE INDEX secrets_owner_name_last_used_at ON secrets (owner, name, last_used_at);
  `,
];

/** Databases of versions before this one were made by commits that were never released. */
export const firstVersion = 9;
export const newestKnownVersion = firstVersion + migrations.length - 1;

/**
 * Brings the schema to the newest version, in one transaction: a start that is cut off leaves the old one whole. Foreign keys
 * are enforced afterwards, and not meanwhile: a step that makes a table anew would delete what refers to the old one.
 * @param steps after which the schema has its newest version
 * @throws ConfigurationError when the database is older than the first release, or newer than this gateway
 */
export function migrate(database: DatabaseSync, steps: readonly string[] = migrations): void {
  const newestVersion = firstVersion + steps.length - 1;
  // Without this, a start with nothing to do would wait for a process that writes.
  if (versionOf(database) !== newestVersion) {
    database.exec('PRAGMA foreign_keys = OFF');
    // Of two processes that start at once the second waits here, and then finds nothing left to do.
    database.exec('BEGIN IMMEDIATE');
    try {
      const version = versionOf(database);
      requireKnown(version, newestVersion);
      const done = version === 0 ? 0 : version - firstVersion + 1;
      for (const step of steps.slice(done)) database.exec(step);
      database.exec(`PRAGMA user_version = ${newestVersion}`);
      const [broken] = database.prepare('PRAGMA foreign_key_check').all();
      if (broken) throw new Error('a migration left a reference to a row that is gone');
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
  database.exec('PRAGMA foreign_keys = ON');
}

/** A new file has version 0. */
function requireKnown(version: number, newestVersion: number): void {
  if (version > newestVersion) throw tooNew(version, newestVersion);
  if (version > 0 && version < firstVersion) throw tooOld(version);
}

export function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version);
}
