import type { GraphQLError, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { getOperationAST } from 'graphql';
import { toClientError } from '../graphql/error-map.ts';
import { describeError, type Log } from '../log.ts';
import type { Metrics } from './metrics.ts';
import type { GatewayPlugin, ServerContext } from './server-context.ts';

interface ExecutionResult {
  data?: unknown;
  errors?: readonly GraphQLError[];
}

/**
 * The last stage: whatever went wrong, wherever, leaves as an error that a client may see, and every operation is
 * logged and counted by what it was and how it ended.
 */
export function useClientErrors(schema: GraphQLSchema, log: Log, metrics: Metrics): GatewayPlugin {
  const names = new WeakMap<object, string>();

  function finish(result: ExecutionResult, context: ServerContext): ExecutionResult {
    const { caller, startedAt } = context;
    const { requestId } = caller;
    const executed = names.get(result);
    const operation = executed ?? 'none';
    const errors = result.errors?.map((error) => toClientError(error, requestId, schema));
    const code = String(errors?.[0]?.extensions.code ?? 'OK');
    const milliseconds = performance.now() - startedAt;
    metrics.operation(operation, code, milliseconds / 1000);
    const line = { requestId, subject: caller.principal?.subject, operation, code, milliseconds };
    const failure = errors?.find((error) => Number(error.extensions.status) >= 500);
    if (failure) log.error({ ...line, cause: describeError(failure.originalError) }, 'operation failed');
    else log.info(line, 'operation');
    if (!errors?.length) return result;
    if (result.data != null) return { ...result, errors: errors.map(withoutHttp) };
    return { ...result, errors: executed === undefined ? errors.map(withStatus) : errors.map(withStatusOfSpec) };
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
    onResultProcess({ result, setResult, serverContext }) {
      if (Array.isArray(result)) setResult(asOne(result.map((one) => finish(one, serverContext))));
      else setResult(finish(result as ExecutionResult, serverContext));
    },
  };
}

/** An array in which everything was refused has the status of its first refusal, where Yoga would say 200. */
function asOne(results: ExecutionResult[]): ExecutionResult[] {
  const refusals = results.map(({ data, errors }) => (data == null ? errors?.find(isRefusal) : undefined));
  const http = refusals.every(Boolean) ? refusals[0]?.extensions.http : undefined;
  return http === undefined ? results : Object.assign(results, { extensions: { http } });
}

function isRefusal({ extensions: { code } }: GraphQLError): boolean {
  return code === 'UNAUTHORIZED' || code === 'TOO_MANY_REQUESTS';
}

/** The field at the root, of the schema; the operation's own name is the client's to choose, and could be anything. */
function nameOf({ selectionSet }: OperationDefinitionNode): string {
  const [first, ...others] = selectionSet.selections;
  return first?.kind === 'Field' && others.length === 0 ? first.name.value : 'several';
}

/** Refused whatever the operation was: these have their own status also for clients that accept application/json. */
function withStatus(error: GraphQLError): GraphQLError {
  if (isRefusal(error)) Object.assign(Object(error.extensions.http), { spec: false });
  return error;
}

/** What was well-formed enough to be executed has 200 for those clients, though Yoga says 400 of wrong variables. */
function withStatusOfSpec(error: GraphQLError): GraphQLError {
  Object.assign(Object(error.extensions.http), { spec: true });
  return error;
}

/** Part of the data is there: the response is a success with errors, and a gateway would drop it on another status. */
function withoutHttp(error: GraphQLError): GraphQLError {
  delete error.extensions.http;
  return error;
}
