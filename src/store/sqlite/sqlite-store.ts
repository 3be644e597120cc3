import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { AuditEvent, ChainHead } from '../../model/audit-event.ts';
import type { WrappedKey } from '../../model/envelope.ts';
import type { KeptResult } from '../../model/kept-result.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord, StoredSecret } from '../../model/secret.ts';
import { createPacing } from '../../runtime/pacing.ts';
import type { ApiKeyStore } from '../api-keys.ts';
import { cannotMac, type OwnerHead } from '../audit.ts';
import type { DeletedSecretStore } from '../deleted-secrets.ts';
import { isUnfiltered } from '../filter.ts';
import {
  type Backlog,
  type Counter,
  type Keyed,
  type KidCounts,
  type ListQuery,
  type ListResult,
  type NamedSecrets,
  nonceOfWrite,
  type SelectedSecret,
  type Store,
  type Write,
} from '../store.ts';
import type { StoreOptions } from '../store-options.ts';
import type { VersionStore } from '../versions.ts';
import { SqliteApiKeys } from './api-keys.ts';
import { SqliteAudit } from './audit.ts';
import { type MakeWrites, prepareWrites, replaces, sharingTransaction } from './commit.ts';
import { type CountKids, prepareKidCounts } from './count-kids.ts';
import { countInMemory } from './counter.ts';
import { openDatabase } from './database-file.ts';
import { SqliteDeletedSecrets } from './deleted-secrets.ts';
import { LogEraser } from './erase.ts';
import { asDomainError } from './errors.ts';
import { type KeptResults, prepareKeptResults } from './kept-results.ts';
import { countStatement, pageStatement } from './list.ts';
import { type Nonces, prepareNonces } from './nonces.ts';
import { PreparedLists } from './prepared-lists.ts';
import { rollBack } from './roll-back.ts';
import { type ArrayStatement, listedSecretOfRow, prepareArrays, secretColumns, secretOfRow } from './rows.ts';
import { countOf, prepareSelections, type Selections } from './select.ts';
import { SqliteVersions } from './versions.ts';
import { prepareWrappedKeys, type WrappedKeys } from './wrapped-keys.ts';

/** Secrets that lists may read in one tick of the event loop. */
const maxReadPerTick = 1000;
/** Secrets that are read with their envelopes in one tick: each has up to 8 KiB of it, and 4 KiB of notes. */
const maxSelectedPerTick = 200;

/**
 * Opens the embedded store, and brings its schema up to date.
 * @param path a file, or `:memory:`
 * @throws ConfigurationError when the file cannot be used
 */
export async function openSqliteStore(path: string, options: StoreOptions = {}): Promise<Store> {
  return new SqliteStore(openDatabase(path, options.mayBeBlank ?? true), options);
}

interface Job {
  readonly writes: readonly Write[];
  readonly addedAtMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #makeWrites: MakeWrites;
  readonly #nonces: Nonces;
  readonly #keptResults: KeptResults;
  readonly #onHead: NonNullable<StoreOptions['onHead']>;
  readonly #countKids: CountKids;
  readonly #selections: Selections;
  readonly #wrappedKeys: WrappedKeys;
  readonly #eraser: LogEraser;
  readonly #statements: Record<'ownerCount' | 'anyOwner' | 'savepoint' | 'release' | 'rollbackTo', StatementSync>;
  readonly #find: ArrayStatement;
  readonly #lists: PreparedLists;
  readonly #waiting: Job[] = [];
  readonly #pace = createPacing(maxReadPerTick);
  readonly apiKeys: ApiKeyStore;
  readonly audit: SqliteAudit;
  readonly versions: VersionStore;
  readonly deletedSecrets: DeletedSecretStore;

  constructor(database: DatabaseSync, { macOfEvent = cannotMac, onHead = () => {} }: StoreOptions) {
    this.#database = database;
    this.#onHead = onHead;
    this.apiKeys = new SqliteApiKeys(database);
    this.audit = new SqliteAudit(database);
    this.versions = new SqliteVersions(database);
    this.deletedSecrets = new SqliteDeletedSecrets(database);
    this.#makeWrites = prepareWrites(database, macOfEvent);
    this.#nonces = prepareNonces(database);
    this.#keptResults = prepareKeptResults(database);
    this.#countKids = prepareKidCounts(database);
    this.#selections = prepareSelections(database);
    this.#wrappedKeys = prepareWrappedKeys(database);
    this.#eraser = new LogEraser(database);
    this.#lists = new PreparedLists(database);
    this.#find = prepareArrays(database, `SELECT ${secretColumns} FROM secrets WHERE id = ?`);
    this.#statements = {
      ownerCount: database.prepare('SELECT count FROM owners WHERE owner = ?'),
      anyOwner: database.prepare('SELECT 1 FROM owners LIMIT 1'),
      savepoint: database.prepare('SAVEPOINT job'),
      release: database.prepare('RELEASE job'),
      rollbackTo: database.prepare('ROLLBACK TO job'),
    };
  }

  async find(id: string): Promise<StoredSecret | undefined> {
    const row = this.#ask(() => this.#find.get(id));
    return row && secretOfRow(row);
  }

  async findRecord(id: string): Promise<SecretRecord | undefined> {
    return this.#ask(() => this.#selections.find(id));
  }

  async findRecords(owner: Owner, ids: readonly string[]): Promise<SecretRecord[]> {
    const records = this.#ask(() => ids.flatMap((id) => this.#selections.find(id) ?? []));
    return records.filter((record) => ownerKey(record.owner) === ownerKey(owner));
  }

  async select(owner: Owner, named: NamedSecrets | null, limit: number): Promise<SelectedSecret[]> {
    const selected: SelectedSecret[] = [];
    const most = Math.min(limit, named ? countOf(named) : this.#ask(() => this.#ownerCount(owner)));
    for (;;) {
      const size = Math.min(limit - selected.length, maxSelectedPerTick);
      await this.#pace(1 + (Math.min(most, size) / maxSelectedPerTick) * maxReadPerTick);
      const after = selected.at(-1)?.secret.name ?? '';
      const some = this.#ask(() => this.#selections.select(owner, named, after, size));
      selected.push(...some);
      if (some.length < size || selected.length === limit) return selected;
    }
  }

  async list(query: ListQuery): Promise<ListResult> {
    const scannedRows = this.#ask(() => this.#rowsToScan(query));
    query.onScan?.(scannedRows);
    // A read blocks the event loop. Between many reads that come at once, other requests are answered.
    await this.#pace(1 + query.limit + scannedRows);
    return this.#ask(() => {
      const rows = query.limit === 0 ? [] : this.#lists.all(pageStatement(query));
      const secrets = rows.map((row) => listedSecretOfRow(row, query.owner));
      const hasMore = secrets.length > query.limit;
      if (hasMore) secrets.pop();
      if (query.from === 'end') secrets.reverse();
      return { secrets, hasMore, totalCount: query.count ? this.#count(query) : null };
    });
  }

  commit(writes: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, addedAtMs: performance.now(), resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#commitGroup());
    });
  }

  auditEvents(owner: Owner, afterSequence: number, limit: number): Promise<AuditEvent[]> {
    return this.audit.events(owner, afterSequence, limit);
  }

  async keptResult(principal: string, id: string): Promise<KeptResult | undefined> {
    return this.#ask(() => this.#keptResults.find(principal, id));
  }

  async wrappedKeys(after: string, limit: number): Promise<WrappedKey[]> {
    return this.#ask(() => this.#wrappedKeys.read(after, limit));
  }

  async countKids(of: Keyed, after: string, limit: number): Promise<KidCounts> {
    return this.#ask(() => this.#countKids(of, after, limit));
  }

  chainHead(owner: Owner): Promise<ChainHead> {
    return this.audit.head(owner);
  }

  async replaceWrappedKeys(replacements: readonly { from: WrappedKey; to: WrappedKey }[]): Promise<number> {
    if (replacements.length === 0) return 0;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const replaced = this.#wrappedKeys.replace(replacements);
      this.#database.exec('COMMIT');
      this.#eraser.schedule();
      return replaced;
    } catch (error) {
      rollBack(this.#database);
      throw asDomainError(error);
    }
  }

  /** In memory: there is only one process, and its limits may be forgotten when it ends. */
  counter(windowSeconds: number): Counter {
    return countInMemory(windowSeconds);
  }

  async isEmpty(): Promise<boolean> {
    return this.#ask(() => this.#statements.anyOwner.get()) === undefined;
  }

  get backlog(): Backlog {
    const [oldest] = this.#waiting;
    return { commits: this.#waiting.length, oldestMs: oldest ? performance.now() - oldest.addedAtMs : 0 };
  }

  async check(): Promise<void> {
    await this.isEmpty();
  }

  /** Makes the commits that wait, and closes. */
  async close(): Promise<void> {
    while (this.#waiting.length > 0) this.#commitGroup();
    if (!this.#database.isOpen) return;
    this.#eraser.finish();
    this.#database.close();
  }

  /** Makes the commits that wait, as many as share a transaction, in one transaction: what a commit costs is the sync to disk. */
  #commitGroup(): void {
    const group = this.#waiting.splice(0, sharingTransaction(this.#waiting));
    if (group.length === 0) return;
    if (this.#waiting.length > 0) setImmediate(() => this.#commitGroup());
    const failures = new Map<Job, unknown>();
    const heads: OwnerHead[] = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const job of group) {
        try {
          heads.push(...this.#write(job.writes));
        } catch (error) {
          // A full disk may have ended the whole transaction, with the writes of other jobs in it.
          if (!this.#database.isTransaction) throw error;
          this.#statements.rollbackTo.run();
          this.#statements.release.run();
          failures.set(job, error);
        }
      }
      if (group.some(({ writes }) => writes.some(nonceOfWrite))) this.#nonces.removeExpired(new Date());
      this.#database.exec('COMMIT');
    } catch (error) {
      for (const job of group) job.reject(asDomainError(error));
      rollBack(this.#database);
      return;
    }
    for (const [owner, head] of heads) this.#onHead(owner, head);
    if (group.some(({ writes }) => writes.some(replaces))) this.#eraser.schedule();
    for (const job of group) {
      if (failures.has(job)) job.reject(asDomainError(failures.get(job)));
      else job.resolve();
    }
  }

  #write(writes: readonly Write[]): OwnerHead[] {
    this.#statements.savepoint.run();
    this.#keptResults.keep(writes);
    this.#nonces.spend(writes);
    const heads = this.#makeWrites(writes);
    this.#statements.release.run();
    return heads;
  }

  #count(query: ListQuery): number {
    return isUnfiltered(query.filter)
      ? this.#ownerCount(query.owner)
      : Number(this.#lists.all(countStatement(query))[0]?.[0] ?? 0);
  }

  #ownerCount(owner: Owner): number {
    return Number(this.#statements.ownerCount.get(ownerKey(owner))?.count ?? 0);
  }

  /** At most: a filter may look at every secret of its owner, once for each tag. An index leads to a name. */
  #rowsToScan({ owner, filter }: ListQuery): number {
    if (isUnfiltered(filter) || filter.name !== undefined) return 0;
    return this.#ownerCount(owner) * Math.max(1, filter.tags?.length ?? 0);
  }

  #ask<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw asDomainError(error);
    }
  }
}
