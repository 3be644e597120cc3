import { DomainError } from '../errors.ts';

/** Held by a request from its admission until its answer has been sent. */
export interface Slot {
  /**
   * Runs what reads the body, for at most this time. Until it is done the slot may be given to another request.
   * @param read is told by the signal, with the reason, when it must stop
   */
  receive<T>(timeoutMs: number, read: (signal: AbortSignal) => Promise<T>): Promise<T>;
  release(): void;
}

/**
 * Bounds how many requests are answered at once. When no slot is free, the request whose body has been arriving for longest
 * gives its slot away: the body of a good client arrives at once, and a client that only pretends to send one keeps nobody
 * out.
 */
export class RequestSlots {
  readonly #max: number;
  /** Ends the reading of a body; the oldest first. */
  readonly #receiving = new Set<(reason: DomainError) => void>();
  #taken = 0;
  #empty = Promise.withResolvers<void>();

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Resolves when no slot is taken. */
  whenEmpty(): Promise<void> {
    this.#empty = Promise.withResolvers<void>();
    if (this.#taken === 0) this.#empty.resolve();
    return this.#empty.promise;
  }

  /** Refuses all requests whose bodies are still arriving: no work has begun for them. */
  evictReceiving(reason: DomainError): void {
    for (const evict of this.#receiving) evict(reason);
  }

  /** @throws DomainError SERVICE_UNAVAILABLE */
  take(): Slot {
    if (this.#taken >= this.#max) {
      const [evictOldest] = this.#receiving;
      if (!evictOldest) throw noSlot('The gateway has more requests than it can answer.');
      evictOldest(noSlot('The body arrived too slowly for a gateway that has other requests to answer.'));
    }
    this.#taken += 1;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      this.#taken -= 1;
      if (this.#taken === 0) this.#empty.resolve();
    };
    const receive = async <T>(timeoutMs: number, read: (signal: AbortSignal) => Promise<T>): Promise<T> => {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(new DomainError('REQUEST_TIMEOUT')), timeoutMs);
      const evict = (reason: DomainError) => {
        this.#receiving.delete(evict);
        release();
        abort.abort(reason);
      };
      this.#receiving.add(evict);
      try {
        return await read(abort.signal);
      } finally {
        clearTimeout(timer);
        this.#receiving.delete(evict);
      }
    };
    return { release, receive };
  }
}

function noSlot(description: string): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', { description, retryAfterSeconds: 1 });
}
