import type { GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { getOperationAST } from 'graphql';
import { type ErrorCode, headersOf } from '../../errors.ts';
import { jsonType } from '../../http/media-type.ts';
import type { Metrics } from '../../ops/metrics.ts';
import { describeError, type Log } from '../../runtime/log.ts';
import { type ClientError, toClientError } from '../errors/error-map.ts';
import type { GatewayPlugin, ServerContext } from './server-context.ts';
import { stringify } from './stringify.ts';

interface ExecutionResult {
  readonly data?: unknown;
  readonly errors?: readonly unknown[];
}

/** What became of one operation, as it is answered. */
class Outcome {
  readonly data: unknown;
  readonly errors: readonly ClientError[];
  /** Whether it was well-formed enough to be executed. */
  readonly executed: boolean;

  constructor(data: unknown, errors: readonly ClientError[], executed: boolean) {
    this.data = data;
    this.errors = errors;
    this.executed = executed;
  }

  /** As it is answered: an ordinary object, since JSON.stringify is several times as slow where something has a toJSON. */
  get response(): object {
    const { data, errors } = this;
    return {
      ...(errors.length > 0 && { errors: errors.map(({ formatted }) => formatted) }),
      ...(data !== undefined && { data }),
    };
  }

  /** Why it was not looked at, whatever it was: that has its own status also for clients that accept application/json. */
  get refusal(): ClientError | undefined {
    return this.executed ? undefined : this.errors.find(isRefusal);
  }
}

const refusals = new Set<ErrorCode>(['UNAUTHORIZED', 'METHOD_NOT_ALLOWED', 'TOO_MANY_REQUESTS', 'SERVICE_UNAVAILABLE']);
const isRefusal = ({ error }: ClientError) => refusals.has(error.code);

/**
 * The last stage: whatever went wrong, wherever, leaves as an error that a client may see, and every operation is
 * logged and counted by what it was and how it ended.
 */
export function useClientErrors(schema: GraphQLSchema, log: Log, metrics: Metrics): GatewayPlugin {
  const names = new WeakMap<object, string>();

  function conclude(result: ExecutionResult | Outcome, { caller, startedAt }: ServerContext): Outcome {
    if (result instanceof Outcome) return result;
    const { requestId } = caller;
    const executed = names.get(result);
    const operation = executed ?? 'none';
    const errors = (result.errors ?? []).map((error) => toClientError(error, requestId, schema));
    const code = errors[0]?.error.code ?? 'OK';
    const milliseconds = performance.now() - startedAt;
    metrics.operation(operation, code, milliseconds / 1000);
    const line = { requestId, subject: caller.principal?.subject, operation, code, milliseconds };
    const outcome = new Outcome(result.data, errors, executed !== undefined);
    // To be overloaded is no defect, and a line with frames for each that is shed would make it worse.
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
        onExecuteDone({ result }) {
          names.set(result, name);
        },
      };
    },
    // Of operations in an array, each when its own turn has come; what none of Yoga's stages went through ends below.
    onExecutionResult({ result, setResult, context }) {
      setResult(conclude(result as ExecutionResult, context) as never);
    },
    onResultProcess({ result, setResult, setResultProcessor, serverContext }) {
      const { mediaType, onAnswer } = serverContext;
      const outcome = Array.isArray(result)
        ? result.map((one) => conclude(one, serverContext))
        : conclude(result as ExecutionResult, serverContext);
      setResult(outcome as never);
      setResultProcessor(async (_result, { Response }) => {
        const { status, headers } = Array.isArray(outcome) ? ofArray(outcome) : ofOne(outcome, mediaType);
        const type = { 'Content-Type': `${mediaType}; charset=utf-8` };
        const body = Array.isArray(outcome)
          ? `[${(await Promise.all(outcome.map(({ response }) => stringify(response)))).join(',')}]`
          : await stringify(outcome.response);
        onAnswer();
        return new Response(body, { status, headers: { ...headers, ...type } });
      }, mediaType);
    },
  };
}

/** The field at the root, of the schema; the operation's own name is the client's to choose, and could be anything. */
function nameOf({ selectionSet }: OperationDefinitionNode): string {
  const [first, ...others] = selectionSet.selections;
  return first?.kind === 'Field' && others.length === 0 ? first.name.value : 'several';
}

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const success: Head = { status: 200, headers: {} };

/** GraphQL over HTTP, section 6.4: the status of the error where there is no data, as far as the media type lets it be told. */
function ofOne({ data, errors, refusal }: Outcome, mediaType: string): Head {
  // Part of the data is there: the response is a success with errors, and a gateway would drop it on another status.
  if (data != null) return success;
  const told = (mediaType === jsonType ? [refusal] : errors).filter((error) => error !== undefined);
  return {
    status: Math.max(success.status, ...told.map(({ error }) => error.status)),
    headers: Object.assign({}, ...errors.map(({ error }) => headersOf(error))),
  };
}

/** An array is a success, but one in which everything was refused: that has the status of its first refusal. */
function ofArray(outcomes: readonly Outcome[]): Head {
  const refusals = outcomes.map(({ refusal }) => refusal);
  const [first] = refusals;
  return first && refusals.every(Boolean) ? { status: first.error.status, headers: headersOf(first.error) } : success;
}
