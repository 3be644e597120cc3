import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { GraphQLError, type GraphQLErrorExtensions } from 'graphql';
import { portFor } from './ports.ts';
import { readSupergraph } from './supergraph.ts';

interface Context {
  authorization?: string | undefined;
  requestId?: string | undefined;
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
    // The context is empty while the gateway starts.
    if (context.authorization) request.http?.headers.set('authorization', context.authorization);
    if (context.requestId) request.http?.headers.set('x-request-id', context.requestId);
  }

  /** Without this, Apollo Gateway replaces the error of an answer that is not 2xx with `401: Unauthorized` and a code of its own. */
  override async errorFromResponse(response: Parameters<RemoteGraphQLDataSource['errorFromResponse']>[0]) {
    const fallback = await super.errorFromResponse(response);
    const { body } = fallback.extensions.response as { body?: Refusal };
    const [error] = body?.errors ?? [];
    return error ? new GraphQLError(error.message, { extensions: error.extensions ?? null }) : fallback;
  }
}

/** Runs a supergraph behind Apollo Gateway and Apollo Server. */
export async function startApolloGateway(supergraphSdl: string, port = 0) {
  const server = new ApolloServer<Context>({
    gateway: new ApolloGateway({ supergraphSdl, buildService: ({ url = '' }) => new Subgraph({ url }) }),
    includeStacktraceInErrorResponses: false,
  });
  const { url } = await startStandaloneServer(server, {
    listen: { port, host: '127.0.0.1' },
    context: async ({ req }) => ({
      authorization: req.headers.authorization,
      requestId: req.headers['x-request-id']?.toString(),
    }),
  });
  return { url: new URL('/graphql', url).href, close: () => server.stop() };
}

if (import.meta.main) {
  const { url } = await startApolloGateway(await readSupergraph(), portFor('apolloGateway'));
  console.log(`Apollo Gateway: ${url}`);
}
