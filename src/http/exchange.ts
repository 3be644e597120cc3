import type { IncomingMessage } from 'node:http';
import { DomainError } from '../errors.ts';
import { type BodyLimits, BodyReading } from './body.ts';
import { requestIdOf } from './request-id.ts';
import type { RequestSlots, Slot } from './request-slots.ts';
import type { HttpResponse } from './response.ts';

/** How long all of a request may take: until its body has arrived, and until its answer has been sent. */
interface TimeLimits {
  readonly arrivalMs: number;
  readonly totalMs: number;
}

/** One request and its response. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: HttpResponse;
  readonly requestId: string;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs = performance.now();
  /** Whether its route has logged how it ended. */
  isLogged = false;
  #slots: RequestSlots | null = null;
  #slot: Slot | null = null;
  #reading: BodyReading | null = null;
  #arrivalMs = Number.POSITIVE_INFINITY;
  #totalMs = Number.POSITIVE_INFINITY;
  /** One for both limits: most requests end before the first. */
  #timer: NodeJS.Timeout | null = null;
  #idleMs = 0;
  /** How long the connection has been idle without a break, and what had passed through it then. */
  #idledMs = 0;
  #movedBytes = -1;
  /**
   * A list: with a closure around two callbacks, V8 carried a third of the bytes of each request over to the old generation,
   * and each minor garbage collection took ten times as long.
   */
  readonly #onEnd: (() => void)[] = [];
  #hasEnded = false;

  constructor(request: IncomingMessage, response: HttpResponse) {
    this.request = request;
    this.response = response;
    this.requestId = requestIdOf(request);
    response.on('close', () => this.#end());
  }

  /** Takes a slot, and keeps it until the response has been sent. @throws DomainError SERVICE_UNAVAILABLE */
  hold(slots: RequestSlots): void {
    this.#slot = slots.take();
    this.#slots = slots;
  }

  /** Calls it when the response has been sent, or its client has gone; at once when that is so already. */
  onEnd(callback: () => void): void {
    if (this.#hasEnded || this.response.closed) callback();
    else this.#onEnd.push(callback);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#slot) this.#slots?.release(this.#slot);
    for (const callback of this.#onEnd) callback();
  }

  /** The connection is closed when all has taken too long: some clients read slowly. */
  limitTime({ arrivalMs, totalMs }: TimeLimits): void {
    this.#totalMs = totalMs;
    this.#startTimer(arrivalMs > 0 ? Math.min(arrivalMs, totalMs) : totalMs);
  }

  #startTimer(limitMs: number): void {
    const leftMs = limitMs - (performance.now() - this.startedAtMs);
    this.#timer = setTimeout(this.#onTime, Math.max(1, Math.ceil(leftMs))).unref();
  }

  /** The timer has run down, perhaps early: it counts from the beginning of a tick of the event loop, which may have been long. */
  readonly #onTime = (): void => {
    const passedMs = performance.now() - this.startedAtMs;
    if (passedMs >= this.#totalMs) {
      this.request.socket.destroy();
      return;
    }
    const isLate = passedMs >= this.#arrivalMs;
    if (isLate) this.#reading?.stop(new DomainError('REQUEST_TIMEOUT'));
    const nextMs = isLate ? this.#totalMs : Math.min(this.#arrivalMs, this.#totalMs);
    if (nextMs !== Number.POSITIVE_INFINITY) this.#startTimer(nextMs);
  };

  /**
   * The answer is a stream that goes on: it may take any time, and holds no slot. It is not idle for as long as something is sent
   * now and then.
   */
  beginStream(idleMs: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#totalMs = Number.POSITIVE_INFINITY;
    // Its buffer would be kept for as long.
    this.#reading = null;
    if (this.#slot) this.#slots?.release(this.#slot);
    this.limitIdle(idleMs);
  }

  /** From now on the connection may be idle for this long. */
  limitIdle(idleMs: number): void {
    const { socket } = this.request;
    this.#idleMs = idleMs;
    // A new timer each time would cost much. One that runs down too early is asked about: see mayIdle.
    if (!socket.timeout || socket.timeout > idleMs) socket.setTimeout(idleMs);
  }

  /** The connection has been idle for as long as its timer says. @returns whether it may be idle longer */
  mayIdle(): boolean {
    const { socket } = this.request;
    const movedBytes = socket.bytesRead + socket.bytesWritten;
    this.#idledMs = (movedBytes === this.#movedBytes ? this.#idledMs : 0) + (socket.timeout ?? 0);
    this.#movedBytes = movedBytes;
    const leftMs = this.#idleMs - this.#idledMs;
    if (leftMs > 0) socket.setTimeout(leftMs);
    return leftMs > 0;
  }

  /**
   * Waits for work that has begun, unless it is done already. Meanwhile the slot is given to no other request, even if the
   * body is still arriving: so many slots, so much work.
   */
  working<T>(work: T | Promise<T>): T | Promise<T> {
    return work instanceof Promise ? this.#awaiting(work) : work;
  }

  async #awaiting<T>(work: Promise<T>): Promise<T> {
    const slot = this.#slot;
    if (slot) slot.isWorking = true;
    try {
      return await work;
    } finally {
      if (slot) slot.isWorking = false;
    }
  }

  /**
   * The whole body, within these limits. Only for a request that holds a slot, and before anything is waited for: what
   * arrives meanwhile would be held in the request's own buffer, at many times its size.
   * @throws DomainError PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, BAD_REQUEST, or SERVICE_UNAVAILABLE when it had to make room
   */
  readBody({ maxBodyBytes, arrivalMs }: BodyLimits): Promise<Buffer> {
    const slot = this.#slot;
    const slots = this.#slots;
    if (!slot || !slots) return Promise.reject(new Error('a request without a slot reads its body'));
    const reading = new BodyReading(this.request, maxBodyBytes, {
      onHeld: (bytes) => slots.tell(slot, bytes),
      onEnd: () => slots.arrived(slot),
    });
    this.#reading = reading;
    this.#arrivalMs = arrivalMs;
    if (!this.#timer) this.#startTimer(arrivalMs);
    slots.receive(slot, reading);
    return reading.start();
  }
}
