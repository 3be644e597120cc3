import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { GraphQLContext } from '../graphql/builder.ts';
import type { Caller } from '../identity/principal.ts';
import type { Log } from '../log.ts';
import type { Operations } from '../secrets/operations.ts';
import { useAdmission, useIntrospectionSwitch } from './admission.ts';
import { useClientErrors } from './client-errors.ts';
import { useDecodedBody, usePersistedOperations } from './decoded-body.ts';
import { documentCache, useLimits } from './document-limits.ts';
import type { Metrics } from './metrics.ts';
import type { PersistedOperations } from './persisted-operations.ts';
import type { ServerContext } from './server-context.ts';

export interface GraphQLEndpointOptions {
  readonly schema: GraphQLSchema;
  readonly bindOperations: (caller: Caller) => Operations;
  readonly introspection: boolean;
  readonly batchLimit: number;
  /** Null: any document is accepted. */
  readonly persistedOperations: PersistedOperations | null;
  readonly log: Log;
  readonly metrics: Metrics;
}

export type GraphQLEndpoint = (
  request: IncomingMessage,
  response: ServerResponse,
  context: ServerContext,
) => Promise<void>;

/** GraphQL over HTTP, once the request has a body that is JSON and a caller that is known. */
export function createGraphQLEndpoint(options: GraphQLEndpointOptions): GraphQLEndpoint {
  const { schema, bindOperations, introspection, batchLimit, persistedOperations, log, metrics } = options;
  const yoga = createYoga<ServerContext, GraphQLContext>({
    schema,
    context: ({ caller }) => ({ operations: bindOperations(caller) }),
    batching: batchLimit > 0 && { limit: batchLimit },
    parserAndValidationCache: documentCache(),
    plugins: [
      useDecodedBody(),
      ...(persistedOperations ? [usePersistedOperations(persistedOperations)] : []),
      useLimits(),
      useIntrospectionSwitch(introspection),
      useClientErrors(schema, log, metrics),
      useAdmission(),
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
