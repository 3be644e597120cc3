import { readFile } from 'node:fs/promises';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { GraphQLError, type GraphQLErrorExtensions } from 'graphql';

interface Context {
  authorization?: string | undefined;
  requestId?: string | undefined;
}

/** What a subgraph answers with when it refuses a whole request (401, 413, 429, 503, …): an error like any other. */
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

  /** Without this, Apollo Gateway makes `401: Unauthorized` with a code of its own of what is not 2xx. */
  override async errorFromResponse(response: Parameters<RemoteGraphQLDataSource['errorFromResponse']>[0]) {
    const fallback = await super.errorFromResponse(response);
    const { body } = fallback.extensions.response as { body?: Refusal };
    const [error] = body?.errors ?? [];
    return error ? new GraphQLError(error.message, { extensions: error.extensions ?? null }) : fallback;
  }
}

/** Runs a supergraph behind Apollo Gateway and Apollo Server. */
export async function startApolloGateway(supergraphSdl: string, port = 4000) {
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
  return { url, close: () => server.stop() };
}

// node examples/apollo-gateway.ts supergraph.graphql
if (import.meta.main) {
  const { url } = await startApolloGateway(await readFile(process.argv[2] ?? 'supergraph.graphql', 'utf8'));
  console.log(`Apollo Gateway: ${url}`);
}
