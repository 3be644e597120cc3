import { type DocumentNode, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

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
  const isOpenField = (name: string) => openFields.has(name) || (introspection && introspectionFields.has(name));
  const visited = new Set<string>();
  const isOpen = (selectionSet: SelectionSetNode): boolean =>
    selectionSet.selections.every((selection) => {
      if (selection.kind === Kind.FIELD) return isOpenField(selection.name.value);
      if (selection.kind === Kind.INLINE_FRAGMENT) return isOpen(selection.selectionSet);
      const name = selection.name.value;
      if (visited.has(name)) return true;
      visited.add(name);
      const fragment = document.definitions.find(
        (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name,
      );
      return fragment?.kind === Kind.FRAGMENT_DEFINITION && isOpen(fragment.selectionSet);
    });
  return isOpen(operation.selectionSet);
}
