import type { ErrorCode } from '../../errors.ts';
import { jsonType } from '../../http/media-type.ts';
import { headersOf } from '../../http/refusal.ts';
import { actorOf } from '../../model/principal.ts';
import { describeError, type Log } from '../../runtime/log.ts';
import { type ClientError, toClientError } from '../errors/client-error.ts';
import { eventStreamType, onlyEvent, onlyEventInPieces } from './event-stream.ts';
import { graphqlResponseType } from './response-type.ts';
import type { Head, ServerContext } from './server-context.ts';
import { stringify } from './stringify.ts';

export interface ExecutionResult {
  readonly data?: unknown;
  readonly errors?: readonly unknown[] | undefined;
}

/** How one operation ended, as it is answered. */
export class Outcome {
  readonly data: unknown;
  readonly errors: readonly ClientError[];
  /** Whether it was valid, and so was executed. */
  readonly executed: boolean;

  constructor(data: unknown, errors: readonly ClientError[], executed: boolean) {
    this.data = data;
    this.errors = errors;
    this.executed = executed;
  }

  /** An ordinary object: JSON.stringify is several times as slow on one with a toJSON. */
  get response(): object {
    const { data, errors } = this;
    if (errors.length === 0) return data === undefined ? {} : { data };
    const formatted = errors.map((error) => error.formatted);
    return data === undefined ? { errors: formatted } : { errors: formatted, data };
  }

  /** A refusal that has its own HTTP status also for clients that accept application/json. */
  get refusal(): ClientError | undefined {
    return this.executed ? undefined : this.errors.find(isRefusal);
  }
}

const refusals = new Set<ErrorCode>(['UNAUTHORIZED', 'METHOD_NOT_ALLOWED', 'TOO_MANY_REQUESTS', 'SERVICE_UNAVAILABLE']);
const isRefusal = ({ error }: ClientError) => refusals.has(error.code);

/** A refusal may have a cause that is for the operator: a record that something else changed. */
const isFailure = ({ error }: ClientError) => error.status >= 500 || error.cause !== undefined;

/** Told of every operation: its root field, the code of its first error or OK, and how long it took. */
export type OnOperation = (operation: string, code: string, seconds: number) => void;

export interface ConclusionOptions {
  readonly log: Log;
  readonly onOperation: OnOperation;
  /** Whether errors are answered with their hints, as in development. */
  readonly hints?: boolean;
}

/** @param executed the name of the operation, where it was executed */
export type Conclude = (result: ExecutionResult, executed: string | undefined, context: ServerContext) => Outcome;

const noErrors: readonly ClientError[] = [];

/**
 * Makes the last stage of every operation: each error, wherever it came from, becomes one that a client may see, and the
 * operation is logged and counted by its root field and how it ended.
 */
export function createConclude({ log, onOperation, hints }: ConclusionOptions): Conclude {
  return (result, executed, { caller, startedAtMs }) => {
    const { requestId } = caller;
    const operation = executed ?? 'none';
    const errors = result.errors?.length
      ? result.errors.map((error) => toClientError(error, requestId, hints))
      : noErrors;
    const code = errors[0]?.error.code ?? 'OK';
    const durationMs = performance.now() - startedAtMs;
    onOperation(operation, code, durationMs / 1000);
    const outcome = new Outcome(result.data, errors, executed !== undefined);
    // Shedding load is no defect, and a line with stack frames for each operation would make the overload worse.
    const failure = errors.find((one) => isFailure(one) && one !== outcome.refusal);
    if (!failure && !log.isLevelEnabled('info')) return outcome;
    const actor = caller.principal ? actorOf(caller.principal) : null;
    const line = { requestId, actor, operation, code, durationMs: Math.round(durationMs) };
    if (failure) log.error({ ...line, cause: describeError(failure.error) }, 'operation failed');
    else log.info(line, 'operation');
    return outcome;
  };
}

/** Writes the answer of one operation, or of an array of them. */
export function respond(
  outcome: Outcome | readonly Outcome[],
  { mediaType, caller, send }: ServerContext,
): Promise<void> | void {
  const isOne = outcome instanceof Outcome;
  if (isOne && mediaType === eventStreamType && !outcome.refusal) return respondInEvents(outcome, { caller, send });
  const { status, headers } = isOne ? headOfOne(outcome, mediaType) : headOfArray(outcome);
  const type = `${mediaType === eventStreamType ? jsonType : mediaType}; charset=utf-8`;
  const response = isOne ? outcome.response : outcome.map((one) => one.response);
  return send({ status, headers: { ...headers, 'Content-Type': type } }, stringify(response, caller.answer));
}

/** GraphQL over SSE: an operation without events of its own is one event. */
function respondInEvents({ response }: Outcome, { caller, send }: Pick<ServerContext, 'caller' | 'send'>) {
  const text = stringify(response, caller.answer);
  const head = { status: 200, headers: { 'Content-Type': `${eventStreamType}; charset=utf-8` } };
  return send(head, typeof text === 'string' ? onlyEvent(text) : onlyEventInPieces(text));
}

const success: Head = { status: 200, headers: {} };

/** GraphQL over HTTP, section 6.4: without data the status is that of the error, as far as the media type allows it. */
function headOfOne({ data, errors, refusal }: Outcome, mediaType: string): Head {
  // Some data is there: the response is a success with errors, and a router would drop it on another status.
  if (data != null) return success;
  const told = mediaType === graphqlResponseType ? errors : refusal ? [refusal] : noErrors;
  let { status } = success;
  for (const { error } of told) status = Math.max(status, error.status);
  const headers = {};
  for (const { error } of errors) Object.assign(headers, headersOf(error));
  return { status, headers };
}

/** An array is a success, unless every operation in it was refused: then it has the status of the first refusal. */
function headOfArray(outcomes: readonly Outcome[]): Head {
  const refusals = outcomes.map(({ refusal }) => refusal);
  const [first] = refusals;
  return first && refusals.every(Boolean) ? { status: first.error.status, headers: headersOf(first.error) } : success;
}
