import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeStream, ChangeStreamDocument, Collection } from 'mongodb';
import type { ChainWatch, ChainWatcher } from '../audit.ts';
import type { OwnerDocument } from './owner-document.ts';

/** How often heads are looked at without a stream, between half of this and all of it: gateways do not look at the same time. */
const lookEveryMs = 1000;
/** The same with a stream, should it have lost something without an error. */
const lookAgainEveryMs = 30_000;

/** What is read of a change: whose chain it is, and its new head where the commit had events. */
interface Grown {
  readonly owner?: string;
  readonly inserted?: number;
  readonly updated?: number;
}

type Stream = ChangeStream<OwnerDocument, ChangeStreamDocument<OwnerDocument> & Grown>;

/** Each commit changes the document of each of its owners once, however many events it has. */
const pipeline = [
  { $match: { operationType: { $in: ['insert', 'update', 'replace'] } } },
  {
    $project: {
      owner: '$documentKey._id',
      inserted: '$fullDocument.auditSequence',
      updated: '$updateDescription.updatedFields.auditSequence',
    },
  },
];

/**
 * Follows the commits of all gateways by a change stream on `owners`. The driver resumes it by itself after most faults. Where
 * it ends another is opened, and meanwhile heads are looked at again and again. It does not matter where the new one begins: the
 * heads are looked at once more when it has begun.
 */
export function watchOwners(owners: Collection<OwnerDocument>, watcher: ChainWatcher): ChainWatch {
  const closed = new AbortController();
  const watching = new OwnersWatch(owners, watcher, closed.signal);
  const [following, looking] = [watching.follow(), watching.look()];
  return {
    async close() {
      closed.abort();
      await Promise.all([following, looking]);
    },
  };
}

class OwnersWatch {
  readonly #owners: Collection<OwnerDocument>;
  readonly #watcher: ChainWatcher;
  readonly #closed: AbortSignal;
  #isFollowing = false;

  constructor(owners: Collection<OwnerDocument>, watcher: ChainWatcher, closed: AbortSignal) {
    this.#owners = owners;
    this.#watcher = watcher;
    this.#closed = closed;
  }

  async follow(): Promise<void> {
    while (!this.#closed.aborted) {
      const stream: Stream = this.#owners.watch(pipeline);
      const end = () => void stream.close().catch(() => {});
      this.#closed.addEventListener('abort', end);
      // With the first token the server has begun to follow.
      stream.once('resumeTokenChanged', () => {
        this.#isFollowing = true;
        this.#watcher.onUnknown();
      });
      await this.#read(stream).catch(() => {});
      this.#isFollowing = false;
      this.#closed.removeEventListener('abort', end);
      await stream.close().catch(() => {});
      await this.#pause(lookEveryMs);
    }
  }

  async #read(stream: Stream): Promise<never> {
    for (;;) {
      const { owner, inserted, updated } = await stream.next();
      const sequence = inserted ?? updated;
      if (owner !== undefined && sequence !== undefined) this.#watcher.onGrown(owner, sequence);
    }
  }

  async look(): Promise<void> {
    for (let waitedMs = 0; !this.#closed.aborted; waitedMs += lookEveryMs) {
      await this.#pause(lookEveryMs);
      if (this.#closed.aborted || (this.#isFollowing && waitedMs < lookAgainEveryMs)) continue;
      waitedMs = 0;
      this.#watcher.onUnknown();
    }
  }

  async #pause(mostMs: number): Promise<void> {
    const options = { signal: this.#closed, ref: false };
    await sleep(mostMs * (0.5 + Math.random() / 2), undefined, options).catch(() => {});
  }
}
