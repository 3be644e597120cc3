import { DomainError } from '../errors.ts';
import type { Answer } from '../runtime/answer.ts';

/** Stored envelopes of one delivery or batch. Smaller ones need no slot. */
export const largeBytes = 1024 * 1024;
/** Each holds about 22 MiB, until its client has read it. */
const maxAtOnce = 4;
const waitMs = 5000;
/** How long a caller may read while others wait for its slot: 22 MiB at 9 Mbit/s. */
const readMs = 20_000;

interface UnderWay {
  readonly answer: Answer;
  /** On the clock of `performance.now()`. */
  readonly sinceMs: number;
}

interface Waiting {
  readonly principal: string;
  readonly answer: Answer;
  readonly begin: () => void;
}

/**
 * Bounds how many large deliveries and batches are in memory: few at once, and one for each principal. A request has its slot until its
 * answer has been sent or given up. While others wait, a slow reader is cut off after a time, so that a few of them do not
 * keep out everybody else.
 */
export class LargeWork {
  readonly #maxAtOnce: number;
  readonly #waitMs: number;
  readonly #readMs: number;
  /** The longest first. */
  readonly #underWay = new Map<string, UnderWay>();
  /** The longest first. */
  readonly #waiting = new Set<Waiting>();
  #cutter: NodeJS.Timeout | undefined;

  constructor(options: { readonly maxAtOnce?: number; readonly waitMs?: number; readonly readMs?: number } = {}) {
    this.#maxAtOnce = options.maxAtOnce ?? maxAtOnce;
    this.#waitMs = options.waitMs ?? waitMs;
    this.#readMs = options.readMs ?? readMs;
  }

  /**
   * Waits for a slot, when the work is large.
   * @param principal who asks, in a form that no two share
   * @throws DomainError SERVICE_UNAVAILABLE when none becomes free in time
   */
  async enter(bytes: number, principal: string, answer: Answer): Promise<void> {
    if (bytes <= largeBytes) return;
    if (this.#mayBegin(principal, answer)) this.#begin(principal, answer);
    else await this.#wait(principal, answer);
  }

  /** Operations of one request share its slot: together they deliver no more than one of them may. */
  #mayBegin(principal: string, answer: Answer): boolean {
    const own = this.#underWay.get(principal);
    return own === undefined ? this.#underWay.size < this.#maxAtOnce : own.answer === answer;
  }

  #begin(principal: string, answer: Answer): void {
    if (this.#underWay.has(principal)) return;
    this.#underWay.set(principal, { answer, sinceMs: performance.now() });
    answer.onEnd(() => {
      this.#underWay.delete(principal);
      this.#beginWaiting();
      this.#watch();
    });
  }

  #wait(principal: string, answer: Answer): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        this.#watch();
      };
      const waiting: Waiting = {
        principal,
        answer,
        begin: () => {
          leave();
          this.#begin(principal, answer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        leave();
        reject(tooManyAtOnce());
      }, this.#waitMs);
      this.#waiting.add(waiting);
      this.#watch();
    });
  }

  /** While somebody waits for a slot, the delivery that has been under way for longest is cut off once it has had its time. */
  #watch(): void {
    clearTimeout(this.#cutter);
    const [longest] = this.#underWay.values();
    // A principal that waits for its own slot frees it by reading its answer.
    const isWanted = [...this.#waiting].some(({ principal }) => !this.#underWay.has(principal));
    if (!longest || !isWanted) return;
    const leftMs = longest.sinceMs + this.#readMs - performance.now();
    this.#cutter = setTimeout(() => longest.answer.cutOff(), Math.max(0, leftMs));
  }

  #beginWaiting(): void {
    for (const { principal, answer, begin } of this.#waiting) if (this.#mayBegin(principal, answer)) begin();
  }
}

function tooManyAtOnce(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description:
      'Other large requests are under way. Read their answers, ask for fewer secrets at once, or retry. Nothing was delivered or written.',
    retryAfterSeconds: 1,
  });
}
