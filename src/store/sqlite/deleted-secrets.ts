import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { DeletedRecord } from '../../model/deleted-secret.ts';
import { ownerKey } from '../../model/owner.ts';
import { actorKey, actorOfKey } from '../../model/principal.ts';
import { createPacing } from '../../runtime/pacing.ts';
import {
  type DeletedQuery,
  type DeletedSecretStore,
  type ExpiredSecrets,
  expiredOf,
  type PurgedSecret,
} from '../deleted-secrets.ts';
import type { ListResult, Write } from '../store.ts';
import { asDomainError } from './errors.ts';
import {
  type ArrayStatement,
  limitClause,
  listedColumnsOf,
  listedSecretOfRow,
  prepareArrays,
  type Row,
  recordColumns,
  recordOfRow,
  secretColumns,
  text,
  time,
} from './rows.ts';

const movedColumns = secretColumns.split(', ').filter((column) => !column.startsWith('mac_'));
const moved = movedColumns.join(', ');

export interface DeletedWrites {
  /** Moves the secret, its value with it. @returns false where it is not there as it was read */
  keep(write: Extract<Write, { type: 'deleteSecret' }>): boolean;
  has(secret: PurgedSecret): boolean;
  /** Gives the restored secret its value again. */
  restoreEnvelope(id: string): void;
  remove(id: string): void;
}

/** For use inside the transaction that the caller holds. */
export function prepareDeletedWrites(database: DatabaseSync): DeletedWrites {
  const keep = database.prepare(`
    INSERT INTO deleted_secrets (${moved}, mac_kid, mac_tag, deleted_at, deleted_by)
    SELECT ${moved}, ?, ?, ?, ? FROM secrets WHERE id = ? AND owner = ? AND version = ? AND mac_tag = ?`);
  const keepEnvelope = database.prepare('INSERT INTO deleted_envelopes SELECT * FROM envelopes WHERE secret_id = ?');
  const has = database.prepare(
    'SELECT 1 FROM deleted_secrets WHERE id = ? AND owner = ? AND version = ? AND mac_tag = ?',
  );
  const restoreEnvelope = database.prepare('INSERT INTO envelopes SELECT * FROM deleted_envelopes WHERE secret_id = ?');
  const remove = database.prepare('DELETE FROM deleted_secrets WHERE id = ?');
  const asRead = ({ id, owner, version, mac }: PurgedSecret): SQLInputValue[] => [
    id,
    ownerKey(owner),
    version,
    mac.tag,
  ];
  return {
    keep({ secret, deletion: { deletedAt, deletedBy }, mac }) {
      const { changes } = keep.run(mac.kid, mac.tag, deletedAt.getTime(), actorKey(deletedBy), ...asRead(secret));
      if (changes > 0) keepEnvelope.run(secret.id);
      return changes > 0;
    },
    has: (secret) => has.get(...asRead(secret)) !== undefined,
    restoreEnvelope: (id) => void restoreEnvelope.run(id),
    remove: (id) => void remove.run(id),
  };
}

/** Secrets that are read in one tick of the event loop. */
const pace = createPacing(1000);

export class SqliteDeletedSecrets implements DeletedSecretStore {
  readonly #find: ArrayStatement;
  readonly #page: ArrayStatement;
  readonly #count: StatementSync;
  readonly #expired: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = prepareArrays(
      database,
      `SELECT ${recordColumns}, deleted_at, deleted_by
       FROM deleted_secrets LEFT JOIN deleted_envelopes ON secret_id = id WHERE id = ?`,
    );
    this.#page = prepareArrays(
      database,
      `SELECT ${listedColumnsOf('deleted_secrets')} FROM deleted_secrets WHERE owner = ? AND (name, id) > (?, ?) AND deleted_at > ?
       ORDER BY name, id ${limitClause}`,
    );
    this.#count = database.prepare('SELECT count(*) AS count FROM deleted_secrets WHERE owner = ? AND deleted_at > ?');
    this.#expired = database.prepare(`
      SELECT id, owner, name, version, mac_kid, mac_tag, deleted_at FROM deleted_secrets
      WHERE deleted_at < ? AND (deleted_at, id) > (?, ?) ORDER BY deleted_at, id LIMIT ?`);
  }

  async find(id: string): Promise<DeletedRecord | undefined> {
    const row = this.#ask(() => this.#find.get(id));
    if (!row) return undefined;
    const [deletedAt, deletedBy] = row.slice(-2);
    return { ...recordOfRow(row), deletedAt: time.read(deletedAt), deletedBy: actorOfKey(text.read(deletedBy)) };
  }

  async list({ owner, since, after, limit, count }: DeletedQuery): Promise<ListResult> {
    await pace(1 + limit);
    return this.#ask(() => {
      const key = ownerKey(owner);
      // One more than the limit tells whether there are more.
      const rows =
        limit === 0 ? [] : this.#page.all(key, after?.name ?? '', after?.id ?? '', since.getTime(), limit + 1);
      return {
        secrets: rows.slice(0, limit).map((row) => listedSecretOfRow(row, owner)),
        hasMore: rows.length > limit,
        totalCount: count ? Number(this.#count.get(key, since.getTime())?.count) : null,
      };
    });
  }

  async expired(before: Date, after: string, limit: number): Promise<ExpiredSecrets> {
    const [at, id] = after === '' ? [-1, ''] : (JSON.parse(after) as [number, string]);
    const rows = this.#ask(() => this.#expired.all(before.getTime(), at, id, limit));
    const last = rows.at(-1);
    const next = rows.length < limit || !last ? null : JSON.stringify([Number(last.deleted_at), last.id]);
    return { ...expiredOf(rows.map(expiredOfRow)), next };
  }

  #ask<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw asDomainError(error);
    }
  }
}

function expiredOfRow(row: Row) {
  return {
    id: text.read(row.id),
    key: text.read(row.owner),
    name: text.read(row.name),
    version: Number(row.version),
    mac: { kid: text.read(row.mac_kid), tag: text.read(row.mac_tag) },
  };
}
