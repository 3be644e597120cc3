import type { DatabaseSync } from 'node:sqlite';
import { DomainError } from '../../errors.ts';
import { checkpoint } from './commit-queue.ts';
import { openForBatches } from './database-file.ts';
import { PreparedLists } from './prepared-lists.ts';
import { rollBack } from './roll-back.ts';

/**
 * Reads that take several ticks, each on a snapshot on a connection of its own. There is one snapshot at a time: the write-ahead log
 * cannot be emptied while there is one.
 */
export class Snapshots {
  readonly #path: string;
  readonly #onEnd: () => void;
  readonly #waiting: (() => void)[] = [];
  #open: { readonly database: DatabaseSync; readonly lists: PreparedLists } | null = null;
  #isBusy = false;
  #isClosed = false;
  #takesLast = false;

  /** @param onEnd called between two snapshots, when no other read of this process is under way */
  constructor(path: string, onEnd: () => void) {
    this.#path = path;
    this.#onEnd = onEnd;
  }

  async read<T>(work: (lists: PreparedLists) => Promise<T>): Promise<T> {
    if (this.#isBusy) await new Promise<void>((start) => this.#waiting.push(start));
    this.#isBusy = true;
    try {
      if (this.#isClosed) throw new DomainError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 1, reason: 'unreachable' });
      this.#open ??= this.#connect();
      this.#open.database.exec('BEGIN');
      return await work(this.#open.lists);
    } finally {
      if (this.#open) rollBack(this.#open.database);
      // Snapshots that follow one another closely would leave no moment in which the log can begin again, and it would grow.
      if (this.#open && this.#waiting.length > 0) checkpoint(this.#open.database);
      if (!this.#isClosed) this.#onEnd();
      this.#next();
    }
  }

  /** Reads that are under way fail. */
  close(): void {
    this.#isClosed = true;
    this.#open?.database.close();
    this.#open = null;
  }

  #connect() {
    const database = openForBatches(this.#path);
    database.exec('PRAGMA query_only = ON');
    return { database, lists: new PreparedLists(database) };
  }

  /** From both ends alternately: a short read does not wait for all of a request that came before it. */
  #next(): void {
    this.#takesLast = !this.#takesLast;
    const start = this.#takesLast ? this.#waiting.pop() : this.#waiting.shift();
    if (start) start();
    else this.#isBusy = false;
  }
}
