import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { rootFieldNames } from './root-fields.ts';

/** Fields that tell nothing about any secret or owner. */
const openFields = new Set(['__typename', '_service']);
const introspectionFields = new Set(['__schema', '__type']);

/**
 * Whether every root field of an operation is open to callers without credentials.
 * @param introspection whether the schema is open to them, too
 */
export function anonymousMayRun(
  operation: OperationDefinitionNode,
  document: DocumentNode,
  introspection: boolean,
): boolean {
  const names = [...rootFieldNames(operation, document)];
  return names.every((name) => openFields.has(name) || (introspection && introspectionFields.has(name)));
}
