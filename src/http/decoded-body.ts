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
    onParams({ request, params, setParams }) {
      // Yoga's own parser of URLs leaves the id out.
      const inUrl = request.method === 'GET' ? new URL(request.url).searchParams.get('documentId') : undefined;
      const { documentId = inUrl, ...rest } = Object(params) as typeof params & { documentId?: unknown };
      setParams({ ...rest, query: persistedDocument({ ...rest, documentId }, operations) });
    },
  };
}
