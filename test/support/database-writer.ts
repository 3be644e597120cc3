import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { type Document, MongoClient } from 'mongodb';
import type { ValueDigest } from '../../src/model/envelope.ts';

/** A record or an audit event as the database holds it. */
export type Row = Record<string, unknown>;

/**
 * Somebody who writes to the database past every gateway. The parts of a record and of an event have the same names on both
 * stores.
 */
export interface DatabaseWriter {
  /** The records of these ids, in their order. */
  records(ids: readonly string[]): Promise<Row[]>;
  /** Puts these in the place of the records of these ids. */
  replaceRecords(ids: readonly string[], rows: readonly Row[]): Promise<void>;
  /** All earlier values. */
  versions(): Promise<Row[]>;
  replaceVersions(rows: readonly Row[]): Promise<void>;
  /** All events, in the order of their chains. */
  events(): Promise<Row[]>;
  replaceEvents(rows: readonly Row[]): Promise<void>;
  heads(): Promise<Row[]>;
  replaceHeads(rows: readonly Row[]): Promise<void>;
  /** Results of calls with an idempotency key. */
  keptResults(): Promise<Row[]>;
  replaceKeptResults(rows: readonly Row[]): Promise<void>;
  /** What is stored beside the values of these secrets; null: nothing. */
  replaceDigests(ids: readonly string[], digests: readonly (ValueDigest | null)[]): Promise<void>;
  close(): Promise<void>;
}

export const recordParts = [
  ...['owner', 'name', 'placeholder', 'provider', 'version'],
  ...['masked_value', 'destination', 'created_by', 'updated_by', 'expires_at'],
  ...['sealed_version', 'sealed_number', 'sealed_tag', 'sealed_at', 'sealed_by', 'envelope', 'mac_kid', 'mac_tag'],
] as const;

const valueColumns = ['sealed_version', 'sealed_number', 'sealed_tag', 'sealed_at', 'sealed_by'] as const;

export const versionParts = [
  ...['owner', 'secret_id', 'masked_value', 'destination'],
  ...valueColumns,
  ...['envelope', 'mac_kid', 'mac_tag'],
] as const;

/** Without the kind of the actor, which is the same in all events here. */
export const eventParts = [
  ...['owner', 'sequence', 'type', 'secret_id', 'version', 'secret_name', 'actor_id', 'request_id', 'at'],
  ...['record_mac', 'previous_hash', 'kid', 'hash'],
] as const;

export function openDatabaseWriter(databaseUrl: string): DatabaseWriter {
  return databaseUrl.startsWith('sqlite:')
    ? new SqliteWriter(databaseUrl.slice('sqlite:'.length))
    : new MongodbWriter(databaseUrl);
}

class SqliteWriter implements DatabaseWriter {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { enableForeignKeyConstraints: false, timeout: 5000 });
  }

  async records(ids: readonly string[]): Promise<Row[]> {
    const find = this.#database.prepare('SELECT * FROM secrets JOIN envelopes ON secret_id = id WHERE id = ?');
    return ids.map((id) => ({ ...find.get(id) }));
  }

  async replaceRecords(ids: readonly string[], rows: readonly Row[]): Promise<void> {
    this.#inTransaction(() => {
      for (const id of ids) {
        this.#database.prepare('DELETE FROM secrets WHERE id = ?').run(id);
        this.#database.prepare('DELETE FROM envelopes WHERE secret_id = ?').run(id);
      }
      for (const { secret_id, envelope, ...secret } of rows) {
        this.#insert('secrets', secret);
        if (envelope) this.#insert('envelopes', { secret_id, envelope });
      }
    });
  }

  async versions(): Promise<Row[]> {
    return this.#database.prepare('SELECT * FROM secret_versions').all();
  }

  async replaceVersions(rows: readonly Row[]): Promise<void> {
    this.#replaceAll('secret_versions', rows);
  }

  async events(): Promise<Row[]> {
    return this.#database.prepare('SELECT * FROM audit ORDER BY owner, sequence').all();
  }

  async replaceEvents(rows: readonly Row[]): Promise<void> {
    this.#replaceAll('audit', rows);
  }

  async heads(): Promise<Row[]> {
    return this.#database.prepare('SELECT * FROM owners').all();
  }

  async replaceHeads(rows: readonly Row[]): Promise<void> {
    this.#replaceAll('owners', rows);
  }

  async keptResults(): Promise<Row[]> {
    return this.#database.prepare('SELECT * FROM kept_results').all();
  }

  async replaceKeptResults(rows: readonly Row[]): Promise<void> {
    this.#replaceAll('kept_results', rows);
  }

  async replaceDigests(ids: readonly string[], digests: readonly (ValueDigest | null)[]): Promise<void> {
    this.#inTransaction(() => {
      for (const [index, id] of ids.entries()) {
        const owner = this.#database.prepare('SELECT owner FROM secrets WHERE id = ?').get(id)?.owner;
        this.#database.prepare('DELETE FROM secret_digests WHERE secret_id = ?').run(id);
        const digest = digests[index];
        if (digest) this.#insert('secret_digests', { secret_id: id, secret_owner: owner, ...digest });
      }
    });
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #replaceAll(table: string, rows: readonly Row[]): void {
    this.#inTransaction(() => {
      this.#database.exec(`DELETE FROM ${table}`);
      for (const row of rows) this.#insert(table, row);
    });
  }

  #insert(table: string, row: Row): void {
    const columns = Object.keys(row);
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
    this.#database.prepare(sql).run(...(Object.values(row) as SQLInputValue[]));
  }

  #inTransaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    work();
    this.#database.exec('COMMIT');
  }
}

class MongodbWriter implements DatabaseWriter {
  readonly #client: MongoClient;

  constructor(uri: string) {
    this.#client = new MongoClient(uri);
  }

  async records(ids: readonly string[]): Promise<Row[]> {
    const found = await Promise.all(ids.map((_id) => this.#collection('secrets').findOne({ _id } as object)));
    return found.map((document) => rowOf(document ?? {}));
  }

  async replaceRecords(ids: readonly string[], rows: readonly Row[]): Promise<void> {
    await this.#replace('secrets', { _id: { $in: ids } }, rows.map(documentOf));
    // Where the gateway looks for it.
    for (const { _id, owner } of rows)
      await this.#collection('secretIds').updateOne({ _id } as object, { $set: { owner } });
  }

  async versions(): Promise<Row[]> {
    const found = await this.#collection('secretVersions').find().toArray();
    return found.map(rowOf);
  }

  async replaceVersions(rows: readonly Row[]): Promise<void> {
    await this.#replace('secretVersions', {}, rows.map(documentOf));
  }

  async events(): Promise<Row[]> {
    const found = await this.#collection('audit').find().sort({ owner: 1, sequence: 1 }).toArray();
    return found.map(({ secretId, secretName, requestId, recordMac, previousHash, actor, ...rest }) => ({
      ...rest,
      actor_kind: actor.kind,
      actor_id: actor.id,
      secret_id: secretId,
      secret_name: secretName,
      request_id: requestId,
      record_mac: recordMac,
      previous_hash: previousHash,
    }));
  }

  async replaceEvents(rows: readonly Row[]): Promise<void> {
    const documents = rows.map(
      ({ actor_kind, actor_id, secret_id, secret_name, request_id, record_mac, previous_hash, ...rest }) => ({
        ...rest,
        actor: { kind: actor_kind, id: actor_id },
        secretId: secret_id,
        secretName: secret_name,
        requestId: request_id,
        recordMac: record_mac,
        previousHash: previous_hash,
      }),
    );
    await this.#replace('audit', {}, documents);
  }

  heads(): Promise<Row[]> {
    return this.#collection('owners').find().toArray();
  }

  replaceHeads(rows: readonly Row[]): Promise<void> {
    return this.#replace('owners', {}, rows);
  }

  keptResults(): Promise<Row[]> {
    return this.#collection('keptResults').find().toArray();
  }

  replaceKeptResults(rows: readonly Row[]): Promise<void> {
    return this.#replace('keptResults', {}, rows);
  }

  async replaceDigests(ids: readonly string[], digests: readonly (ValueDigest | null)[]): Promise<void> {
    for (const [index, id] of ids.entries()) {
      const digest = digests[index];
      const change = digest ? { $set: { 'sealed.digest': digest } } : { $unset: { 'sealed.digest': 1 } };
      await this.#collection('secrets').updateOne({ _id: id } as object, change);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #collection(name: string) {
    return this.#client.db().collection<Document>(name);
  }

  async #replace(name: string, filter: object, documents: readonly Row[]): Promise<void> {
    await this.#collection(name).deleteMany(filter);
    await this.#collection(name).insertMany([...documents], { ignoreUndefined: true, bypassDocumentValidation: true });
  }
}

const names = {
  masked_value: 'maskedValue',
  created_by: 'createdBy',
  updated_by: 'updatedBy',
  secret_id: 'secretId',
  expires_at: 'expiresAt',
};

function rowOf({ sealed, mac, ...document }: Document): Row {
  const row: Row = { ...document };
  for (const [column, field] of Object.entries(names)) {
    if (!(field in document)) continue;
    row[column] = document[field];
    delete row[field];
  }
  const { version, number, tag, setAt, setBy, envelope } = sealed;
  const value = { sealed_version: version, sealed_number: number, sealed_tag: tag, sealed_at: setAt, sealed_by: setBy };
  return { ...row, ...value, envelope, mac_kid: mac.kid, mac_tag: mac.tag };
}

function documentOf(row: Row): Document {
  const { sealed_version, sealed_number, sealed_tag, sealed_at, sealed_by, envelope, mac_kid, mac_tag, ...rest } = row;
  const document: Document = { ...rest };
  for (const [column, field] of Object.entries(names)) {
    if (!(column in rest)) continue;
    document[field] = rest[column];
    delete document[column];
  }
  const mark = { version: sealed_version, number: sealed_number, tag: sealed_tag };
  const sealed = envelope ? { ...mark, setAt: sealed_at, setBy: sealed_by, envelope } : null;
  return { ...document, sealed, mac: { kid: mac_kid, tag: mac_tag } };
}
