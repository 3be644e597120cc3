import { type PersistedOperations, persistedDocument } from './persisted-operations.ts';
import type { GatewayPlugin } from './server-context.ts';

/** The body was read, counted and decoded before Yoga; its own parsers would accept forms and quote what they cannot read. */
export function useDecodedBody(): GatewayPlugin {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method === 'POST') setRequestParser(() => serverContext.body as never);
    },
  };
}

/** Puts the registered document in the place of its id. */
export function usePersistedOperations(operations: PersistedOperations): GatewayPlugin {
  return {
    onParams({ params, setParams }) {
      const { documentId: _, ...rest } = Object(params) as typeof params & { documentId?: unknown };
      setParams({ ...rest, query: persistedDocument(Object(params), operations) });
    },
  };
}
