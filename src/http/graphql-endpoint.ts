import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GraphQLError, getOperationAST, type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { anonymousMayRun } from '../graphql/anonymous.ts';
import type { GraphQLContext } from '../graphql/builder.ts';
import { toClientError } from '../graphql/error-map.ts';
import { unauthorized } from '../identity/authorize.ts';
import type { Caller } from '../identity/principal.ts';
import { describeError, type Log } from '../log.ts';
import type { Operations } from '../secrets/operations.ts';

interface ServerContext {
  readonly caller: Caller;
  /** The decoded JSON body of a POST. */
  readonly body: unknown;
}

export interface GraphQLEndpointOptions {
  readonly schema: GraphQLSchema;
  readonly bindOperations: (caller: Caller) => Operations;
  readonly introspection: boolean;
  readonly log: Log;
}

export type GraphQLEndpoint = (request: IncomingMessage, response: ServerResponse, context: ServerContext) => Promise<void>;

/** GraphQL over HTTP, once the request has a body that is JSON and a caller that is known. */
export function createGraphQLEndpoint(options: GraphQLEndpointOptions): GraphQLEndpoint {
  const yoga = createYoga<ServerContext, GraphQLContext>({
    schema: options.schema,
    context: ({ caller }) => ({ operations: options.bindOperations(caller) }),
    batching: { limit: 10 },
    plugins: [
      useDecodedBody(),
      useAnonymousGate(),
      useIntrospectionSwitch(options.introspection),
      useClientErrors(options.schema, options.log),
    ],
    // The server around Yoga does these, and error texts are made in one place.
    maxRequestBodySize: false,
    multipart: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    maskedErrors: false,
  });
  return (request, response, context) => Promise.resolve(yoga.handle(request, response, context));
}

/** The body was read, counted and decoded before Yoga; its own parsers would accept forms and quote what they cannot read. */
function useDecodedBody(): Plugin<object, ServerContext> {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method === 'POST') setRequestParser(() => serverContext.body as never);
    },
  };
}

/** Refuses an operation without credentials before anything of it runs. Operations would refuse it all the same. */
function useAnonymousGate(): Plugin<ServerContext, ServerContext> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (args.contextValue.caller.principal || !operation || anonymousMayRun(operation, args.document)) return;
      setResultAndStopExecution({ errors: [unauthorized() as unknown as GraphQLError] });
    },
  };
}

function useIntrospectionSwitch(enabled: boolean): Plugin {
  return {
    onValidate({ addValidationRule }) {
      if (!enabled) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}

/** The last stage: whatever went wrong, wherever, leaves as an error that a client may see. */
function useClientErrors(schema: GraphQLSchema, log: Log): Plugin<object, ServerContext> {
  return {
    onResultProcess({ result, setResult, serverContext }) {
      const { requestId } = serverContext.caller;
      const map = (one: ExecutionResult) => {
        if (!one.errors?.length) return one;
        const errors = one.errors.map((error) => {
          const clientError = toClientError(error, requestId, schema);
          logError(log, clientError, requestId);
          return one.data == null ? clientError : withoutHttp(clientError);
        });
        return { ...one, errors };
      };
      if (Array.isArray(result)) setResult(result.map(map));
      else setResult(map(result as ExecutionResult));
    },
  };
}

interface ExecutionResult {
  data?: unknown;
  errors?: readonly GraphQLError[];
}

/** Part of the data is there: the response is a success with errors, and a gateway would drop it on another status. */
function withoutHttp(error: GraphQLError): GraphQLError {
  delete error.extensions.http;
  return error;
}

function logError(log: Log, error: GraphQLError, requestId: string): void {
  const { code, status } = error.extensions;
  if (code === 'INTERNAL_SERVER_ERROR') {
    log.error({ requestId, code, cause: describeError(error.originalError?.cause) }, 'request failed');
  } else if (Number(status) >= 500) {
    log.warn({ requestId, code, cause: describeError(error.originalError) }, 'request failed');
  } else log.debug({ requestId, code }, 'request refused');
}
