import { DomainError } from '../errors.ts';
import type { Answer } from '../runtime/answer.ts';

/** Stored envelopes of one delivery. A smaller one is never in the way. */
const largeBytes = 1024 * 1024;
/** Each holds about 22 MiB, until its client has read it. */
const maxAtOnce = 4;
const waitMs = 5000;

interface Waiting {
  readonly principal: string;
  readonly answer: Answer;
  readonly begin: () => void;
}

/**
 * Bounds how many large deliveries are in memory: few at once, and one for each principal, so that who reads slowly keeps
 * out nobody but itself. A request has its slot until its answer has been sent or given up.
 */
export class LargeDeliveries {
  readonly #maxAtOnce: number;
  readonly #waitMs: number;
  readonly #underWay = new Map<string, Answer>();
  /** The longest first. */
  readonly #waiting = new Set<Waiting>();

  constructor(options: { readonly maxAtOnce?: number; readonly waitMs?: number } = {}) {
    this.#maxAtOnce = options.maxAtOnce ?? maxAtOnce;
    this.#waitMs = options.waitMs ?? waitMs;
  }

  /**
   * Waits for a slot, when the delivery is large.
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
    return own === undefined ? this.#underWay.size < this.#maxAtOnce : own === answer;
  }

  #begin(principal: string, answer: Answer): void {
    if (this.#underWay.has(principal)) return;
    this.#underWay.set(principal, answer);
    answer.onEnd(() => {
      this.#underWay.delete(principal);
      this.#beginWaiting();
    });
  }

  #wait(principal: string, answer: Answer): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
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
    });
  }

  #beginWaiting(): void {
    for (const { principal, answer, begin } of this.#waiting) if (this.#mayBegin(principal, answer)) begin();
  }
}

function tooManyAtOnce(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description:
      'Other large deliveries are under way. Read their answers, ask for fewer secrets at once, or retry. Nothing was delivered.',
    retryAfterSeconds: 1,
  });
}
