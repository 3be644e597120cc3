import { DomainError } from '../errors.ts';
import type { OnHeld } from './body.ts';

/** Held by a request from its admission until its answer has been sent. */
export interface Slot {
  /** Whether there is work for the request. As long as there is, no other request gets the slot. */
  isWorking: boolean;
  /**
   * Runs what reads the body, for at most this time. Until it is done the slot may be given to another request.
   * @param read is told by the signal, with the reason, when it must stop, and tells how many bytes it holds
   */
  receive<T>(timeoutMs: number, read: (signal: AbortSignal, onHeld: OnHeld) => Promise<T>): Promise<T>;
  release(): void;
}

/** A body that is arriving. */
interface Arrival {
  readonly slot: Slot;
  /** Ends the reading. */
  readonly abort: (reason: DomainError) => void;
  heldBytes: number;
}

/**
 * All bodies that are arriving have this much memory together. 64 bodies of the most that GraphQL takes have room, or a
 * thousand of 64 KiB, and a process with 512 MB has it eight times. A usual body has less than a kilobyte, arrives at once
 * and is never in the way.
 */
const maxArrivingBytes = 64 * 1024 * 1024;

/**
 * Bounds how many requests are answered at once, and how many bytes of their bodies wait for the rest. When no slot is free,
 * or no memory, the request whose body has been arriving for longest makes room: the body of a good client arrives at once,
 * and a client that only pretends to send one keeps nobody out.
 */
export class RequestSlots {
  readonly #max: number;
  readonly #maxBytes: number;
  /** The oldest first. */
  readonly #arriving = new Set<Arrival>();
  #arrivingBytes = 0;
  #taken = 0;
  #empty = Promise.withResolvers<void>();

  constructor(max: number, maxBytes = maxArrivingBytes) {
    this.#max = max;
    this.#maxBytes = maxBytes;
  }

  get taken(): number {
    return this.#taken;
  }

  /** What the bodies that are arriving hold in memory. */
  get arrivingBytes(): number {
    return this.#arrivingBytes;
  }

  /** Resolves when no slot is taken. */
  whenEmpty(): Promise<void> {
    this.#empty = Promise.withResolvers<void>();
    if (this.#taken === 0) this.#empty.resolve();
    return this.#empty.promise;
  }

  /** Refuses all requests whose bodies are still arriving: no work has begun for them. */
  evictReceiving(reason: DomainError): void {
    for (const arrival of this.#arriving) this.#evict(arrival, reason);
  }

  /** @throws DomainError SERVICE_UNAVAILABLE */
  take(): Slot {
    if (this.#taken >= this.#max) {
      const oldest = this.#arriving.values().find(({ slot }) => !slot.isWorking);
      if (!oldest) throw noRoom('The gateway has more requests than it can answer.');
      this.#evict(oldest, tooSlow());
    }
    this.#taken += 1;
    let isReleased = false;
    const slot: Slot = {
      isWorking: false,
      receive: (timeoutMs, read) => this.#receive(slot, timeoutMs, read),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#taken -= 1;
        if (this.#taken === 0) this.#empty.resolve();
      },
    };
    return slot;
  }

  async #receive<T>(
    slot: Slot,
    timeoutMs: number,
    read: (signal: AbortSignal, onHeld: OnHeld) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new DomainError('REQUEST_TIMEOUT')), timeoutMs);
    const arrival: Arrival = { slot, abort: (reason) => controller.abort(reason), heldBytes: 0 };
    this.#arriving.add(arrival);
    try {
      return await read(controller.signal, (bytes) => this.#hold(arrival, bytes));
    } finally {
      clearTimeout(timer);
      this.#leave(arrival);
    }
  }

  #hold(arrival: Arrival, bytes: number): void {
    if (!this.#arriving.has(arrival)) return;
    this.#arrivingBytes += bytes - arrival.heldBytes;
    arrival.heldBytes = bytes;
    while (this.#arrivingBytes > this.#maxBytes) {
      const [oldest] = this.#arriving;
      if (!oldest) return;
      this.#evict(oldest, tooSlow());
    }
  }

  #evict(arrival: Arrival, reason: DomainError): void {
    this.#leave(arrival);
    if (!arrival.slot.isWorking) arrival.slot.release();
    arrival.abort(reason);
  }

  #leave(arrival: Arrival): void {
    if (this.#arriving.delete(arrival)) this.#arrivingBytes -= arrival.heldBytes;
  }
}

function tooSlow(): DomainError {
  return noRoom('The body arrived too slowly for a gateway that has other requests to answer.');
}

function noRoom(description: string): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', { description, retryAfterSeconds: 1 });
}
