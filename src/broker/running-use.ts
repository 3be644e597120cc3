import { DomainError } from '../errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { shuttingDown } from '../http/server-refusals.ts';
import type { StreamedBody } from '../http/streamed-body.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import { actorOf, type Principal } from '../model/principal.ts';
import { Abort, type AbortSignalLike } from '../runtime/abort.ts';
import { Answer } from '../runtime/answer.ts';
import { withDeadline } from '../runtime/deadline.ts';
import { describeError, type Log } from '../runtime/log.ts';
import type { OpenUse, OpenUses } from './open-uses.ts';

/** How a use ended: with a status of the upstream, or for another reason. */
export type UseOutcome =
  | '2xx'
  | '3xx'
  | '4xx'
  | '5xx'
  | 'refused'
  | 'upstream_error'
  | 'timeout'
  | 'client_gone'
  | 'cut_off'
  | 'failed';

/** @param code of the gateway's refusal, or OK */
export type OnUse = (outcome: UseOutcome, code: string, seconds: number) => void;

interface Options {
  readonly uses: OpenUses;
  readonly log: Log;
  readonly onUse: OnUse;
}

/** With the 4 s for which the store's word on a key is used, a key that was revoked elsewhere is noticed within 5 s. */
const verifyEveryMs = 1000;
/** An answer waits no longer for what is recorded about it. */
const recordMs = 2000;

/** One use, from its request until its answer is written: what stops it, and how it ended. */
export class RunningUse {
  readonly answer: Answer;
  principal: Principal | null = null;
  readonly #exchange: Exchange;
  readonly #options: Options;
  readonly #abort = new Abort();
  readonly #open: OpenUse;
  #body: StreamedBody | null = null;
  #owner: Owner | null = null;
  #status: number | null = null;
  #isSent = false;
  #cutOffBy: DomainError | null = null;
  #watch: NodeJS.Timeout | null = null;
  #isGone = false;

  /** @throws DomainError SERVICE_UNAVAILABLE when there are too many */
  constructor(exchange: Exchange, options: Options) {
    const { response } = exchange;
    this.#exchange = exchange;
    this.#options = options;
    this.answer = new Answer(() => response.destroy());
    this.#open = options.uses.begin(() => this.#cutOff(shuttingDown()));
    exchange.onEnd(() => {
      if (!response.writableFinished) {
        this.#isGone = true;
        this.#stop(new DomainError('BAD_REQUEST', { message: 'The client has gone.' }));
      }
      if (this.#watch) clearInterval(this.#watch);
      this.answer.end();
      this.#open.end();
    });
  }

  /** Aborted when nobody waits for the upstream's answer any more. */
  get signal(): AbortSignalLike {
    return this.#abort;
  }

  /** The key of the owner, once that is known. */
  get ownerKey(): string {
    return this.#owner ? ownerKey(this.#owner) : '';
  }

  /** @throws DomainError SERVICE_UNAVAILABLE */
  admit(owner: Owner): void {
    this.#open.admit(owner);
    this.#owner = owner;
  }

  /** What is wrong with the body is told before what became of the upstream's request without it. */
  reads(body: StreamedBody): StreamedBody {
    this.#body = body;
    return body;
  }

  /** From here on it is the upstream that fails. */
  sent(): void {
    this.#isSent = true;
  }

  /** The head of the upstream's answer is there. */
  answered(status: number): void {
    this.#status = status;
  }

  /** Waits until something is recorded about the use, so that it is stored before the answer is passed on. The use goes on if that fails. */
  async waitForRecording(recording: Promise<unknown>): Promise<void> {
    const { log } = this.#options;
    const { requestId } = this.#exchange;
    const recorded = recording.catch((error: unknown) => {
      log.warn({ requestId, cause: describeError(error) }, 'what a use says about a value was not recorded');
    });
    await withDeadline(recorded, recordMs, () => new Error('recorded too slowly')).catch(() => {});
  }

  async run(work: (running: this) => Promise<void>): Promise<void> {
    try {
      await work(this);
      this.#conclude(classOf(this.#status ?? 0), 'OK');
    } catch (error) {
      const refusal = this.#refusalOf(error);
      // The upstream may be answering still.
      this.#abort.abort();
      this.#conclude(this.#outcomeOf(refusal), refusal.code, refusal);
      // Otherwise there is nobody to be told.
      if (!this.#isGone) throw refusal;
    } finally {
      // Whatever is left of it has no use.
      this.#body?.destroy();
    }
  }

  /**
   * Ends the use when its credential is not accepted any more: a request could go on for days, and the caller say more in it.
   * @param verify throws UNAUTHORIZED then
   */
  verifies(verify: () => unknown): void {
    // It has ended already, and nothing would end the timer.
    if (this.signal.aborted) return;
    this.#watch = setInterval(async () => {
      try {
        await verify();
      } catch (error) {
        // While it cannot be verified, it is not known to have ended.
        if (error instanceof DomainError && error.code === 'UNAUTHORIZED') this.#cutOff(error);
      }
    }, verifyEveryMs).unref();
  }

  #cutOff(reason: DomainError): void {
    this.#cutOffBy ??= reason;
    this.#stop(reason);
    if (this.#exchange.response.headersSent) this.#exchange.response.destroy();
  }

  #stop(reason: DomainError): void {
    this.answer.stop(reason);
    this.#abort.abort();
  }

  #refusalOf(error: unknown): DomainError {
    if (this.#cutOffBy) return this.#cutOffBy;
    if (this.#body?.errored instanceof DomainError) return this.#body.errored;
    return error instanceof DomainError ? error : new DomainError('INTERNAL_SERVER_ERROR', { cause: error });
  }

  #outcomeOf({ code }: DomainError): UseOutcome {
    if (this.#cutOffBy) return 'cut_off';
    if (this.#isGone) return 'client_gone';
    if (code === 'INTERNAL_SERVER_ERROR') return 'failed';
    if (!this.#isSent) return 'refused';
    if (code === 'GATEWAY_TIMEOUT') return 'timeout';
    return code === 'BAD_GATEWAY' ? 'upstream_error' : 'refused';
  }

  #conclude(outcome: UseOutcome, code: string, refusal?: DomainError): void {
    const { log, onUse } = this.#options;
    const { requestId, startedAtMs } = this.#exchange;
    const durationMs = performance.now() - startedAtMs;
    onUse(outcome, code, durationMs / 1000);
    this.#exchange.isLogged = true;
    const reason = refusal?.details.reason;
    const line = {
      requestId,
      actor: this.principal ? actorOf(this.principal) : null,
      operation: 'useSecret',
      code,
      outcome,
      // What is undefined is not written.
      status: this.#status ?? undefined,
      reason,
      owner: this.#owner?.type,
      durationMs: Math.round(durationMs),
    };
    if (outcome === 'failed') log.error({ ...line, cause: describeError(refusal) }, 'use failed');
    else log.info(line, 'use');
  }
}

function classOf(status: number): UseOutcome {
  if (status < 300) return '2xx';
  if (status < 400) return '3xx';
  return status < 500 ? '4xx' : '5xx';
}
