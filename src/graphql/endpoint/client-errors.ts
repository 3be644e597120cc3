import { getOperationAST, type OperationDefinitionNode } from 'graphql';
import type { ErrorCode } from '../../errors.ts';
import { jsonType } from '../../http/media-type.ts';
import { headersOf } from '../../http/refusal.ts';
import { actorOf } from '../../model/principal.ts';
import { describeError, type Log } from '../../runtime/log.ts';
import { type ClientError, toClientError } from '../errors/client-error.ts';
import type { GatewayPlugin, Head, ServerContext } from './server-context.ts';
import { stringify } from './stringify.ts';

interface ExecutionResult {
  readonly data?: unknown;
  readonly errors?: readonly unknown[];
}

/** How one operation ended, as it is answered. */
class Outcome {
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
    return {
      ...(errors.length > 0 && { errors: errors.map(({ formatted }) => formatted) }),
      ...(data !== undefined && { data }),
    };
  }

  /** A refusal that has its own HTTP status also for clients that accept application/json. */
  get refusal(): ClientError | undefined {
    return this.executed ? undefined : this.errors.find(isRefusal);
  }
}

const refusals = new Set<ErrorCode>(['UNAUTHORIZED', 'METHOD_NOT_ALLOWED', 'TOO_MANY_REQUESTS', 'SERVICE_UNAVAILABLE']);
const isRefusal = ({ error }: ClientError) => refusals.has(error.code);

/** Told of every operation: its root field, the code of its first error or OK, and how long it took. */
export type OnOperation = (operation: string, code: string, seconds: number) => void;

export interface ClientErrorOptions {
  readonly log: Log;
  readonly onOperation: OnOperation;
  /** Whether errors are answered with their hints, as in development. */
  readonly hints?: boolean;
}

/**
 * The last stage: every error, wherever it came from, is answered as an error that a client may see, and every operation is
 * logged and counted by its root field and how it ended.
 */
export function useClientErrors({ log, onOperation, hints }: ClientErrorOptions): GatewayPlugin {
  const names = new WeakMap<object, string>();

  function conclude(result: ExecutionResult | Outcome, { caller, startedAtMs }: ServerContext): Outcome {
    if (result instanceof Outcome) return result;
    const { requestId } = caller;
    const executed = names.get(result);
    const operation = executed ?? 'none';
    const errors = (result.errors ?? []).map((error) => toClientError(error, requestId, hints));
    const code = errors[0]?.error.code ?? 'OK';
    const durationMs = performance.now() - startedAtMs;
    onOperation(operation, code, durationMs / 1000);
    const actor = caller.principal ? actorOf(caller.principal) : null;
    const line = { requestId, actor, operation, code, durationMs: Math.round(durationMs) };
    const outcome = new Outcome(result.data, errors, executed !== undefined);
    // Shedding load is no defect, and a line with stack frames for each operation would make the overload worse.
    const failure = errors.find((one) => one.error.status >= 500 && one !== outcome.refusal);
    if (failure) log.error({ ...line, cause: describeError(failure.error) }, 'operation failed');
    else log.info(line, 'operation');
    return outcome;
  }

  return {
    onExecute({ args }) {
      const operation = getOperationAST(args.document, args.operationName);
      const name = operation ? nameOf(operation) : 'none';
      return {
        onExecuteDone({ result, setResult }) {
          const { stopped } = args.contextValue.answer;
          const ended = stopped ? { errors: [stopped] } : result;
          if (stopped) setResult(ended as never);
          names.set(ended, name);
        },
      };
    },
    // For operations that went through Yoga's stages, also those of an array one by one. The others end below.
    onExecutionResult({ result, setResult, context }) {
      setResult(conclude(result as ExecutionResult, context) as never);
    },
    onResultProcess({ result, setResult, setResultProcessor, serverContext }) {
      const { mediaType, send } = serverContext;
      const outcome = Array.isArray(result)
        ? result.map((one) => conclude(one, serverContext))
        : conclude(result as ExecutionResult, serverContext);
      setResult(outcome as never);
      setResultProcessor(async (_result, { Response }) => {
        const { status, headers } = Array.isArray(outcome) ? ofArray(outcome) : ofOne(outcome, mediaType);
        const type = { 'Content-Type': `${mediaType}; charset=utf-8` };
        const response = Array.isArray(outcome) ? outcome.map((one) => one.response) : outcome.response;
        await send({ status, headers: { ...headers, ...type } }, stringify(response, serverContext.caller.answer));
        return new Response();
      }, mediaType);
    },
  };
}

/** The root field, which is a name of the schema. The client chooses the operation's own name, which could be anything. */
function nameOf({ selectionSet }: OperationDefinitionNode): string {
  const [first, ...others] = selectionSet.selections;
  return first?.kind === 'Field' && others.length === 0 ? first.name.value : 'several';
}

const success: Head = { status: 200, headers: {} };

/** GraphQL over HTTP, section 6.4: without data the status is that of the error, as far as the media type allows it. */
function ofOne({ data, errors, refusal }: Outcome, mediaType: string): Head {
  // Some data is there: the response is a success with errors, and a router would drop it on another status.
  if (data != null) return success;
  const told = (mediaType === jsonType ? [refusal] : errors).filter((error) => error !== undefined);
  return {
    status: Math.max(success.status, ...told.map(({ error }) => error.status)),
    headers: Object.assign({}, ...errors.map(({ error }) => headersOf(error))),
  };
}

/** An array is a success, unless every operation in it was refused: then it has the status of the first refusal. */
function ofArray(outcomes: readonly Outcome[]): Head {
  const refusals = outcomes.map(({ refusal }) => refusal);
  const [first] = refusals;
  return first && refusals.every(Boolean) ? { status: first.error.status, headers: headersOf(first.error) } : success;
}
