import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { AuditEvent, ChainHead } from '../../model/audit-event.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import { createPacing } from '../../runtime/pacing.ts';
import {
  type AuditPage,
  type AuditQuery,
  type AuditStore,
  type ChainState,
  type ChainWatch,
  type ChainWatcher,
  emptyChain,
  type OwnedEvent,
  type OwnerHead,
} from '../audit.ts';
import { type ChainReader, listEvents } from '../audit-scan.ts';
import { auditEventOfRow, chainColumns, chainOfRow } from './audit-rows.ts';
import { auditSelect } from './audit-select.ts';
import { asDomainError } from './errors.ts';
import { text, time } from './rows.ts';
import { watchFile } from './watch-file.ts';

/** To look at one takes about 2 µs. */
const sliceSize = 2000;
/** Events that lists may look at in one tick of the event loop. */
const maxScannedPerTick = 4000;

const directions = { start: 'ASC', end: 'DESC' } as const;

export class SqliteAudit implements AuditStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #pace = createPacing(maxScannedPerTick);

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async list(query: AuditQuery): Promise<AuditPage> {
    await this.#pace(1 + query.limit);
    return listEvents(query, this.#reader(query));
  }

  /** Of one owner, after this one. */
  async events(owner: Owner, afterSequence: number, limit: number): Promise<AuditEvent[]> {
    const sql = 'SELECT * FROM audit WHERE owner = ? AND sequence > ? ORDER BY sequence LIMIT ?';
    return this.#ask(() => this.#prepared(sql).all(ownerKey(owner), afterSequence, limit)).map(auditEventOfRow);
  }

  async head(owner: Owner): Promise<ChainHead> {
    return this.#chain(ownerKey(owner)).head;
  }

  async heads(after: string, limit: number): Promise<OwnerHead[]> {
    const sql = `SELECT owner, ${chainColumns} FROM owners WHERE owner > ? ORDER BY owner LIMIT ?`;
    return this.#ask(() => this.#prepared(sql).all(after, limit)).map((row) => [
      text.read(row.owner),
      chainOfRow(row).head,
    ]);
  }

  async walk([owner, sequence]: readonly [string, number], upTo: string | null, limit: number): Promise<OwnedEvent[]> {
    const sql = `SELECT * FROM audit WHERE (owner, sequence) > (?, ?) ${upTo === null ? '' : 'AND owner <= ?'}
      ORDER BY owner, sequence LIMIT ?`;
    const end = upTo === null ? [] : [upTo];
    const rows = this.#ask(() => this.#prepared(sql).all(owner, sequence, ...end, limit));
    return rows.map((row) => [text.read(row.owner), auditEventOfRow(row)]);
  }

  async size(): Promise<number> {
    return Number(this.#ask(() => this.#prepared('SELECT total(audit_sequence) AS size FROM owners').get())?.size);
  }

  async headsOf(owners: readonly string[]): Promise<OwnerHead[]> {
    const sql = `SELECT owner, ${chainColumns} FROM owners WHERE owner IN (SELECT value FROM json_each(?))`;
    return this.#ask(() => this.#prepared(sql).all(JSON.stringify(owners))).map((row) => [
      text.read(row.owner),
      chainOfRow(row).head,
    ]);
  }

  watch(watcher: ChainWatcher): ChainWatch {
    return watchFile(this.#database, watcher);
  }

  #reader({ owner, filter, from }: AuditQuery): ChainReader {
    const key = ownerKey(owner);
    const { matching, matchingValues, indexed, indexedValues } = auditSelect(key, filter);
    const inOrder = `ORDER BY sequence ${directions[from]} LIMIT :limit`;
    return {
      sliceSize,
      chain: async () => this.#chain(key),
      matching: async (range, limit) => {
        await this.#pace(Math.min(range.last - range.first + 1, sliceSize));
        const page = this.#prepared(`${matching} ${inOrder}`);
        return this.#ask(() => page.all({ ...matchingValues(range), limit })).map(auditEventOfRow);
      },
      countMatching: async (range) => {
        await this.#pace(Math.min(range.last - range.first + 1, sliceSize));
        return Number(this.#one(`SELECT count(*) AS count FROM (${matching})`, matchingValues(range))?.count);
      },
      sliceOfSecret: async (range, limit) => {
        await this.#pace(limit);
        const end = from === 'start' ? 'max' : 'min';
        const slice = `SELECT count(*) AS events, ${end}(sequence) AS end FROM (${indexed} ${inOrder})`;
        const row = this.#one(slice, { ...indexedValues(range), limit });
        return { events: Number(row?.events), end: Number(row?.end) };
      },
      timeAt: async (sequence) => {
        const sql = 'SELECT at FROM audit WHERE owner = :owner AND sequence >= :sequence ORDER BY sequence LIMIT 1';
        const row = this.#one(sql, { owner: key, sequence });
        return row && time.read(row.at);
      },
    };
  }

  #chain(owner: string): ChainState {
    const row = this.#one(`SELECT ${chainColumns} FROM owners WHERE owner = :owner`, { owner });
    return row ? chainOfRow(row) : emptyChain;
  }

  #one(sql: string, values: Record<string, SQLInputValue>) {
    return this.#ask(() => this.#prepared(sql).get(values));
  }

  /** There are few texts: filters differ in their values alone. */
  #prepared(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #ask<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw asDomainError(error);
    }
  }
}
