import { DomainError } from '../errors.ts';

/** Held by a request from its admission until its answer has been sent. */
export interface Slot {
  /** Whether there is work for the request. As long as there is, no other request gets the slot. */
  isWorking: boolean;
}

/** What reads a body, and can be told to stop. */
interface Reading {
  stop(reason: DomainError): void;
}

interface HeldSlot extends Slot {
  isReleased: boolean;
  /** Null while no body is arriving. */
  reading: Reading | null;
  /** What the body that is arriving holds in memory. */
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
  readonly #arriving = new Set<HeldSlot>();
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
    for (const slot of this.#arriving) this.#evict(slot, reason);
  }

  /** @throws DomainError SERVICE_UNAVAILABLE */
  take(): Slot {
    if (this.#taken >= this.#max) {
      const oldest = this.#arriving.values().find(({ isWorking }) => !isWorking);
      if (!oldest) throw noRoom('The gateway has more requests than it can answer.');
      this.#evict(oldest, tooSlow());
    }
    this.#taken += 1;
    const slot: HeldSlot = { isWorking: false, isReleased: false, reading: null, heldBytes: 0 };
    return slot;
  }

  /** The body begins to arrive. Until it has arrived, the slot may be given to another request, and its reading is stopped. */
  receive(slot: Slot, reading: Reading): void {
    const held = slot as HeldSlot;
    held.reading = reading;
    this.#arriving.add(held);
  }

  /** @param bytes that the body holds in memory */
  tell(slot: Slot, bytes: number): void {
    const held = slot as HeldSlot;
    if (!this.#arriving.has(held)) return;
    this.#arrivingBytes += bytes - held.heldBytes;
    held.heldBytes = bytes;
    while (this.#arrivingBytes > this.#maxBytes) {
      const [oldest] = this.#arriving;
      if (!oldest) return;
      this.#evict(oldest, tooSlow());
    }
  }

  /** The body has arrived, or is refused. */
  arrived(slot: Slot): void {
    const held = slot as HeldSlot;
    if (!this.#arriving.delete(held)) return;
    this.#arrivingBytes -= held.heldBytes;
    held.heldBytes = 0;
    held.reading = null;
  }

  release(slot: Slot): void {
    const held = slot as HeldSlot;
    if (held.isReleased) return;
    held.isReleased = true;
    this.#taken -= 1;
    if (this.#taken === 0) this.#empty.resolve();
  }

  #evict(slot: HeldSlot, reason: DomainError): void {
    const { reading } = slot;
    this.arrived(slot);
    if (!slot.isWorking) this.release(slot);
    reading?.stop(reason);
  }
}

function tooSlow(): DomainError {
  return noRoom('The body arrived too slowly for a gateway that has other requests to answer.');
}

function noRoom(description: string): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', { description, retryAfterSeconds: 1 });
}
