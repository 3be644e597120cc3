import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Sealed, ValueDigest } from '../../model/envelope.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord } from '../../model/secret.ts';
import { createPacing } from '../../runtime/pacing.ts';
import type { DigestedSecret, DigestStore, UndigestedPage } from '../digests.ts';
import { asDomainError } from './errors.ts';
import { rollBack } from './roll-back.ts';
import {
  type ArrayStatement,
  prepareArrays,
  recordColumns,
  recordOfRow,
  secretColumns,
  secretOfRow,
  text,
  type Values,
} from './rows.ts';

export interface DigestWrites {
  /** The digest of the value that the secret has now. Without one, none is left of the value before. */
  set(secretId: string, owner: Owner, digest: ValueDigest | undefined): void;
}

const columns = 'secret_id, secret_owner, kid, digest, mac';
const replaced = `
  ON CONFLICT (secret_id) DO UPDATE SET
    secret_owner = excluded.secret_owner, kid = excluded.kid, digest = excluded.digest, mac = excluded.mac`;

/** For use inside the transaction that the caller holds. */
export function prepareDigestWrites(database: DatabaseSync): DigestWrites {
  const set = database.prepare(`INSERT INTO secret_digests (${columns}) VALUES (?, ?, ?, ?, ?) ${replaced}`);
  const remove = database.prepare('DELETE FROM secret_digests WHERE secret_id = ?');
  return {
    set(secretId, owner, digest) {
      if (digest) set.run(secretId, ownerKey(owner), ...valuesOf(digest));
      else remove.run(secretId);
    },
  };
}

/** Secrets that are read in one tick of the event loop. */
const pace = createPacing(1000);

export class SqliteDigests implements DigestStore {
  readonly #database: DatabaseSync;
  readonly #untilWritable: () => Promise<void>;
  readonly #onPut: () => void;
  readonly #match: ArrayStatement;
  readonly #of: ArrayStatement;
  readonly #undigested: ArrayStatement;

  /**
   * @param untilWritable resolves when no other connection is writing
   * @param onPut told when digests have been replaced
   */
  constructor(database: DatabaseSync, untilWritable: () => Promise<void>, onPut: () => void) {
    this.#database = database;
    this.#untilWritable = untilWritable;
    this.#onPut = onPut;
    // CROSS JOIN keeps the digests outside: their index leads to them alone.
    this.#match = prepareArrays(
      database,
      `SELECT ${secretColumns}, kid, digest, mac FROM secret_digests CROSS JOIN secrets ON id = secret_id
       WHERE secret_owner = ?1 AND digest IN (SELECT value FROM json_each(?2)) AND owner = ?1 LIMIT ?3 + 0`,
    );
    this.#of = prepareArrays(
      database,
      `SELECT secret_id, kid, digest, mac FROM secret_digests
       WHERE secret_id IN (SELECT value FROM json_each(?2)) AND +secret_owner = ?1`,
    );
    this.#undigested = prepareArrays(
      database,
      `SELECT ${recordColumns} FROM secrets
       LEFT JOIN envelopes ON envelopes.secret_id = id LEFT JOIN secret_digests ON secret_digests.secret_id = id
       WHERE id > ? AND sealed_version IS NOT NULL AND kid IS NOT ? ORDER BY id LIMIT ?`,
    );
  }

  async match(owner: Owner, digests: readonly string[], limit: number): Promise<DigestedSecret[]> {
    await pace(1 + limit);
    const rows = this.#ask(() => this.#match.all(ownerKey(owner), JSON.stringify(digests), limit));
    return rows.map((row) => ({ secret: secretOfRow(row), digest: digestOf(row.slice(-3)) }));
  }

  async of(owner: Owner, ids: readonly string[]): Promise<ReadonlyMap<string, ValueDigest>> {
    await pace(1 + ids.length);
    const rows = this.#ask(() => this.#of.all(ownerKey(owner), JSON.stringify(ids)));
    return new Map(rows.map(([id, ...digest]) => [text.read(id), digestOf(digest)]));
  }

  async undigested(kid: string, after: string, limit: number): Promise<UndigestedPage> {
    const rows = this.#ask(() => this.#undigested.all(after, kid, limit));
    const records: SecretRecord[] = [];
    const damaged: string[] = [];
    for (const row of rows) {
      try {
        records.push(recordOfRow(row));
      } catch {
        damaged.push(String(row[0]));
      }
    }
    return { records, damaged, next: rows.length < limit ? null : String(rows.at(-1)?.[0]) };
  }

  async put(digests: readonly { readonly record: SecretRecord; readonly digest: ValueDigest }[]): Promise<number> {
    if (digests.length === 0) return 0;
    const set = this.#database.prepare(
      `INSERT INTO secret_digests (${columns})
       SELECT id, owner, ?, ?, ? FROM secrets WHERE id = ? AND owner = ? AND sealed_version = ? AND sealed_tag = ?
       ${replaced}`,
    );
    await this.#untilWritable();
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      let count = 0;
      for (const { record, digest } of digests) {
        count += Number(set.run(...valuesOf(digest), ...asRead(record, record.sealed)).changes);
      }
      this.#database.exec('COMMIT');
      this.#onPut();
      return count;
    } catch (error) {
      rollBack(this.#database);
      throw asDomainError(error);
    }
  }

  #ask<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw asDomainError(error);
    }
  }
}

function valuesOf({ kid, digest, mac }: ValueDigest): [string, string, string] {
  return [kid, digest, mac];
}

function asRead({ id, owner }: SecretRecord, sealed: Sealed | null): SQLInputValue[] {
  return [id, ownerKey(owner), sealed?.version ?? null, sealed?.tag ?? null];
}

function digestOf([kid, digest, mac]: Values): ValueDigest {
  return { kid: text.read(kid), digest: text.read(digest), mac: text.read(mac) };
}
