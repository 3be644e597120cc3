import DataLoader from 'dataloader';
import type { ClientSession, CommandStartedEvent, MongoClient, WriteConcernSettings } from 'mongodb';
import { DomainError } from '../../errors.ts';
import type { AuditEvent, ChainHead } from '../../model/audit-event.ts';
import type { WrappedKey } from '../../model/envelope.ts';
import type { KeptResult } from '../../model/kept-result.ts';
import { type Owner, ownerKey } from '../../model/owner.ts';
import type { SecretRecord, StoredSecret } from '../../model/secret.ts';
import type { SecretHealth } from '../../model/secret-health.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import type { ApiKeyStore } from '../api-keys.ts';
import { cannotMac } from '../audit.ts';
import type { DeletedSecretStore } from '../deleted-secrets.ts';
import type { DigestStore } from '../digests.ts';
import { GroupCommit, isBatch } from '../group-commit.ts';
import type { Keyed, KidCounts } from '../kid-counts.ts';
import type { Backlog, Counter, ListQuery, ListResult, NamedSecrets, SelectedSecret, Store, Write } from '../store.ts';
import type { StoreOptions } from '../store-options.ts';
import type { VersionStore } from '../versions.ts';
import { MongodbApiKeys } from './api-keys.ts';
import { MongodbAudit } from './audit.ts';
import { batched } from './batched.ts';
import { type Collections, collectionsOf } from './collections.ts';
import { createClient, databaseOf, prepareDatabase } from './connect.ts';
import { countKids } from './count-kids.ts';
import { countTogether } from './counter.ts';
import { beforeDeadline, settledWithin } from './deadline.ts';
import { MongodbDeletedSecrets } from './deleted-secrets.ts';
import { MongodbDigests } from './digests.ts';
import { withOwner } from './documents.ts';
import { timedOut, unavailable } from './errors.ts';
import { findKeptResults } from './kept-results.ts';
import { readLists } from './list.ts';
import { Reads } from './reads.ts';
import { reauthenticate } from './reauthenticate.ts';
import { SecretOwners } from './secret-ids.ts';
import {
  findEach,
  findRecordEach,
  findRecords,
  type NamedSecret,
  onlyOne,
  select,
  selectEach,
  selectedOf,
} from './select.ts';
import { setHealth } from './set-health.ts';
import { watchTopology } from './topology.ts';
import { MongodbVersions } from './versions.ts';
import { readWrappedKeys, replaceWrappedKeys } from './wrapped-keys.ts';
import { createWriteGroup, type WriteGroupOptions } from './write-group.ts';

export interface MongodbOptions extends Pick<StoreOptions, 'macOfEvent' | 'onHead'> {
  /** Every call is answered within this, 5,000 ms when left out. */
  readonly timeoutMs?: number;
  /** Sees every command before it is sent. */
  readonly onCommand?: (event: CommandStartedEvent) => void;
}

/**
 * Lists that share a command. 100 lists in one command cost 2/3 of the server's CPU, and half of the gateway's, of 13
 * commands of 8 lists. More gain nothing, and the server refuses a pipeline of 1,000 stages.
 */
const maxLists = 100;
const maxFinds = 1000;
/** Of secrets whose envelopes are read, too: 8 KiB at most each. */
const maxSelections = 100;
/** Of secrets with their whole envelopes: 100 KB at most each. */
const maxRecords = 20;
/** How long a readiness check waits. A primary is looked for longer than that, and the probe has 2 s. */
const checkMs = 1500;
/** How long each part of closing may take. */
const closeMs = 1500;
/** How many times longer than for other calls a caller waits for a commit of many writes. */
const batchTimeouts = 2;
const reauthenticateEveryMs = 1000;
/** For how long a refused commit is told of when no further one comes. */
const refusalToldMs = 10_000;

/**
 * Opens a store in MongoDB 6.0 or newer, a replica set or a sharded cluster, and brings its schema up to date.
 * @param uri `mongodb://…` or `mongodb+srv://…`; without a database in it, the database is `secrets-gateway`
 * @throws ConfigurationError when the server cannot be reached or used
 */
export async function openMongodbStore(uri: string, options: MongodbOptions = {}): Promise<Store> {
  await prepareDatabase(uri);
  const { timeoutMs = 5000, onCommand, ...rest } = options;
  const client = createClient(uri, {
    socketTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    monitorCommands: onCommand !== undefined,
  });
  if (onCommand) client.on('commandStarted', onCommand);
  return new MongodbStore(client, collectionsOf(databaseOf(client, uri)), { timeoutMs, ...rest });
}

class MongodbStore implements Store {
  readonly #client: MongoClient;
  readonly #collections: Collections;
  readonly #timeoutMs: number;
  readonly #durable: WriteConcernSettings;
  readonly apiKeys: ApiKeyStore;
  readonly audit: MongodbAudit;
  readonly versions: VersionStore;
  readonly deletedSecrets: DeletedSecretStore;
  readonly digests: DigestStore;
  readonly #commits: GroupCommit;
  readonly #reads: Reads;
  readonly #whyNoPrimary: ReturnType<typeof watchTopology>;
  /** The last commit that the server refused for what only a real write meets; null once another was made. */
  #refused: { readonly error: unknown; readonly atMs: number } | null = null;
  #reauthenticatedAtMs = Number.NEGATIVE_INFINITY;
  readonly #lists: DataLoader<ListQuery, ListResult, string> = new DataLoader((queries) => this.#list(queries), {
    ...batched(maxLists),
    // The same list is read once for all who ask for it in one tick. The cache is cleared when the command is sent.
    cache: true,
    cacheKeyFn: (query) => JSON.stringify(query),
  });
  readonly #selections = new DataLoader(
    (wanted: readonly NamedSecret[]) => this.#answer(selectEach(this.#reads, wanted)),
    batched(maxSelections),
  );
  readonly #owners: SecretOwners;
  readonly #finds = new DataLoader(
    (ids: readonly string[]) => this.#answer(findEach(this.#reads, this.#owners, ids)),
    batched(maxFinds),
  );
  readonly #records = new DataLoader(
    (ids: readonly string[]) => this.#answer(findRecordEach(this.#reads, this.#owners, ids)),
    batched(maxRecords),
  );

  constructor(client: MongoClient, collections: Collections, options: MongodbOptions & { readonly timeoutMs: number }) {
    const { timeoutMs, macOfEvent = cannotMac, onHead } = options;
    this.#client = client;
    this.#collections = collections;
    this.#timeoutMs = timeoutMs;
    this.#reads = new Reads(client, collections.secrets.dbName, timeoutMs);
    this.#whyNoPrimary = watchTopology(client);
    this.apiKeys = new MongodbApiKeys(collections.apiKeys, timeoutMs, this.#reads, (answer) => this.#answer(answer));
    this.audit = new MongodbAudit(collections, timeoutMs, (read) => this.#read(read));
    this.versions = new MongodbVersions(this.#reads, (answer) => this.#answer(answer));
    this.#durable = { w: 'majority', journal: true, wtimeoutMS: timeoutMs };
    this.#owners = new SecretOwners(this.#reads);
    this.deletedSecrets = new MongodbDeletedSecrets(this.#reads, this.#owners, (answer) => this.#answer(answer));
    const put = { writeConcern: this.#durable, maxTimeMS: timeoutMs };
    this.digests = new MongodbDigests(collections.secrets, this.#reads, put, (answer) => this.#answer(answer));
    const onWritten: WriteGroupOptions['onWritten'] = (commits, heads) => {
      for (const writes of commits) this.#owners.keep(writes);
      for (const [owner, head] of heads) onHead?.(owner, head);
    };
    this.#commits = new GroupCommit(
      createWriteGroup(client, collections, { durable: this.#durable, macOfEvent, onWritten }),
    );
  }

  async find(id: string): Promise<StoredSecret | undefined> {
    const found = await this.#finds.load(id);
    return found && withOwner(found);
  }

  async findRecord(id: string): Promise<SecretRecord | undefined> {
    const found = await this.#records.load(id);
    return found && withOwner(found);
  }

  async findRecords(owner: Owner, ids: readonly string[]): Promise<SecretRecord[]> {
    if (ids.length === 0) return [];
    return this.#answer(findRecords(this.#reads, owner, ids));
  }

  async select(owner: Owner, named: NamedSecrets | null, limit: number): Promise<SelectedSecret[]> {
    const one = onlyOne(ownerKey(owner), named);
    if (one) {
      const selected = await this.#selections.load(one);
      return selected ? [selectedOf(selected)] : [];
    }
    return this.#answer(select(this.#reads, owner, named, limit));
  }

  list(query: ListQuery): Promise<ListResult> {
    return this.#lists.load(query);
  }

  takenIds(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#answer(this.#owners.taken(ids));
  }

  async commit(writes: readonly Write[]): Promise<void> {
    if (writes.length === 0) return;
    try {
      const timeoutMs = isBatch({ writes }) ? batchTimeouts * this.#timeoutMs : this.#timeoutMs;
      await this.#answer(this.#commits.add(writes, performance.now() + timeoutMs), timeoutMs);
      this.#refused = null;
    } catch (error) {
      const reason = error instanceof DomainError ? error.details.reason : undefined;
      if (reason === 'no-space' || reason === 'throttled') this.#refused = { error, atMs: performance.now() };
      throw error;
    }
  }

  setHealth(secret: StoredSecret, health: SecretHealth): Promise<boolean> {
    const options = { writeConcern: this.#durable, maxTimeMS: this.#timeoutMs };
    return this.#answer(setHealth(this.#collections.secrets, { secret, health }, options));
  }

  keptResults(principal: string, ids: readonly string[]): Promise<KeptResult[]> {
    return this.#answer(findKeptResults(this.#reads, principal, ids));
  }

  auditEvents(owner: Owner, afterSequence: number, limit: number): Promise<AuditEvent[]> {
    return this.audit.events(owner, afterSequence, limit);
  }

  wrappedKeys(after: string, limit: number): Promise<WrappedKey[]> {
    return this.#read((session) => readWrappedKeys(this.#collections, after, { limit, ...this.#within(session) }));
  }

  countKids(of: Keyed, after: string, limit: number): Promise<KidCounts> {
    const range = { limit, maxTimeMS: this.#timeoutMs };
    return this.#read((session) => countKids(this.#collections, of, after, { ...range, session }));
  }

  chainHead(owner: Owner): Promise<ChainHead> {
    return this.audit.head(owner);
  }

  async replaceWrappedKeys(replacements: readonly { from: WrappedKey; to: WrappedKey }[]): Promise<number> {
    if (replacements.length === 0) return 0;
    const options = { writeConcern: this.#durable, maxTimeMS: this.#timeoutMs };
    return this.#answer(replaceWrappedKeys(this.#collections, replacements, options));
  }

  counter(windowSeconds: number): Counter {
    const counter = countTogether(this.#client, this.#collections.secrets.dbName, windowSeconds);
    return { add: (key, points) => this.#answer(counter.add(key, points)) };
  }

  async isEmpty(): Promise<boolean> {
    const options = { projection: { _id: 1 }, maxTimeMS: this.#timeoutMs };
    const find = (session: ClientSession) => this.#collections.owners.findOne({}, { ...options, session });
    return (await this.#read(find)) === null;
  }

  get backlog(): Backlog {
    return this.#commits.backlog;
  }

  async check(): Promise<void> {
    // Changes nothing, and is refused where a write would be. It does not wait for a majority: nothing is written.
    const noChange = { $set: { version: 1 } };
    const write = this.#collections.secrets.updateOne({ _id: '', owner: '' }, noChange, { writeConcern: { w: 1 } });
    const read = this.#read((session) => this.#collections.owners.findOne({ _id: '' }, this.#within(session)));
    await withDeadline(Promise.all([read, this.#answer(write)]), checkMs, () => {
      const reason = this.#whyNoPrimary();
      return reason ? unavailable(reason) : timedOut(undefined);
    });
    if (this.#refused && performance.now() - this.#refused.atMs < refusalToldMs) throw this.#refused.error;
    if (this.#commits.isStuck) throw unavailable('commits-stuck');
  }

  async close(): Promise<void> {
    // The process may end before the driver has told the server that its sessions are over. The server then ends them itself.
    await settledWithin(closeMs, this.#commits.idle());
    await settledWithin(closeMs, this.#client.close());
  }

  #answer<T>(answer: Promise<T>, timeoutMs = this.#timeoutMs): Promise<T> {
    return beforeDeadline(timeoutMs, answer).catch((error: unknown) => {
      if (error instanceof DomainError && error.details.reason === 'not-allowed') this.#reauthenticate();
      throw error;
    });
  }

  #read<T>(read: (session: ClientSession) => Promise<T>): Promise<T> {
    return this.#answer(this.#reads.run(read));
  }

  /** Once at a time, and not more often than once a second. What fails here is met again by the next call. */
  #reauthenticate(): void {
    if (performance.now() < this.#reauthenticatedAtMs + reauthenticateEveryMs) return;
    this.#reauthenticatedAtMs = performance.now();
    void reauthenticate(this.#client).catch(() => {});
  }

  #list(queries: readonly ListQuery[]): Promise<ListResult[]> {
    this.#lists.clearAll();
    return this.#answer(readLists(this.#reads, queries));
  }

  #within(session: ClientSession) {
    return { maxTimeMS: this.#timeoutMs, session };
  }
}
