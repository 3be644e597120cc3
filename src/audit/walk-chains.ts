import type { Keyring } from '../crypto/keyring.ts';
import type { AuditEvent, ChainHead } from '../model/audit-event.ts';
import { type Owner, ownerKey, ownerOfKey } from '../model/owner.ts';
import { chainStart } from '../store/audit.ts';
import type { Store } from '../store/store.ts';
import { type BrokenLink, ChainCheck, type ChainVerdict } from './chain-check.ts';
import type { KnownHeads } from './read-heads.ts';
import { verifyChain } from './verify-chain.ts';

export interface WalkOptions {
  /** One owner; without it, all. */
  readonly owner?: Owner;
  /** The chain of each owner must have had each of these heads, also where nothing of the owner is there. */
  readonly heads?: KnownHeads;
  /** Told every event, by the owner's key. */
  readonly onEvent?: (owner: string, event: AuditEvent) => void | Promise<void>;
  readonly onProgress?: (done: number, total: number) => void;
}

/** The first broken link of a chain. */
export interface BrokenChain {
  /** The owner's key. */
  readonly owner: string;
  readonly sequence: number;
  readonly broken: BrokenLink;
}

export interface Walked {
  readonly events: number;
  readonly owners: number;
  readonly broken: readonly BrokenChain[];
}

const ownersAtOnce = 1000;
const eventsAtOnce = 2000;

/**
 * Walks audit chains from their first events on. Gateways may append to them meanwhile.
 * @throws DomainError when the store cannot be reached
 */
export function walkChains(store: Store, keyring: Keyring, options: WalkOptions = {}): Promise<Walked> {
  const { owner } = options;
  return owner ? walkOne(store, keyring, owner, options) : new Walk(store, keyring, options).run();
}

async function walkOne(store: Store, keyring: Keyring, owner: Owner, options: WalkOptions): Promise<Walked> {
  const { heads, onEvent, onProgress } = options;
  const key = ownerKey(owner);
  let events = 0;
  const verdict = await verifyChain(store, owner, keyring, {
    heads: heads?.get(key) ?? [],
    onEvent: (event) => {
      events += 1;
      return onEvent?.(key, event);
    },
    ...(onProgress && { onProgress }),
  });
  const isThere = events > 0 || !verdict.valid;
  return { events, owners: isThere ? 1 : 0, broken: verdict.valid ? [] : [{ owner: key, ...verdict }] };
}

/** All chains. Events and heads are read in the order of the owners' keys, thousands at once: most owners have few. */
class Walk {
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #options: WalkOptions;
  /** Owners whose known heads have not been looked at. */
  readonly #known: Map<string, readonly ChainHead[]>;
  readonly #broken: BrokenChain[] = [];
  #events = 0;
  #owners = 0;

  constructor(store: Store, keyring: Keyring, options: WalkOptions) {
    this.#store = store;
    this.#keyring = keyring;
    this.#options = options;
    this.#known = new Map(options.heads);
  }

  async run(): Promise<Walked> {
    const total = await this.#store.audit.size();
    let after = '';
    for (let isLast = false; !isLast; ) {
      const heads = await this.#store.audit.heads(after, ownersAtOnce);
      isLast = heads.length < ownersAtOnce;
      const upTo = isLast ? null : (heads.at(-1)?.[0] ?? null);
      await this.#walkRange(after, upTo, new Map(heads), total);
      after = upTo ?? after;
    }
    for (const [owner, known] of this.#known)
      this.#tell(owner, this.#checkOf(owner, chainStart, known).end(chainStart));
    return { events: this.#events, owners: this.#owners, broken: this.#broken };
  }

  /** The owners after one and up to another, or to the end. `heads` are those of the owners of the range. */
  async #walkRange(after: string, upTo: string | null, heads: Map<string, ChainHead>, total: number): Promise<void> {
    let position: readonly [string, number] = [after, Number.MAX_SAFE_INTEGER];
    let [current, check]: [string, ChainCheck | undefined] = ['', undefined];
    for (;;) {
      const page = await this.#store.audit.walk(position, upTo, eventsAtOnce);
      for (const [owner, event] of page) {
        if (!check || current !== owner) {
          if (check) await this.#end(current, check);
          [current, check] = [owner, this.#begin(owner, heads)];
        }
        check.next(event);
        await this.#options.onEvent?.(owner, event);
        position = [owner, event.sequence];
      }
      this.#events += page.length;
      this.#options.onProgress?.(this.#events, Math.max(this.#events, total));
      if (page.length < eventsAtOnce) break;
    }
    if (check) await this.#end(current, check);
    for (const owner of [...heads.keys()]) await this.#end(owner, this.#begin(owner, heads));
  }

  #begin(owner: string, heads: Map<string, ChainHead>): ChainCheck {
    const begun = heads.get(owner) ?? chainStart;
    heads.delete(owner);
    const known = this.#known.get(owner) ?? [];
    this.#known.delete(owner);
    return this.#checkOf(owner, begun, known);
  }

  #checkOf(owner: string, begun: ChainHead, known: readonly ChainHead[]): ChainCheck {
    return new ChainCheck(ownerOf(owner), this.#keyring, begun, known);
  }

  async #end(owner: string, check: ChainCheck): Promise<void> {
    // What was read before the first event says it, unless the chain has grown since.
    const ended = check.hasGrown ? await this.#store.chainHead(ownerOf(owner)) : check.head;
    this.#tell(owner, check.end(ended));
  }

  #tell(owner: string, verdict: ChainVerdict): void {
    this.#owners += 1;
    if (!verdict.valid) this.#broken.push({ owner, sequence: verdict.sequence, broken: verdict.broken });
  }
}

/** No gateway writes a key that is not the key of an owner. Any owner does for it: the MACs of its events are wrong. */
function ownerOf(key: string): Owner {
  try {
    return ownerOfKey(key);
  } catch {
    return { type: 'user', userId: key };
  }
}
