import { LRUCache } from 'lru-cache';
import type { Principal } from '../model/principal.ts';

/** A principal whose token was verified. */
export interface VerifiedPrincipal {
  readonly principal: Principal;
  /** From when on the token is not accepted, in milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** Of the key set that the token was verified with. */
  readonly generation: number;
}

/** Of all principals together. One takes 1 to 150 KB, by the number of its teams. */
const maxBytes = 16 * 1024 * 1024;
/** How often what has expired is looked for: at the most while there is no room, and at the least. */
const sweepMs = { withoutRoom: 1000, withRoom: 60_000 };

/**
 * The principals of tokens that were verified, by their tokens' digests. What has expired is dropped first, and then what was
 * not asked for the longest. Only principals are kept, and nothing else of their tokens.
 * @param now milliseconds since 1970
 */
export class PrincipalCache {
  readonly #now: () => number;
  readonly #entries = new LRUCache<string, VerifiedPrincipal>({
    maxSize: maxBytes,
    sizeCalculation: ({ principal }) => retainedBytes(principal),
  });
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined when the token must be verified again. */
  get(digest: string, generation: number): Principal | undefined {
    const entry = this.#entries.get(digest);
    if (!entry) return undefined;
    this.#sweepAfter(sweepMs.withRoom, generation);
    if (this.#now() < entry.expiresAtMs && entry.generation === generation) return entry.principal;
    this.#entries.delete(digest);
    return undefined;
  }

  set(digest: string, entry: VerifiedPrincipal): void {
    const hasRoom = this.#entries.calculatedSize + retainedBytes(entry.principal) <= maxBytes;
    this.#sweepAfter(hasRoom ? sweepMs.withRoom : sweepMs.withoutRoom, entry.generation);
    this.#entries.set(digest, entry);
  }

  /** Goes through all entries at once: at most some 20,000, in about a millisecond. */
  #sweepAfter(periodMs: number, generation: number): void {
    const now = this.#now();
    // The clock may be set back.
    if (Math.abs(now - this.#sweptAt) < periodMs) return;
    this.#sweptAt = now;
    this.#entries.forEach((entry, digest) => {
      if (now >= entry.expiresAtMs || entry.generation < generation) this.#entries.delete(digest);
    });
  }
}

/** What the heap holds for a principal in the cache, at most: V8's objects, and strings of two bytes for each code unit. */
export function retainedBytes({ subject, teams }: Principal): number {
  return teams.reduce((sum, { id }) => sum + 48 + textBytes(id), 900 + textBytes(subject));
}

function textBytes(text: string): number {
  return 24 + 2 * text.length;
}
