import type { IncomingMessage, ServerResponse } from 'node:http';
import { type BodyLimits, readBody } from './body.ts';
import { requestIdOf } from './request-id.ts';
import type { Slot } from './request-slots.ts';

/** One request and its response. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs = performance.now();
  #slot: Slot | null = null;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.requestId = requestIdOf(request);
  }

  /** Keeps the slot until the response has been sent. */
  hold(slot: Slot): void {
    this.#slot = slot;
    this.response.once('close', slot.release);
  }

  /** From now on the connection may be idle for this long. */
  limitIdle(idleMs: number): void {
    this.request.socket.setTimeout(idleMs);
  }

  /**
   * Waits for work that has begun, unless it is done already. Meanwhile the slot is given to no other request, even if the body is still arriving: so
   * many slots, so much work.
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
    if (!this.#slot) return Promise.reject(new Error('a request without a slot reads its body'));
    const leftMs = arrivalMs - (performance.now() - this.startedAtMs);
    const body = this.#slot.receive(leftMs, (signal, onHeld) => readBody(this.request, maxBodyBytes, signal, onHeld));
    // It may fail before anybody waits for it.
    body.catch(() => {});
    return body;
  }
}
