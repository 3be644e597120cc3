import { DomainError } from '../errors.ts';
import { ownerKey } from '../model/owner.ts';
import { type Backlog, isOwned, ownerOfWrite, type StoreConflict, type Write } from './store.ts';

/** Writes of the commits of one group. A larger commit has a group of its own, and is a batch. */
const maxGroup = 64;
/** At most one of them is a batch, so that other commits do not wait for it. */
const maxInFlight = 2;
/** How long after the deadline of its last commit a group keeps its slot. */
const maxOverrunMs = 2000;
const longestTimerMs = 2 ** 31 - 1;
/** How long a group that lost its slot is still told of. A server ends a transaction after 60 s. */
const maxToldMs = 60_000;

interface Job {
  readonly writes: readonly Write[];
  readonly addedAtMs: number;
  readonly owners: ReadonlySet<string>;
  /** On the clock of `performance.now()`. After it the caller has been told of a time-out, and the job is not started. */
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Some commits of a group have nothing but uses, and of secrets that are other ones by now: when a busy secret is changed, many
 * wait. Each has its conflict.
 */
export class StaleUses extends Error {
  override readonly name = 'StaleUses';
  readonly conflicts: ReadonlyMap<readonly Write[], StoreConflict>;

  constructor(conflicts: ReadonlyMap<readonly Write[], StoreConflict>) {
    super(`${conflicts.size} commits use what has changed`);
    this.conflicts = conflicts;
  }
}

/** Whether a commit changes nothing that another one could be refused for. */
export function hasOnlyUses(writes: readonly Write[]): boolean {
  return writes.every(({ type }) => type === 'useSecret');
}

/**
 * Writes these commits in one transaction, or none of them.
 * @throws DomainError when the store is to blame, StaleUses, anything else when one of the commits is to blame
 */
export type WriteGroup = (commits: readonly (readonly Write[])[], deadlineMs: number) => Promise<void>;

/** Commits that wait at the same time share a transaction. A commit that cannot be written fails alone. */
export class GroupCommit {
  readonly #writeGroup: WriteGroup;
  readonly #waiting: Job[] = [];
  readonly #inFlight = new Map<Promise<void>, readonly Job[]>();
  /** Groups that lost their slot and have not ended. */
  readonly #stuck = new Set<readonly Job[]>();
  readonly #busyOwners = new Set<string>();
  #isScheduled = false;

  constructor(writeGroup: WriteGroup) {
    this.#writeGroup = writeGroup;
  }

  add(writes: readonly Write[], deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const owners = new Set(writes.filter(isOwned).map((write) => ownerKey(ownerOfWrite(write))));
      this.#waiting.push({ writes, owners, addedAtMs: performance.now(), deadlineMs, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      // After everything that this tick of the event loop reads from sockets.
      setImmediate(() => {
        this.#isScheduled = false;
        this.#start();
      });
    });
  }

  /** What waits or is in flight. */
  get backlog(): Backlog {
    const groups = [...this.#stuck, ...this.#inFlight.values(), this.#waiting];
    const oldest = Math.min(...groups.map(([first]) => first?.addedAtMs ?? Number.POSITIVE_INFINITY));
    return {
      commits: groups.reduce((sum, group) => sum + group.length, 0),
      oldestMs: Math.max(0, performance.now() - oldest),
    };
  }

  /** Whether something is there whose caller was answered at its deadline. */
  get isStuck(): boolean {
    const now = performance.now();
    const groups = [...this.#stuck, ...this.#inFlight.values(), this.#waiting];
    return groups.some((jobs) => jobs.some(({ deadlineMs }) => deadlineMs < now));
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#inFlight.size > 0) {
      this.#start();
      if (this.#inFlight.size > 0) await Promise.race(this.#inFlight.keys());
    }
  }

  #start(): void {
    while (this.#inFlight.size < maxInFlight) {
      const group = this.#take();
      if (group.length === 0) return;
      const owners = group.flatMap((job) => [...job.owners]);
      for (const owner of owners) this.#busyOwners.add(owner);
      const run = this.#runUntil(deadlineOf(group) + maxOverrunMs, group).finally(() => {
        this.#inFlight.delete(run);
        for (const owner of owners) this.#busyOwners.delete(owner);
        this.#start();
      });
      this.#inFlight.set(run, group);
    }
  }

  /**
   * Gives the slot back at that time, whatever the group does: a call that never ends must not stop the writes of others.
   * Whether the group is written is then unknown. It is safe to go on with its owners. Nothing of the group begins after its
   * deadlines. A transaction that is still open can only conflict with a later one of the same owner, as one of another
   * gateway can: each is made on the owner's revision that it read, or not at all.
   */
  #runUntil(endMs: number, group: readonly Job[]): Promise<void> {
    return new Promise((resolve) => {
      const giveUp = () => {
        for (const job of group) job.reject(timedOut());
        this.#stuck.add(group);
        timer = setTimeout(() => this.#stuck.delete(group), maxToldMs).unref();
        resolve();
      };
      let timer = setTimeout(giveUp, Math.min(endMs - performance.now(), longestTimerMs));
      void this.#run(group).finally(() => {
        clearTimeout(timer);
        this.#stuck.delete(group);
        resolve();
      });
    });
  }

  /**
   * The longest-waiting jobs whose owners are in no other group: two transactions on one owner would only conflict.
   * An owner of a job that stays in the queue is kept from later jobs as well, so that no job is overtaken indefinitely.
   */
  #take(): Job[] {
    const group: Job[] = [];
    const left: Job[] = [];
    let writes = 0;
    const kept = new Set(this.#busyOwners);
    const mayBeBatch = ![...this.#inFlight.values()].some((jobs) => jobs.some(isBatch));
    for (const job of beforeDeadline(this.#waiting.splice(0))) {
      const fits = group.length === 0 ? mayBeBatch || !isBatch(job) : writes + job.writes.length <= maxGroup;
      if (fits && kept.isDisjointFrom(job.owners)) {
        group.push(job);
        writes += job.writes.length;
      } else {
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
        deadlineOf(group),
      );
      for (const job of group) job.resolve();
    } catch (error) {
      if (error instanceof StaleUses) return this.#runWithout(error.conflicts, group);
      if (group.length === 1 || error instanceof DomainError) {
        for (const job of group) job.reject(error);
        return;
      }
      const half = Math.ceil(group.length / 2);
      for (const jobs of [group.slice(0, half), group.slice(half)]) await this.#run(beforeDeadline(jobs));
    }
  }

  /** All that are stale fail at once: a transaction for each would keep the owner's others waiting. */
  async #runWithout(conflicts: StaleUses['conflicts'], group: readonly Job[]): Promise<void> {
    const [stale, others] = [
      group.filter(({ writes }) => conflicts.has(writes)),
      group.filter(({ writes }) => !conflicts.has(writes)),
    ];
    // A change beside them may have made them stale. Before it they can be made.
    if (others.some(({ writes }) => !hasOnlyUses(writes))) await this.#run(beforeDeadline(stale));
    else for (const job of stale) job.reject(conflicts.get(job.writes));
    await this.#run(beforeDeadline(others));
  }
}

/** Whether it takes longer than others. */
export function isBatch({ writes }: { readonly writes: readonly Write[] }): boolean {
  return writes.length > maxGroup;
}

/** The jobs whose deadline has not passed; the others are rejected. */
function beforeDeadline(jobs: readonly Job[]): Job[] {
  const now = performance.now();
  for (const job of jobs) {
    if (job.deadlineMs <= now) job.reject(timedOut());
  }
  return jobs.filter((job) => job.deadlineMs > now);
}

function deadlineOf(group: readonly Job[]): number {
  return Math.max(...group.map((job) => job.deadlineMs));
}

function timedOut(): DomainError {
  return new DomainError('GATEWAY_TIMEOUT', { retryAfterSeconds: 1 });
}
