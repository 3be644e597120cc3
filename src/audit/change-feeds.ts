import { setTimeout as sleep } from 'node:timers/promises';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { ChainWatch } from '../store/audit.ts';
import { ChangeFeed } from './change-feed.ts';
import type { AuditDependencies } from './list-events.ts';

/** Owners whose heads are read in one command. */
const ownersAtOnce = 1000;
/** How long it waits at most for a store that did not answer. */
const lookAgainMs = 1000;
/** How often it is looked which credentials are to be verified again. */
const tickMs = 500;

/** What goes on for as long as somebody follows changes. */
interface Following {
  /** Called every half a second. */
  tick(nowMs: number): void;
}

/**
 * The feeds of all owners whose changes are followed here. They are told of what this process commits by the store's `onHead`,
 * and of what others commit by its watch, which runs for as long as somebody follows anything.
 */
export class ChangeFeeds {
  readonly #dependencies: AuditDependencies;
  readonly #feeds = new Map<string, ChangeFeed>();
  readonly #following = new Set<Following>();
  #watch: ChainWatch | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #mustLook = false;

  constructor(dependencies: AuditDependencies) {
    this.#dependencies = dependencies;
  }

  /** An owner's chain has grown, by the owner's key. */
  readonly hear = (owner: string, { sequence }: { readonly sequence: number }): void => {
    this.#feeds.get(owner)?.hear(sequence);
  };

  /** The owner's feed hears of everything that is committed from now on, until `close` is called. */
  open(owner: Owner, following: Following): { readonly feed: ChangeFeed; close(): void } {
    const key = ownerKey(owner);
    const feed = this.#feeds.get(key) ?? new ChangeFeed(this.#dependencies, owner);
    this.#feeds.set(key, feed);
    feed.followers += 1;
    this.#following.add(following);
    this.#start();
    const close = () => {
      if (!this.#following.delete(following)) return;
      feed.followers -= 1;
      if (feed.followers === 0) this.#feeds.delete(key);
      if (this.#following.size === 0) void this.close();
    };
    return { feed, close };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const watch = this.#watch;
    this.#watch = null;
    await watch?.close();
  }

  #start(): void {
    if (this.#watch) return;
    this.#watch = this.#dependencies.store.audit.watch({
      onGrown: (owner, sequence) => this.hear(owner, { sequence }),
      onUnknown: () => void this.#look(),
    });
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      for (const one of this.#following) one.tick(nowMs);
    }, tickMs).unref();
  }

  /** Looks at the heads of all owners that are followed, again and again until the store answers. */
  async #look(): Promise<void> {
    this.#mustLook = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#mustLook && this.#watch) {
      this.#mustLook = false;
      try {
        await this.#readHeads();
      } catch {
        this.#mustLook = true;
        await sleep(lookAgainMs * (0.5 + Math.random() / 2), undefined, { ref: false });
      }
    }
    this.#isLooking = false;
  }

  async #readHeads(): Promise<void> {
    const owners = [...this.#feeds.keys()];
    for (let from = 0; from < owners.length; from += ownersAtOnce) {
      const heads = await this.#dependencies.store.audit.headsOf(owners.slice(from, from + ownersAtOnce));
      for (const [owner, head] of heads) this.hear(owner, head);
    }
  }
}
