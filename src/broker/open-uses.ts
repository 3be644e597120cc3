import { DomainError } from '../errors.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import { clientGone } from './upstream/failure.ts';

/** Each holds two connections and some 100 KB. */
const usualLimits = { all: 2000, perOwner: 1200 };
/** How long uses that run may go on when the gateway is told to end. */
export const usesEndMs = 10_000;

/** One use among those that are open. */
export interface OpenUse {
  /**
   * Counts it as one of this owner.
   * @throws DomainError SERVICE_UNAVAILABLE, or BAD_REQUEST where it has ended: nothing would take it out of the count again
   */
  admit(owner: Owner): void;
  end(): void;
}

/** The uses that are open: how many, and the end of all. */
export class OpenUses {
  readonly #limits: typeof usualLimits;
  readonly #endMs: number;
  /** What cuts each of them off. */
  readonly #open = new Set<() => void>();
  readonly #perOwner = new Map<string, number>();
  #none = Promise.withResolvers<void>();

  constructor(limits = usualLimits, endMs = usesEndMs) {
    this.#limits = limits;
    this.#endMs = endMs;
  }

  get count(): number {
    return this.#open.size;
  }

  /**
   * Counts one more, until `end` is called.
   * @param onCutOff called when it takes too long at the end of the gateway
   * @throws DomainError SERVICE_UNAVAILABLE
   */
  begin(onCutOff: () => void): OpenUse {
    if (this.#open.size >= this.#limits.all) throw noRoom('The gateway has more uses than it can carry.');
    let ofOwner: string | undefined;
    const cutOff = () => onCutOff();
    this.#open.add(cutOff);
    return {
      admit: (owner) => {
        if (!this.#open.has(cutOff)) throw clientGone();
        const key = keyOf(owner);
        const count = this.#perOwner.get(key) ?? 0;
        if (count >= this.#limits.perOwner)
          throw noRoom('The owner’s secrets have as many uses as one owner may have.');
        this.#perOwner.set(key, count + 1);
        ofOwner = key;
      },
      end: () => {
        if (!this.#open.delete(cutOff)) return;
        if (ofOwner !== undefined) this.#leave(ofOwner);
        if (this.#open.size === 0) this.#none.resolve();
      },
    };
  }

  #leave(owner: string): void {
    const left = (this.#perOwner.get(owner) ?? 0) - 1;
    if (left > 0) this.#perOwner.set(owner, left);
    else this.#perOwner.delete(owner);
  }

  /** Resolves when none is open. Those that take too long are cut off. The server admits no other meanwhile. */
  async close(): Promise<void> {
    this.#none = Promise.withResolvers<void>();
    if (this.#open.size === 0) return;
    const timer = setTimeout(() => {
      for (const cutOff of this.#open) cutOff();
    }, this.#endMs);
    await this.#none.promise;
    clearTimeout(timer);
  }
}

/** A team may have any number of connectors: they count as their team. */
function keyOf(owner: Owner): string {
  return ownerKey(owner.type === 'connector' ? { type: 'team', teamId: owner.teamId } : owner);
}

function noRoom(description: string): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', { description: `${description} Retry.`, retryAfterSeconds: 1 });
}
