import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { GraphQLError, type GraphQLErrorExtensions } from 'graphql';
import { forwardedHeaders } from './forwarded-headers.ts';
import { portFor } from './ports.ts';
import { readSupergraph } from './supergraph.ts';

interface Context {
  /** There is none while the gateway starts. */
  forwarded?: Record<string, string>;
}

/** The answer of a subgraph that refuses a whole request (401, 413, 429, 503, …): an error like any other. */
interface Refusal {
  errors?: { message: string; extensions?: GraphQLErrorExtensions }[];
}

class Subgraph extends RemoteGraphQLDataSource<Context> {
  override willSendRequest({
    request,
    context,
  }: Parameters<NonNullable<RemoteGraphQLDataSource<Context>['willSendRequest']>>[0]) {
    const { forwarded = {} } = context as Context;
    for (const [name, value] of Object.entries(forwarded)) request.http?.headers.set(name, value);
  }

  /** Without this, Apollo Gateway replaces the error of an answer that is not 2xx with `401: Unauthorized` and a code of its own. */
  override async errorFromResponse(response: Parameters<RemoteGraphQLDataSource['errorFromResponse']>[0]) {
    const fallback = await super.errorFromResponse(response);
    const { body } = fallback.extensions.response as { body?: Refusal };
    const [error] = body?.errors ?? [];
    return error ? new GraphQLError(error.message, { extensions: error.extensions ?? null }) : fallback;
  }
}

/** Runs a supergraph behind Apollo Gateway and Apollo Server. With LOG_LEVEL=debug it prints its query plans. */
export async function startApolloGateway(supergraphSdl: string, port = 0) {
  const server = new ApolloServer<Context>({
    gateway: new ApolloGateway({
      supergraphSdl,
      debug: process.env.LOG_LEVEL === 'debug',
      buildService: ({ url = '' }) => new Subgraph({ url }),
    }),
    includeStacktraceInErrorResponses: false,
  });
  const { url } = await startStandaloneServer(server, {
    listen: { port, host: '127.0.0.1' },
    context: async ({ req }) => ({ forwarded: forwardedHeaders(req) }),
  });
  return { url: new URL('/graphql', url).href, close: () => server.stop() };
}

if (import.meta.main) {
  const { url } = await startApolloGateway(await readSupergraph(), portFor('apolloGateway'));
  console.log(`Apollo Gateway: ${url}`);
}
