import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { forwardedHeaders } from './forwarded-headers.ts';
import { portFor } from './ports.ts';
import { readSupergraph } from './supergraph.ts';

/** Runs a supergraph behind Hive Gateway. With LOG_LEVEL=debug it prints each request to a subgraph, with its variables and headers. */
export async function startHiveGateway(supergraph: string, port = 0) {
  const gateway = createGatewayRuntime<{ req: IncomingMessage }>({
    supergraph,
    logging: process.env.LOG_LEVEL === 'debug' ? 'debug' : 'info',
    propagateHeaders: {
      fromClientToSubgraphs: ({ context: { req } }) => (req ? forwardedHeaders(req) : {}),
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

if (import.meta.main) {
  const gateway = await startHiveGateway(await readSupergraph(), portFor('hiveGateway'));
  console.log(`Hive Gateway: ${gateway.url}`);
  // Hive Gateway listens for these signals itself, and then Node no longer ends the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void gateway.close().finally(() => process.exit()));
  }
}
