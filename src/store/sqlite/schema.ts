import type { DatabaseSync } from 'node:sqlite';
import { tooNew, tooOld } from '../schema-version.ts';

/**
 * One step per version, forward only: a released step is never changed, and new steps are added at the end.
 * Text compares byte by byte (BINARY, the default collation, over UTF-8).
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE owners (
    owner TEXT PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count >= 0),
    audit_sequence INTEGER NOT NULL,
    audit_hash TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The envelope comes last: the end of a row lies in overflow pages, which are read only for a column that lies there.
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
    tags TEXT NOT NULL,
    notes TEXT,
    sealed_version INTEGER,
    envelope TEXT,
    CHECK ((sealed_version IS NULL) = (envelope IS NULL))
  ) STRICT;
  CREATE UNIQUE INDEX secrets_owner_name ON secrets (owner, name);
  CREATE UNIQUE INDEX secrets_owner_placeholder ON secrets (owner, placeholder);
  CREATE INDEX secrets_owner_provider_name ON secrets (owner, provider, name);

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
    secret_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (owner, sequence)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Databases of versions before this one were made by commits that were never released. */
const firstVersion = 2;
const newestVersion = firstVersion + migrations.length - 1;

/**
 * Brings the schema to the newest version, in one transaction: a start that is cut off leaves the old one whole.
 * @throws ConfigurationError when the database is older than the first release, or newer than this gateway
 */
export function migrate(database: DatabaseSync): void {
  // Without this, a start with nothing to do would wait for a process that writes.
  if (versionOf(database) === newestVersion) return;
  // Of two processes that start at once the second waits here, and then finds nothing left to do.
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = versionOf(database);
    requireKnown(version);
    const done = version === 0 ? 0 : version - firstVersion + 1;
    for (const migration of migrations.slice(done)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${newestVersion}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** A new file has version 0. */
function requireKnown(version: number): void {
  if (version > newestVersion) throw tooNew(version, newestVersion);
  if (version > 0 && version < firstVersion) throw tooOld(version);
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version);
}
