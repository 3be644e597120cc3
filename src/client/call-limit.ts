import { TransportError } from './transport-error.ts';

/** A timer of more milliseconds fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** What ends a call: the signals of its caller, or too long a time without an answer. */
export class CallLimit {
  readonly #controller = new AbortController();
  readonly #signals: readonly AbortSignal[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(...signals: readonly (AbortSignal | undefined)[]) {
    this.#signals = signals.filter((one) => one !== undefined);
    // AbortSignal.any() is not in every browser.
    for (const signal of this.#signals) {
      if (signal.aborted) this.#abort();
      signal.addEventListener('abort', this.#abort);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The next answer must come within this time. AbortSignal.timeout() would keep its timer after the answer. */
  expect(withinMs: number): void {
    this.pause();
    const late = () => this.#controller.abort(new TransportError('TIMEOUT', `No answer within ${withinMs} ms.`));
    this.#timer = setTimeout(late, Math.min(withinMs, maxTimerMs));
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  /** The call is over. */
  end(): void {
    this.pause();
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#abort);
  }

  /** The same, of a call whose answer would go on. */
  endAnswer(): void {
    this.end();
    this.#abort();
  }

  /** Rejects with the reason of its end, also where a credential or a `fetch` of the caller's does not look at the signal. */
  of<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      const end = () => reject(signal.reason);
      signal.addEventListener('abort', end);
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
    });
  }

  readonly #abort = (): void => this.#controller.abort(new TransportError('ABORTED', 'The call was aborted.'));
}
