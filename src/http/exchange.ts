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
   * The whole body, within these limits. Only for a request that holds a slot.
   * @throws DomainError PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, BAD_REQUEST, or SERVICE_UNAVAILABLE when the slot was given away
   */
  async readBody({ maxBodyBytes, arrivalMs }: BodyLimits): Promise<Buffer> {
    if (!this.#slot) throw new Error('a request without a slot reads its body');
    const leftMs = arrivalMs - (performance.now() - this.startedAtMs);
    return this.#slot.receive(leftMs, (signal) => readBody(this.request, maxBodyBytes, signal));
  }
}
