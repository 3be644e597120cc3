import { DomainError } from '../errors.ts';

/** A request's, from when it is looked at until its answer has gone out. */
export interface Place {
  /** Runs what takes the body in. Until that is done, the place may be given to somebody else, which `signal` tells. */
  receive<T>(read: (signal: AbortSignal) => Promise<T>): Promise<T>;
  leave(): void;
}

/**
 * How many requests may be under way at once. When all places are taken, the request whose body has been arriving for
 * longest makes room: a good client's body arrives at once, and who only pretends to send one keeps nobody out.
 */
export class Places {
  readonly #max: number;
  readonly #evictions = new Set<(reason: DomainError) => void>();
  #taken = 0;
  #empty = Promise.withResolvers<void>();

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Resolves when nobody is left. */
  whenEmpty(): Promise<void> {
    this.#empty = Promise.withResolvers<void>();
    if (this.#taken === 0) this.#empty.resolve();
    return this.#empty.promise;
  }

  /** Sends those away whose bodies are still arriving: nothing has begun for them. */
  evictAll(reason: DomainError): void {
    for (const evict of this.#evictions) evict(reason);
  }

  /** @throws DomainError SERVICE_UNAVAILABLE */
  take(): Place {
    if (this.#taken >= this.#max) {
      const [evictOldest] = this.#evictions;
      if (!evictOldest) throw noPlace('The gateway has more requests than it can answer.');
      evictOldest(noPlace('The body arrived too slowly for a gateway that has other requests to answer.'));
    }
    this.#taken += 1;
    let hasLeft = false;
    const leave = () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#taken -= 1;
      if (this.#taken === 0) this.#empty.resolve();
    };
    const receive = async <T>(read: (signal: AbortSignal) => Promise<T>): Promise<T> => {
      const eviction = new AbortController();
      const evict = (reason: DomainError) => {
        this.#evictions.delete(evict);
        leave();
        eviction.abort(reason);
      };
      this.#evictions.add(evict);
      try {
        return await read(eviction.signal);
      } finally {
        this.#evictions.delete(evict);
      }
    };
    return { leave, receive };
  }
}

function noPlace(description: string): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', { description, retryAfterSeconds: 1 });
}
