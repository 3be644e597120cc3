import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { AuditEvent, ChainHead } from '../../model/audit-event.ts';
import type { WrappedKey } from '../../model/envelope.ts';
import type { KeptResult } from '../../model/kept-result.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord, StoredSecret } from '../../model/secret.ts';
import type { SecretHealth } from '../../model/secret-health.ts';
import { createPacing } from '../../runtime/pacing.ts';
import type { ApiKeyStore } from '../api-keys.ts';
import { cannotMac } from '../audit.ts';
import type { DeletedSecretStore } from '../deleted-secrets.ts';
import type { DigestStore } from '../digests.ts';
import { isUnfiltered } from '../filter.ts';
import type { Keyed, KidCounts } from '../kid-counts.ts';
import type { Backlog, Counter, ListQuery, ListResult, NamedSecrets, SelectedSecret, Store, Write } from '../store.ts';
import type { StoreOptions } from '../store-options.ts';
import type { VersionStore } from '../versions.ts';
import { SqliteApiKeys } from './api-keys.ts';
import { SqliteAudit } from './audit.ts';
import { CommitQueue } from './commit-queue.ts';
import { type CountKids, prepareKidCounts } from './count-kids.ts';
import { countInMemory } from './counter.ts';
import { openDatabase, openForBatches } from './database-file.ts';
import { SqliteDeletedSecrets } from './deleted-secrets.ts';
import { SqliteDigests } from './digests.ts';
import { LogEraser } from './erase.ts';
import { asDomainError } from './errors.ts';
import { type KeptResults, prepareKeptResults } from './kept-results.ts';
import { countStatement, isIndexed, pageStatement } from './list.ts';
import { PreparedLists } from './prepared-lists.ts';
import { rollBack } from './roll-back.ts';
import { type ArrayStatement, listedSecretOfRow, prepareArrays, secretColumns, secretOfRow } from './rows.ts';
import { rowsPerSlice, type Scanned, scan } from './scan.ts';
import { onlyOneOf, prepareSelections, type Selections } from './select.ts';
import { Snapshots } from './snapshots.ts';
import { SqliteVersions } from './versions.ts';
import { prepareWrappedKeys, type WrappedKeys } from './wrapped-keys.ts';

/** Secrets that lists may read in one tick of the event loop. */
const maxReadPerTick = 1000;
/** Secrets that are read with their envelopes in one tick: each has up to 8 KiB of it, and 4 KiB of notes. As many kept results. */
const maxSelectedPerTick = 50;

/**
 * Opens the embedded store, and brings its schema up to date.
 * @param path a file, or `:memory:`
 * @throws ConfigurationError when the file cannot be used
 */
export async function openSqliteStore(path: string, options: StoreOptions = {}): Promise<Store> {
  const database = openDatabase(path, options.mayBeBlank ?? true);
  try {
    return new SqliteStore(database, path, options);
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #commits: CommitQueue;
  readonly #keptResults: KeptResults;
  readonly #countKids: CountKids;
  readonly #selections: Selections;
  readonly #wrappedKeys: WrappedKeys;
  readonly #eraser: LogEraser;
  readonly #statements: Record<'ownerCount' | 'anyOwner', StatementSync>;
  readonly #find: ArrayStatement;
  readonly #lists: PreparedLists;
  /** Null for a database in memory, which only one connection can open. */
  readonly #snapshots: Snapshots | null;
  readonly #pace = createPacing(maxReadPerTick);
  readonly apiKeys: ApiKeyStore;
  readonly audit: SqliteAudit;
  readonly versions: VersionStore;
  readonly deletedSecrets: DeletedSecretStore;
  readonly digests: DigestStore;

  constructor(database: DatabaseSync, path: string, { macOfEvent = cannotMac, onHead = () => {} }: StoreOptions) {
    this.#database = database;
    const batches = path === ':memory:' ? null : openForBatches(path);
    this.#eraser = new LogEraser(database);
    this.#commits = new CommitQueue(database, batches, { macOfEvent, onHead, eraser: this.#eraser });
    this.apiKeys = new SqliteApiKeys(database, () => this.#commits.untilWritable());
    this.audit = new SqliteAudit(database);
    this.versions = new SqliteVersions(database);
    this.deletedSecrets = new SqliteDeletedSecrets(database);
    this.#keptResults = prepareKeptResults(database);
    this.#countKids = prepareKidCounts(database);
    this.#selections = prepareSelections(database);
    this.#wrappedKeys = prepareWrappedKeys(database);
    this.digests = new SqliteDigests(
      database,
      () => this.#commits.untilWritable(),
      () => this.#eraser.schedule(),
    );
    this.#lists = new PreparedLists(database);
    this.#snapshots = path === ':memory:' ? null : new Snapshots(path, () => this.#eraser.retry());
    this.#find = prepareArrays(database, `SELECT ${secretColumns} FROM secrets WHERE id = ?`);
    this.#statements = {
      ownerCount: database.prepare('SELECT count FROM owners WHERE owner = ?'),
      anyOwner: database.prepare('SELECT 1 FROM owners LIMIT 1'),
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
    const only = named && onlyOneOf(named);
    if (only) return this.#ask(() => this.#selections.one(owner, ...only)).slice(0, limit);
    const ids = named && this.#ask(() => this.#selections.named(owner, named, limit));
    const expected = ids?.length ?? this.#ask(() => this.#ownerCount(owner));
    const selected: SelectedSecret[] = [];
    for (let from = 0; from < limit; from += maxSelectedPerTick) {
      const size = Math.min(limit - from, maxSelectedPerTick);
      await this.#pace(1 + (Math.min(expected, size) / maxSelectedPerTick) * maxReadPerTick);
      const after = selected.at(-1)?.secret.name ?? '';
      const some = this.#ask(() =>
        ids ? this.#selections.byIds(owner, ids.slice(from, from + size)) : this.#selections.all(owner, after, size),
      );
      selected.push(...some);
      // A secret that is named may go meanwhile. What else there is of the owner only the rows tell.
      if (ids ? from + size >= ids.length : some.length < size) break;
    }
    return selected;
  }

  async list(query: ListQuery): Promise<ListResult> {
    const scannedRows = this.#ask(() => this.#rowsToScan(query));
    query.onScan?.(scannedRows);
    const { rows, count } = await this.#read(query, scannedRows);
    return this.#ask(() => {
      const hasMore = rows.length > query.limit;
      if (hasMore) rows.pop();
      const secrets = rows.map((row) => listedSecretOfRow(row, query.owner));
      if (query.from === 'end') secrets.reverse();
      return { secrets, hasMore, totalCount: count };
    });
  }

  async takenIds(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#ask(() => this.#selections.takenIds(ids));
  }

  commit(writes: readonly Write[]): Promise<void> {
    return this.#commits.add(writes);
  }

  setHealth(secret: StoredSecret, health: SecretHealth): Promise<boolean> {
    return this.#commits.setHealth({ secret, health });
  }

  auditEvents(owner: Owner, afterSequence: number, limit: number): Promise<AuditEvent[]> {
    return this.audit.events(owner, afterSequence, limit);
  }

  async keptResults(principal: string, ids: readonly string[]): Promise<KeptResult[]> {
    const kept: KeptResult[] = [];
    for (let from = 0; from < ids.length; from += maxSelectedPerTick) {
      const some = ids.slice(from, from + maxSelectedPerTick);
      await this.#pace((some.length / maxSelectedPerTick) * maxReadPerTick);
      kept.push(...this.#ask(() => some.flatMap((id) => this.#keptResults.find(principal, id) ?? [])));
    }
    return kept;
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
    await this.#commits.untilWritable();
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
    return this.#commits.backlog;
  }

  async check(): Promise<void> {
    await this.isEmpty();
  }

  /** Makes the commits that wait, and closes. */
  async close(): Promise<void> {
    await this.#commits.drain();
    if (!this.#database.isOpen) return;
    this.#snapshots?.close();
    this.#commits.close();
    this.#eraser.finish();
    this.#database.close();
  }

  async #read(query: ListQuery, scannedRows: number): Promise<Scanned> {
    const isShort = query.filter.placeholder !== undefined || (!query.count && isIndexed(query.filter));
    if (this.#snapshots && scannedRows > rowsPerSlice && !isShort) {
      const nextTurn = async () => {
        await this.#pace(maxReadPerTick);
        query.requireWanted?.();
      };
      try {
        return await this.#snapshots.read((lists) => scan(query, lists, nextTurn));
      } catch (error) {
        throw asDomainError(error);
      }
    }
    // A read blocks the event loop. Between many reads that come at once, other requests are answered.
    await this.#pace(1 + query.limit + scannedRows);
    return this.#ask(() => ({
      rows: query.limit === 0 ? [] : this.#lists.all(pageStatement(query)),
      count: query.count ? this.#count(query) : null,
    }));
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
