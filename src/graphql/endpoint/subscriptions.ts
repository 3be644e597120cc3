import { DomainError } from '../../errors.ts';
import { actorKey, actorOf, type Principal } from '../../model/principal.ts';
import type { EventStream } from './event-stream.ts';

/** How many may be open. */
interface Limits {
  readonly all: number;
  readonly perCaller: number;
}

/** What is counted. */
interface Counts {
  /** @param events that were sent */
  told(events: number): void;
  ended(reason: EndReason): void;
}

/** Proxies and load balancers close a connection that is silent for 30 or 60 s. */
const beatEveryMs = 15_000;
const tickMs = 1000;

/** Why a subscription ended: its client left, or it was ended for a reason. */
export type EndReason = 'left' | 'credentials' | 'slow' | 'shutdown' | 'failed';

/** The place of one subscription among those that are open. */
export interface Place {
  /** Keeps its connection alive from now on. */
  carry(stream: EventStream): void;
  /** It may be ended before it carried anything. */
  end(reason?: EndReason): void;
}

interface Open {
  stream: EventStream | null;
  beatAtMs: number;
  readonly onShutdown: () => void;
}

/** The subscriptions that are open. Each holds a connection, and some 30 KB. */
export class Subscriptions {
  readonly #limits: Limits;
  readonly #counts: Counts;
  readonly #open = new Set<Open>();
  readonly #perCaller = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #none = Promise.withResolvers<void>();

  constructor(limits: Limits, counts: Counts) {
    this.#limits = limits;
    this.#counts = counts;
  }

  get count(): number {
    return this.#open.size;
  }

  told(events: number): void {
    this.#counts.told(events);
  }

  /**
   * Counts one more, until `end` is called.
   * @param onShutdown called when all are to end
   * @throws DomainError TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE
   */
  begin(principal: Principal | null, onShutdown: () => void): Place {
    if (this.#isClosed) throw shuttingDown();
    const { all, perCaller } = this.#limits;
    if (this.#open.size >= all) throw noRoom();
    const caller = principal ? actorKey(actorOf(principal)) : '';
    const ofCaller = this.#perCaller.get(caller) ?? 0;
    if (ofCaller >= perCaller) throw tooMany(perCaller);
    this.#perCaller.set(caller, ofCaller + 1);
    const one: Open = { stream: null, beatAtMs: 0, onShutdown };
    this.#open.add(one);
    this.#timer ??= setInterval(() => this.#beat(), tickMs).unref();
    return {
      carry(stream) {
        one.stream = stream;
        one.beatAtMs = performance.now() + beatEveryMs;
      },
      end: (reason) => {
        if (reason) this.#counts.ended(reason);
        this.#end(one, caller);
      },
    };
  }

  /** Ends all of them, and begins no more. Their clients subscribe again, at another replica. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#open.size === 0) return;
    for (const { onShutdown } of this.#open) onShutdown();
    await this.#none.promise;
  }

  #end(one: Open, caller: string): void {
    if (!this.#open.delete(one)) return;
    const left = (this.#perCaller.get(caller) ?? 1) - 1;
    if (left > 0) this.#perCaller.set(caller, left);
    else this.#perCaller.delete(caller);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#none.resolve();
    this.#none = Promise.withResolvers<void>();
  }

  #beat(): void {
    const nowMs = performance.now();
    for (const one of this.#open) {
      if (!one.stream || nowMs < one.beatAtMs) continue;
      one.beatAtMs = nowMs + beatEveryMs;
      one.stream.beat();
    }
  }
}

function tooMany(most: number): DomainError {
  return new DomainError('TOO_MANY_REQUESTS', {
    description: `A caller may have ${most} subscriptions open at a gateway. End one, or follow several owners less often.`,
    retryAfterSeconds: 10,
  });
}

function noRoom(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'The gateway has as many subscriptions as it can hold. Retry, at another replica.',
    retryAfterSeconds: 5,
  });
}

function shuttingDown(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'The gateway is shutting down. Retry, at another replica.',
    retryAfterSeconds: 1,
  });
}
