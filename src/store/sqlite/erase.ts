import type { DatabaseSync } from 'node:sqlite';
import { busyTimeoutMs } from './database-file.ts';

/** How long what was deleted may stay in the write-ahead log. */
const eraseEveryMs = 5000;

/**
 * Empties the write-ahead log after something was deleted or replaced: the log still has the pages from before.
 * SQLite empties it by itself only when the last connection is closed.
 */
export class LogEraser {
  readonly #database: DatabaseSync;
  #timer: NodeJS.Timeout | null = null;
  /** Whether a read kept the log when it was to be emptied. */
  #isLate = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** To be called after a deletion was committed. */
  schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      // Nobody is to wait for another process here.
      this.#isLate = !this.#erase(0);
      if (this.#isLate) this.schedule();
    }, eraseEveryMs).unref();
  }

  /** To be called between long reads, which may follow one another so closely that the timer always finds one. */
  retry(): void {
    if (this.#isLate) this.#isLate = !this.#erase(0);
  }

  /** To be called before the database is closed. */
  finish(): void {
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#erase(busyTimeoutMs);
    }
  }

  /** @returns whether the log is empty; another process that reads may keep it */
  #erase(waitMs: number): boolean {
    try {
      this.#database.exec(`PRAGMA busy_timeout = ${waitMs}`);
      return Number(this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy) === 0;
    } catch {
      // The disk is full, or worse. Calls report that to their callers.
      return false;
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    }
  }
}
