import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';

/** Runs a supergraph behind Hive Gateway. */
export async function startHiveGateway(supergraph: string, port = 4000) {
  const gateway = createGatewayRuntime({
    supergraph,
    // X-Request-Id is passed on, and made where there is none, without being asked for.
    propagateHeaders: {
      fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') }),
    },
  });
  const server = createServer(gateway);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await gateway[Symbol.asyncDispose]();
    },
  };
}

// node examples/hive-gateway.ts supergraph.graphql
if (import.meta.main) {
  const { url } = await startHiveGateway(await readFile(process.argv[2] ?? 'supergraph.graphql', 'utf8'));
  console.log(`Hive Gateway: ${url}`);
}
