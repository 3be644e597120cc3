import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { ApiKey, ApiKeyRecord } from '../../model/api-key.ts';
import { ownerKey, ownerOfKey } from '../../model/owner.ts';
import type { Actor, Scope } from '../../model/principal.ts';
import type { ApiKeyList, ApiKeyQuery, ApiKeyStore } from '../api-keys.ts';
import { type ApiKeyWrite, StoreConflict } from '../store.ts';
import { busyTimeoutMs } from './database-file.ts';
import { asDomainError } from './errors.ts';
import { type Columns, type ColumnType, json, type Row, text, textOrNull, time } from './rows.ts';

const timeOrNull: ColumnType<Date | null> = {
  write: (value) => value && time.write(value),
  read: (value) => (value === null ? null : time.read(value)),
};

/** One line for each field beside those that have two columns or another form. */
const columns: Columns<Omit<ApiKeyRecord, 'teamId' | 'createdBy' | 'scopes' | 'mac'>> = {
  hash: ['hash', text],
  id: ['id', text],
  connectorId: ['connector_id', textOrNull],
  name: ['name', text],
  prefix: ['prefix', text],
  createdAt: ['created_at', time],
  expiresAt: ['expires_at', timeOrNull],
  lastUsedAt: ['last_used_at', timeOrNull],
  revokedAt: ['revoked_at', timeOrNull],
};
const fields = Object.entries(columns) as [keyof typeof columns, readonly [string, ColumnType<unknown>]][];
const columnNames = [
  'owner',
  'scopes',
  'created_by_kind',
  'created_by_id',
  'mac_kid',
  'mac_tag',
  ...fields.map(([, [column]]) => column),
].join(', ');

function valuesOf(record: ApiKeyRecord): SQLInputValue[] {
  const { createdBy, mac } = record;
  return [
    teamKey(record.teamId),
    json.write(record.scopes),
    createdBy.kind,
    createdBy.id,
    mac.kid,
    mac.tag,
    ...fields.map(([field, [, type]]) => type.write(record[field])),
  ];
}

function recordOfRow(row: Row): ApiKeyRecord {
  const owner = ownerOfKey(text.read(row.owner));
  const record: Record<string, unknown> = {
    teamId: owner.type === 'user' ? '' : owner.teamId,
    scopes: json.read(row.scopes) as readonly Scope[],
    createdBy: { kind: text.read(row.created_by_kind), id: text.read(row.created_by_id) } as Actor,
    mac: { kid: text.read(row.mac_kid), tag: text.read(row.mac_tag) },
  };
  for (const [field, [column, type]] of fields) record[field] = type.read(row[column]);
  return record as unknown as ApiKeyRecord;
}

function teamKey(teamId: string): string {
  return ownerKey({ type: 'team', teamId });
}

/** Makes one write, inside the transaction that the caller holds. @throws StoreConflict */
export function prepareApiKeyWrites(database: DatabaseSync): (write: ApiKeyWrite, index: number) => void {
  const parameters = Array.from({ length: columnNames.split(',').length }, () => '?').join(', ');
  const insert = database.prepare(`INSERT INTO api_keys (${columnNames}) VALUES (${parameters})`);
  const change = database.prepare(
    `UPDATE api_keys SET expires_at = ?, revoked_at = ?, mac_kid = ?, mac_tag = ?
     WHERE hash = ? AND owner = ? AND mac_tag = ?`,
  );
  return (write, index) => {
    if (write.type === 'insertApiKey') {
      insert.run(...valuesOf(write.record));
      return;
    }
    const { from, to, successor } = write;
    const end = [timeOrNull.write(to.expiresAt), timeOrNull.write(to.revokedAt), to.mac.kid, to.mac.tag];
    const { changes } = change.run(...end, from.hash, teamKey(from.teamId), from.mac.tag);
    if (changes === 0) throw new StoreConflict(index, 'version');
    if (successor) insert.run(...valuesOf(successor));
  };
}

export class SqliteApiKeys implements ApiKeyStore {
  readonly #database: DatabaseSync;
  readonly #untilWritable: () => Promise<void>;
  readonly #statements: Record<'findByHash' | 'find' | 'first' | 'next' | 'count' | 'markUsed', StatementSync>;

  /** @param untilWritable resolves when no transaction is open that takes several ticks */
  constructor(database: DatabaseSync, untilWritable: () => Promise<void>) {
    this.#database = database;
    this.#untilWritable = untilWritable;
    const select = `SELECT ${columnNames} FROM api_keys`;
    this.#statements = {
      findByHash: database.prepare(`${select} WHERE hash = ?`),
      find: database.prepare(`${select} WHERE owner = ? AND id = ?`),
      first: database.prepare(`${select} WHERE owner = ? ORDER BY name, id LIMIT ?`),
      next: database.prepare(`${select} WHERE owner = ? AND (name, id) > (?, ?) ORDER BY name, id LIMIT ?`),
      count: database.prepare('SELECT count(*) AS count FROM api_keys WHERE owner = ?'),
      markUsed: database.prepare(
        'UPDATE api_keys SET last_used_at = ? WHERE hash = ? AND (last_used_at IS NULL OR last_used_at <= ?)',
      ),
    };
  }

  async findByHash(hash: string): Promise<ApiKeyRecord | undefined> {
    const row = this.#ask(() => this.#statements.findByHash.get(hash));
    return row && recordOfRow(row);
  }

  async find(id: string, teamIds: readonly string[]): Promise<ApiKeyRecord | undefined> {
    for (const teamId of teamIds) {
      const row = this.#ask(() => this.#statements.find.get(teamKey(teamId), id));
      if (row) return recordOfRow(row);
    }
    return undefined;
  }

  async list({ teamId, after, limit, count }: ApiKeyQuery): Promise<ApiKeyList> {
    const owner = teamKey(teamId);
    const { first, next } = this.#statements;
    return this.#ask(() => {
      // One more than the limit tells whether there are more.
      const rows =
        limit === 0 ? [] : after ? next.all(owner, after.name, after.id, limit + 1) : first.all(owner, limit + 1);
      const apiKeys: ApiKey[] = rows.slice(0, limit).map(recordOfRow);
      const totalCount = count ? Number(this.#statements.count.get(owner)?.count) : null;
      return { apiKeys, hasMore: rows.length > limit, totalCount };
    });
  }

  /** Is not synced to disk, and waits for no other process: a later commit syncs it with what it writes. */
  async markUsed(hash: string, at: Date, everyMs: number): Promise<void> {
    const values = [at.getTime(), hash, at.getTime() - everyMs];
    await this.#untilWritable();
    this.#ask(() => {
      this.#database.exec('PRAGMA busy_timeout = 0; PRAGMA synchronous = NORMAL');
      try {
        this.#statements.markUsed.run(...values);
      } finally {
        this.#database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA synchronous = FULL`);
      }
    });
  }

  #ask<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw asDomainError(error);
    }
  }
}
