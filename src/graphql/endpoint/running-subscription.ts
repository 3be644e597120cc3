import { setTimeout as sleep } from 'node:timers/promises';
import { type ExecutionArgs, type ExecutionResult, execute } from 'graphql';
import { type DomainError, type ErrorCode, withoutStack } from '../../errors.ts';
import type { Caller } from '../../model/caller.ts';
import { actorOf } from '../../model/principal.ts';
import { Answer } from '../../runtime/answer.ts';
import { describeError, type Log } from '../../runtime/log.ts';
import { createPacing } from '../../runtime/pacing.ts';
import { type ClientError, toClientError } from '../errors/client-error.ts';
import type { GraphQLContext } from '../schema/builder.ts';
import type { EventResult, EventStream } from './event-stream.ts';
import { chargeWork, workOf } from './points.ts';
import type { ServerContext } from './server-context.ts';
import type { EndReason, Place, Subscriptions } from './subscriptions.ts';

export interface RunningOptions {
  readonly subscriptions: Subscriptions;
  readonly contextOf: (context: Pick<ServerContext, 'caller'>) => GraphQLContext;
  readonly log: Log;
  /** Whether errors are answered with their hints, as in development. */
  readonly hints?: boolean;
}

/** Events that are made in one tick of the event loop, of all subscriptions: one takes about 100 µs. */
const pace = createPacing(50);
/** How often an event is made whose secret cannot be read at the moment, and how long the first pause is. */
const [maxAttempts, firstPauseMs] = [6, 100];

/** A subscription from its acceptance to its end. It keeps nothing of the request but its caller and its document. */
export class RunningSubscription {
  readonly #options: RunningOptions;
  readonly #args: ExecutionArgs;
  readonly #name: string;
  readonly #caller: Caller;
  readonly #context: Pick<ServerContext, 'openStream' | 'spend'>;
  readonly #startedAtMs = performance.now();
  #source: AsyncGenerator<readonly unknown[]> | null = null;
  #place: Place | null = null;
  #stream: EventStream | null = null;
  #isShutDown = false;
  #told = 0;

  constructor(options: RunningOptions, args: ExecutionArgs, name: string, context: ServerContext) {
    const { caller, openStream, spend } = context;
    this.#options = options;
    this.#args = args;
    this.#name = name;
    this.#caller = caller;
    this.#context = { openStream, spend };
  }

  /** @param source several events at once where several are there */
  begin(source: AsyncGenerator<readonly unknown[]>, place: Place): void {
    this.#source = source;
    this.#place = place;
    if (this.#isShutDown) this.shutDown();
  }

  start(): void {
    void this.#run();
  }

  readonly shutDown = (): void => {
    this.#isShutDown = true;
    this.#stream?.stopWaiting();
    void this.#source?.return(undefined);
  };

  async #run(): Promise<void> {
    const { answer } = this.#caller;
    const stream = this.#context.openStream();
    this.#stream = stream;
    this.#place?.carry(stream);
    stream.onClose(() => void this.#source?.return(undefined));
    let worked = workOf(answer);
    try {
      for await (const events of this.#source ?? []) {
        const results = await Promise.all(events.map((event) => this.#resultOf(event)));
        // The caller may have lost the right to read them while they were made, or while the client was reading others.
        await stream.send(results, () => stream.isClosed || answer.throwIfStopped());
        this.#told += events.length;
        this.#options.subscriptions.told(events.length);
        const charged = chargeWork(answer, worked, this.#context.spend);
        worked = charged ? workOf(answer) : worked;
        if (charged) await charged;
      }
      stream.end();
      this.#conclude(this.#isShutDown ? 'shutdown' : 'left', null);
    } catch (thrown) {
      const error = this.#clientError(thrown);
      stream.end({ errors: [error.formatted] });
      this.#conclude(stream.isClosed ? 'left' : reasonOf(error.error.code), error.error);
    } finally {
      // Of events that were read without a change among them.
      void chargeWork(answer, worked, this.#context.spend);
    }
  }

  /** @throws DomainError where it cannot be made at the moment: then it is not told, and its client asks for it again */
  async #resultOf(event: unknown): Promise<EventResult> {
    for (let attempt = 1; ; attempt += 1) {
      const turn = pace(1);
      if (turn) await turn;
      const answer = new Answer();
      const contextValue = this.#options.contextOf({ caller: { ...this.#caller, answer } });
      const result: ExecutionResult = await withoutStack(() =>
        execute({ ...this.#args, rootValue: event, contextValue }),
      );
      if (answer.stopped) throw answer.stopped;
      const { bytes } = answer;
      if (!result.errors) return { response: { data: result.data }, bytes };
      const errors = result.errors.map((error) => this.#clientError(error));
      const temporary = errors.find(({ error }) => isTemporary(error));
      if (!temporary) {
        const told = this.#logged(errors).map(({ formatted }) => formatted);
        return { response: { errors: told, data: result.data }, bytes };
      }
      if (attempt === maxAttempts || this.#isShutDown || this.#caller.answer.stopped) throw temporary.error;
      await sleep(firstPauseMs * 2 ** attempt * Math.random());
    }
  }

  #clientError(error: unknown): ClientError {
    return toClientError(error, this.#caller.requestId, this.#options.hints);
  }

  #logged(errors: readonly ClientError[]): readonly ClientError[] {
    const failure = errors.find(({ error }) => error.status >= 500);
    if (failure) {
      const line = { ...this.#line, code: failure.error.code, cause: describeError(failure.error) };
      this.#options.log.error(line, 'event failed');
    }
    return errors;
  }

  #conclude(reason: EndReason, error: DomainError | null): void {
    const { log } = this.#options;
    this.#place?.end(reason);
    const durationMs = Math.round(performance.now() - this.#startedAtMs);
    const line = { ...this.#line, code: error?.code ?? 'OK', reason, told: this.#told, durationMs };
    const isDefect = error !== null && error.status >= 500 && !isTemporary(error);
    if (isDefect) log.error({ ...line, cause: describeError(error) }, 'subscription ended');
    else log.info(line, 'subscription ended');
  }

  get #line() {
    const { requestId, principal } = this.#caller;
    return { requestId, actor: principal ? actorOf(principal) : null, operation: this.#name };
  }
}

function isTemporary({ code }: DomainError): boolean {
  return code === 'SERVICE_UNAVAILABLE' || code === 'GATEWAY_TIMEOUT';
}

function reasonOf(code: ErrorCode): EndReason {
  if (code === 'REQUEST_TIMEOUT') return 'slow';
  return code === 'UNAUTHORIZED' || code === 'FORBIDDEN' || code === 'PERMISSION_ERROR' ? 'credentials' : 'failed';
}
