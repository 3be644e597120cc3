import { type PersistedOperations, persistedDocument } from './persisted-operations.ts';
import type { GatewayPlugin } from './server-context.ts';

/** Replaces an id with its registered document. */
export function usePersistedOperations(operations: PersistedOperations): GatewayPlugin {
  return {
    onParams({ params, setParams }) {
      const { documentId, ...rest } = params as typeof params & { documentId?: unknown };
      setParams({ ...rest, query: persistedDocument({ ...rest, documentId }, operations) });
    },
  };
}
