import type { DatabaseSync } from 'node:sqlite';
import { type Owner, ownerKey, ownerOfKey } from '../../model/owner.ts';
import type { SecretVersion, VersionRecord } from '../../model/secret-version.ts';
import { createPacing } from '../../runtime/pacing.ts';
import { newestFirst, type VersionStore, versionId } from '../versions.ts';
import { asDomainError } from './errors.ts';
import {
  type ArrayStatement,
  destinationOrNull,
  envelopeOf,
  markColumns,
  markOf,
  markValues,
  prepareArrays,
  text,
  textOrNull,
  type Values,
} from './rows.ts';

const columns = ['id', 'owner', 'secret_id', 'masked_value', 'destination', ...markColumns, 'mac_kid', 'mac_tag'];
const shown = 'masked_value, destination';
const marks = markColumns.join(', ');

/** Takes the secret's id as ?1 and its owner as ?2. The range has all places of the secret: 0 follows / in ASCII. */
const ofSecret = `secret_versions WHERE id > ?1 || '/' AND id < ?1 || '0' AND owner = ?2`;

/** Takes a value for each column, the secret's id and the wrapped key that is stored. The envelope is moved as it is stored. */
const keepVersion = `
  INSERT INTO secret_versions (${columns.join(', ')}, envelope)
  SELECT ${columns.map(() => '?').join(', ')}, envelope FROM envelopes
  WHERE secret_id = ? AND json_valid(envelope) AND envelope ->> '$.encrypted_key' = ?
  ON CONFLICT (id) DO UPDATE SET ${[...columns, 'envelope'].map((column) => `${column} = excluded.${column}`).join(', ')}`;

export interface VersionWrites {
  /** @returns false where the secret has no value with this wrapped key */
  keep(version: VersionRecord): boolean;
  removeAll(owner: Owner, secretId: string): void;
}

/** For use inside the transaction that the caller holds. */
export function prepareVersionWrites(database: DatabaseSync): VersionWrites {
  const keep = database.prepare(keepVersion);
  const removeAll = database.prepare(`DELETE FROM ${ofSecret}`);
  return {
    keep(version) {
      const { owner, secretId, maskedValue, sealed, mac } = version;
      const destination = destinationOrNull.write(version.destination);
      const values = [versionId(version), ownerKey(owner), secretId, maskedValue, destination, ...markValues(sealed)];
      const stored = [secretId, sealed.envelope.encrypted_key];
      return keep.run(...values, mac.kid, mac.tag, ...stored).changes > 0;
    },
    removeAll: (owner, secretId) => void removeAll.run(secretId, ownerKey(owner)),
  };
}

/** Secrets whose values are listed in one tick of the event loop. */
const pace = createPacing(100);

export class SqliteVersions implements VersionStore {
  readonly #list: ArrayStatement;
  readonly #find: ArrayStatement;

  constructor(database: DatabaseSync) {
    this.#list = prepareArrays(
      database,
      `SELECT ${shown}, 1, ${marks} FROM secrets WHERE id = ?1 AND owner = ?2 AND sealed_version IS NOT NULL
       UNION ALL
       SELECT ${shown}, 1, ${marks} FROM deleted_secrets
       WHERE id = ?1 AND owner = ?2 AND sealed_version IS NOT NULL
       UNION ALL
       SELECT ${shown}, 0, ${marks} FROM ${ofSecret}`,
    );
    this.#find = prepareArrays(
      database,
      `SELECT owner, secret_id, ${shown}, mac_kid, mac_tag, envelope, ${marks} FROM ${ofSecret}
       AND secret_id = ?1 AND sealed_version = ?3`,
    );
  }

  async list(owner: Owner, secretId: string): Promise<SecretVersion[]> {
    await pace(1);
    return newestFirst(this.#ask(() => this.#list.all(secretId, ownerKey(owner))).map(versionOfRow));
  }

  async find(owner: Owner, secretId: string, version: number): Promise<VersionRecord | undefined> {
    const row = this.#ask(() => this.#find.get(secretId, ownerKey(owner), version));
    return row && recordOfRow(row);
  }

  #ask<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw asDomainError(error);
    }
  }
}

function versionOfRow([maskedValue = null, destination = null, current, ...mark]: Values): SecretVersion {
  const { version, setAt, setBy } = markOf(mark);
  return {
    version,
    maskedValue: textOrNull.read(maskedValue),
    destination: destinationOrNull.read(destination),
    createdAt: setAt,
    actor: setBy,
    current: current === 1,
  };
}

function recordOfRow(row: Values): VersionRecord {
  const [owner, secretId, maskedValue = null, destination = null, kid, tag, envelope, ...mark] = row;
  return {
    owner: ownerOfKey(text.read(owner)),
    secretId: text.read(secretId),
    maskedValue: textOrNull.read(maskedValue),
    destination: destinationOrNull.read(destination),
    sealed: { ...markOf(mark), envelope: envelopeOf(envelope) },
    mac: { kid: text.read(kid), tag: text.read(tag) },
  };
}
