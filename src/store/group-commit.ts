import { DomainError } from '../errors.ts';
import { ownerKey } from '../model/owner.ts';
import { changedSecret } from './audit.ts';
import type { Change } from './store.ts';

const maxGroup = 64;
const maxInFlight = 2;

interface Job {
  readonly changes: readonly Change[];
  readonly owners: ReadonlySet<string>;
  /** As `performance.now()` tells the time. Once it has passed the caller has gone, and the job is not begun. */
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes these commits in one transaction, or none of them.
 * @throws DomainError when the store is to blame, anything else when one of the commits is
 */
export type WriteGroup = (commits: readonly (readonly Change[])[], deadline: number) => Promise<void>;

/** Commits that wait together share a transaction; one that cannot be written fails alone. */
export class CommitQueue {
  readonly #writeGroup: WriteGroup;
  readonly #waiting: Job[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #busyOwners = new Set<string>();
  #isScheduled = false;

  constructor(writeGroup: WriteGroup) {
    this.#writeGroup = writeGroup;
  }

  add(changes: readonly Change[], deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const owners = new Set(changes.map((change) => ownerKey(changedSecret(change).owner)));
      this.#waiting.push({ changes, owners, deadline, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      // After everything that this turn of the event loop reads from sockets.
      setImmediate(() => {
        this.#isScheduled = false;
        this.#start();
      });
    });
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#inFlight.size > 0) {
      this.#start();
      if (this.#inFlight.size > 0) await Promise.race(this.#inFlight);
    }
  }

  #start(): void {
    while (this.#inFlight.size < maxInFlight) {
      const group = this.#take();
      if (group.length === 0) return;
      const owners = group.flatMap((job) => [...job.owners]);
      for (const owner of owners) this.#busyOwners.add(owner);
      const run = this.#run(group).finally(() => {
        this.#inFlight.delete(run);
        for (const owner of owners) this.#busyOwners.delete(owner);
        this.#start();
      });
      this.#inFlight.add(run);
    }
  }

  /**
   * The first jobs in line whose owners are in no other group: two transactions on one owner would only conflict.
   * An owner that one job waits for is kept from later ones too, so that nobody is overtaken for ever.
   */
  #take(): Job[] {
    const group: Job[] = [];
    const left: Job[] = [];
    const kept = new Set(this.#busyOwners);
    for (const job of stillWaiting(this.#waiting.splice(0))) {
      if (group.length < maxGroup && !isAnyIn(kept, job.owners)) group.push(job);
      else {
        left.push(job);
        for (const owner of job.owners) kept.add(owner);
      }
    }
    this.#waiting.push(...left);
    return group;
  }

  /** A group that fails wrote nothing, so its halves can be run in its place: one bad job of n costs 2 log2(n) more. */
  async #run(group: readonly Job[]): Promise<void> {
    if (group.length === 0) return;
    try {
      await this.#writeGroup(
        group.map((job) => job.changes),
        Math.max(...group.map((job) => job.deadline)),
      );
      for (const job of group) job.resolve();
    } catch (error) {
      if (group.length === 1 || error instanceof DomainError) {
        for (const job of group) job.reject(error);
        return;
      }
      const half = Math.ceil(group.length / 2);
      for (const jobs of [group.slice(0, half), group.slice(half)]) await this.#run(stillWaiting(jobs));
    }
  }
}

/** Those whose deadline has not passed; the others are told that theirs has. */
function stillWaiting(jobs: readonly Job[]): Job[] {
  const now = performance.now();
  for (const job of jobs) {
    if (job.deadline <= now) job.reject(new DomainError('GATEWAY_TIMEOUT', { retryAfterSeconds: 1 }));
  }
  return jobs.filter((job) => job.deadline > now);
}

function isAnyIn(set: ReadonlySet<string>, owners: Iterable<string>): boolean {
  for (const owner of owners) if (set.has(owner)) return true;
  return false;
}
