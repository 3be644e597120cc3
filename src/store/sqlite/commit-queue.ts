import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate as nextTick } from 'node:timers/promises';
import type { MacOfEvent, OwnerHead } from '../audit.ts';
import type { HealthChange } from '../health.ts';
import { type Backlog, nonceOfWrite, StoreConflict, type Write } from '../store.ts';
import { prepareWrites, replaces, type WritesInCommit } from './commit.ts';
import type { LogEraser } from './erase.ts';
import { asDomainError } from './errors.ts';
import { type KeptResults, prepareKeptResults } from './kept-results.ts';
import { prepareLastUsed } from './last-used.ts';
import { type Nonces, prepareNonces } from './nonces.ts';
import { rollBack } from './roll-back.ts';
import { prepareSetHealth } from './set-health.ts';

/** Writes of commits that share one transaction, and so one sync to disk. A commit of more is a batch. */
const maxShared = 64;
/** For how long a batch holds the event loop at a time. */
const turnMs = 5;

interface Job {
  readonly writes: readonly Write[];
  /** Alone, without writes. */
  readonly change?: HealthChange | undefined;
  readonly addedAtMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A connection that commits are made on. */
class Writer {
  readonly database: DatabaseSync;
  readonly nonces: Nonces;
  readonly setLastUsed: ReturnType<typeof prepareLastUsed>;
  readonly setHealth: ReturnType<typeof prepareSetHealth>;
  readonly statements: Record<'savepoint' | 'release' | 'rollbackTo', StatementSync>;
  readonly #keptResults: KeptResults;
  readonly #writes: WritesInCommit;
  readonly #steps: readonly ((write: Write, index: number) => void)[];

  constructor(database: DatabaseSync, macOfEvent: MacOfEvent) {
    this.database = database;
    this.nonces = prepareNonces(database);
    this.setLastUsed = prepareLastUsed(database);
    this.setHealth = prepareSetHealth(database);
    this.#keptResults = prepareKeptResults(database);
    this.#writes = prepareWrites(database, macOfEvent);
    this.#steps = [this.#keptResults.keep, this.nonces.spend, this.#writes.make];
    this.statements = {
      savepoint: database.prepare('SAVEPOINT job'),
      release: database.prepare('RELEASE job'),
      rollbackTo: database.prepare('ROLLBACK TO job'),
    };
  }

  /** The writes of one commit, a step at a time, inside a transaction. @throws StoreConflict */
  *write(writes: readonly Write[]): Generator<void, OwnerHead[]> {
    this.#keptResults.removeExpired(writes);
    for (const step of this.#steps) {
      for (let index = 0; index < writes.length; index += 1) {
        step(writes[index] as Write, index);
        yield;
      }
    }
    return yield* this.#writes.conclude(writes);
  }
}

export interface CommitQueueOptions {
  readonly macOfEvent: MacOfEvent;
  readonly onHead: (owner: string, head: OwnerHead[1]) => void;
  readonly eraser: LogEraser;
}

/**
 * Makes commits, each in one transaction. Small ones that wait at the same time share one, which is made in one tick of the
 * event loop. A batch would hold the event loop for too long. Its transaction stays open over several ticks, on a connection
 * of its own, so that reads on the other one go on and see nothing of it. There is one transaction at a time: SQLite has one
 * writer, and to wait for it would block the event loop.
 */
export class CommitQueue {
  readonly #shared: Writer;
  /** Null for a database in memory, which only one connection can open. */
  readonly #batches: Writer | null;
  readonly #options: CommitQueueOptions;
  readonly #small: Job[] = [];
  readonly #large: Job[] = [];
  /** Of the small jobs, how many go before the next batch; null when that is to be decided. */
  #ahead: number | null = null;
  #batch: Promise<void> | null = null;
  #batchSinceMs = 0;
  #isScheduled = false;

  constructor(shared: DatabaseSync, batches: DatabaseSync | null, options: CommitQueueOptions) {
    this.#options = options;
    this.#shared = new Writer(shared, options.macOfEvent);
    this.#batches = batches && new Writer(batches, options.macOfEvent);
  }

  /** Shares a transaction with commits: the sync to disk is what it costs. @returns whether the stored secret is that one */
  async setHealth(change: HealthChange): Promise<boolean> {
    try {
      await this.add([], change);
      return true;
    } catch (error) {
      if (error instanceof StoreConflict) return false;
      throw error;
    }
  }

  add(writes: readonly Write[], change?: HealthChange): Promise<void> {
    return new Promise((resolve, reject) => {
      const isBatch = this.#batches !== null && writes.length > maxShared;
      (isBatch ? this.#large : this.#small).push({ writes, change, addedAtMs: performance.now(), resolve, reject });
      this.#schedule();
    });
  }

  get backlog(): Backlog {
    const since = [this.#small[0]?.addedAtMs, this.#large[0]?.addedAtMs, this.#batch ? this.#batchSinceMs : undefined];
    const oldest = Math.min(...since.map((ms) => ms ?? Number.POSITIVE_INFINITY));
    return {
      commits: this.#small.length + this.#large.length + (this.#batch ? 1 : 0),
      oldestMs: Math.max(0, performance.now() - oldest),
    };
  }

  /** Resolves when no transaction is open: in the same tick, another may be made on the shared connection. */
  async untilWritable(): Promise<void> {
    while (this.#batch) await this.#batch;
  }

  /** Makes everything that waits. */
  async drain(): Promise<void> {
    while (this.#batch || this.#small.length > 0 || this.#large.length > 0) {
      await this.untilWritable();
      this.#next();
    }
  }

  close(): void {
    this.#batches?.database.close();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#next();
      if (!this.#batch && this.#small.length + this.#large.length > 0) this.#schedule();
    });
  }

  /** Small commits that wait when a batch has ended go before the next batch. Those that come later wait for one batch at most. */
  #next(): void {
    if (this.#batch) return;
    const [batch] = this.#large;
    if (batch) this.#ahead ??= this.#small.length;
    if (batch && this.#batches && this.#ahead === 0) {
      this.#large.shift();
      this.#ahead = null;
      this.#batchSinceMs = batch.addedAtMs;
      this.#batch = this.#commitBatch(batch, this.#batches).finally(() => {
        this.#batch = null;
        this.#schedule();
      });
      return;
    }
    const group = this.#small.splice(0, sharingTransaction(this.#small));
    if (this.#ahead !== null) this.#ahead = Math.max(0, this.#ahead - group.length);
    if (group.length > 0) this.#commitGroup(group, this.#shared);
  }

  /** What a commit costs is the sync to disk, so they share it. One that fails is undone alone. */
  #commitGroup(group: readonly Job[], writer: Writer): void {
    const { database, statements, nonces, setLastUsed } = writer;
    const failures = new Map<Job, unknown>();
    const heads: OwnerHead[] = [];
    try {
      database.exec('BEGIN IMMEDIATE');
      for (const job of group) {
        try {
          statements.savepoint.run();
          heads.push(...atOnce(writer.write(job.writes)));
          if (job.change && !writer.setHealth(job.change)) throw new StoreConflict(0, 'version');
          statements.release.run();
        } catch (error) {
          // A full disk may have ended the whole transaction, with the writes of other jobs in it.
          if (!database.isTransaction) throw error;
          statements.rollbackTo.run();
          statements.release.run();
          failures.set(job, error);
        }
      }
      setLastUsed(group.filter((job) => !failures.has(job)).map(({ writes }) => writes));
      if (group.some(({ writes }) => writes.some(nonceOfWrite))) nonces.removeExpired(new Date());
      database.exec('COMMIT');
    } catch (error) {
      for (const job of group) job.reject(asDomainError(error));
      rollBack(database);
      return;
    }
    this.#tell(group, heads);
    for (const job of group) {
      if (failures.has(job)) job.reject(asDomainError(failures.get(job)));
      else job.resolve();
    }
  }

  async #commitBatch(job: Job, writer: Writer): Promise<void> {
    const { database, nonces, setLastUsed } = writer;
    let heads: OwnerHead[];
    try {
      database.exec('BEGIN IMMEDIATE');
      heads = await inTurns(writer.write(job.writes));
      setLastUsed([job.writes]);
      if (job.writes.some(nonceOfWrite)) nonces.removeExpired(new Date());
      await nextTick();
      database.exec('COMMIT');
    } catch (error) {
      rollBack(database);
      job.reject(asDomainError(error));
      return;
    }
    this.#tell([job], heads);
    job.resolve();
    await nextTick();
    checkpoint(database);
  }

  #tell(group: readonly Job[], heads: readonly OwnerHead[]): void {
    for (const [owner, head] of heads) this.#options.onHead(owner, head);
    if (group.some(({ writes }) => writes.some(replaces))) this.#options.eraser.schedule();
  }
}

/** Copies what was committed from the log into the database, so that the next transaction begins the log again. It waits for nobody. */
export function checkpoint(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch {
    // The disk is full, or worse. Calls report that to their callers, and a later checkpoint copies it.
  }
}

/** How many of the commits that wait share the next transaction: at least one. */
function sharingTransaction(waiting: readonly Job[]): number {
  let writes = 0;
  const end = waiting.findIndex((one, index) => {
    writes += one.writes.length;
    return writes > maxShared && index > 0;
  });
  return end < 0 ? waiting.length : end;
}

function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  let endsAtMs = performance.now() + turnMs;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < endsAtMs) continue;
    await nextTick();
    endsAtMs = performance.now() + turnMs;
  }
}
