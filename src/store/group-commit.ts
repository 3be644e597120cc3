import { DomainError } from '../errors.ts';
import { ownerKey } from '../model/owner.ts';
import { ownerOfWrite, type Write } from './store.ts';

const maxGroup = 64;
const maxInFlight = 2;

interface Job {
  readonly writes: readonly Write[];
  readonly owners: ReadonlySet<string>;
  /** On the clock of `performance.now()`. After it the caller has been told of a time-out, and the job is not started. */
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes these commits in one transaction, or none of them.
 * @throws DomainError when the store is to blame, anything else when one of the commits is
 */
export type WriteGroup = (commits: readonly (readonly Write[])[], deadlineMs: number) => Promise<void>;

/** Commits that wait at the same time share a transaction. A commit that cannot be written fails alone. */
export class GroupCommit {
  readonly #writeGroup: WriteGroup;
  readonly #waiting: Job[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #busyOwners = new Set<string>();
  #isScheduled = false;

  constructor(writeGroup: WriteGroup) {
    this.#writeGroup = writeGroup;
  }

  add(writes: readonly Write[], deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const owners = new Set(writes.map((write) => ownerKey(ownerOfWrite(write))));
      this.#waiting.push({ writes, owners, deadlineMs, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      // After everything that this tick of the event loop reads from sockets.
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
   * The longest-waiting jobs whose owners are in no other group: two transactions on one owner would only conflict.
   * An owner of a job that stays in the queue is kept from later jobs as well, so that no job is overtaken indefinitely.
   */
  #take(): Job[] {
    const group: Job[] = [];
    const left: Job[] = [];
    const kept = new Set(this.#busyOwners);
    for (const job of beforeDeadline(this.#waiting.splice(0))) {
      if (group.length < maxGroup && kept.isDisjointFrom(job.owners)) group.push(job);
      else {
        left.push(job);
        for (const owner of job.owners) kept.add(owner);
      }
    }
    this.#waiting.push(...left);
    return group;
  }

  /** A group that fails wrote nothing, so its halves can be run instead: one bad job of n costs 2 log2(n) more runs. */
  async #run(group: readonly Job[]): Promise<void> {
    if (group.length === 0) return;
    try {
      await this.#writeGroup(
        group.map((job) => job.writes),
        Math.max(...group.map((job) => job.deadlineMs)),
      );
      for (const job of group) job.resolve();
    } catch (error) {
      if (group.length === 1 || error instanceof DomainError) {
        for (const job of group) job.reject(error);
        return;
      }
      const half = Math.ceil(group.length / 2);
      for (const jobs of [group.slice(0, half), group.slice(half)]) await this.#run(beforeDeadline(jobs));
    }
  }
}

/** The jobs whose deadline has not passed; the others are rejected. */
function beforeDeadline(jobs: readonly Job[]): Job[] {
  const now = performance.now();
  for (const job of jobs) {
    if (job.deadlineMs <= now) job.reject(new DomainError('GATEWAY_TIMEOUT', { retryAfterSeconds: 1 }));
  }
  return jobs.filter((job) => job.deadlineMs > now);
}
