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
/** How many entries a call looks at for what has expired. There are at most some 17,000, too many for one request. */
const sweptEntries = { byGet: 40, bySet: 500 };
/** How long after a sweep the next look-up goes on with it. */
const sweepEveryMs = 10;

/**
 * The principals of tokens that were verified, by their tokens' digests. Each new one makes the sweep for
 * what has expired go on; what was not asked for the longest is dropped when there is no room after it. Only principals are kept, and nothing else of their tokens.
 * @param now milliseconds since 1970
 */
export class PrincipalCache {
  readonly #now: () => number;
  /** In the order in which they were last asked for. */
  readonly #entries = new Map<string, VerifiedPrincipal>();
  #bytes = 0;
  /** Where the sweep goes on. */
  #cursor = this.#entries.entries();
  #sweptAt = Number.NEGATIVE_INFINITY;
  /** The digest that was last asked for. */
  #newest = '';

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined when the token must be verified again. */
  get(digest: string, generation: number): Principal | undefined {
    const now = this.#now();
    if (now < this.#sweptAt || now >= this.#sweptAt + sweepEveryMs) this.#sweep(sweptEntries.byGet, generation);
    const entry = this.#entries.get(digest);
    if (!entry || entry.generation !== generation || now >= entry.expiresAtMs) return undefined;
    if (digest !== this.#newest) {
      this.#entries.delete(digest);
      this.#entries.set(digest, entry);
      this.#newest = digest;
    }
    return entry.principal;
  }

  set(digest: string, entry: VerifiedPrincipal): void {
    this.#sweep(sweptEntries.bySet, entry.generation);
    this.#delete(digest);
    this.#entries.set(digest, entry);
    this.#newest = digest;
    this.#bytes += retainedBytes(entry.principal);
    for (const [oldest] of this.#entries) {
      if (this.#bytes <= maxBytes) break;
      this.#delete(oldest);
    }
  }

  /** Drops what has expired or was verified with an earlier key set, among the next entries. */
  #sweep(count: number, generation: number): void {
    const now = this.#now();
    this.#sweptAt = now;
    for (let looked = 0; looked < count; looked += 1) {
      const { value, done } = this.#cursor.next();
      if (done) {
        this.#cursor = this.#entries.entries();
        return;
      }
      const [digest, entry] = value;
      if (now >= entry.expiresAtMs || entry.generation < generation) this.#delete(digest);
    }
  }

  #delete(digest: string): void {
    const entry = this.#entries.get(digest);
    if (!entry) return;
    this.#entries.delete(digest);
    this.#bytes -= retainedBytes(entry.principal);
  }
}

/** What the heap holds for a principal in the cache, at most: V8's objects, and strings of two bytes for each code unit. */
export function retainedBytes({ subject, teams }: Principal): number {
  return teams.reduce((sum, { id }) => sum + 48 + textBytes(id), 900 + textBytes(subject));
}

function textBytes(text: string): number {
  return 24 + 2 * text.length;
}
