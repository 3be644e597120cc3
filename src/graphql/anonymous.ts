import { type DocumentNode, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

/** What says nothing of any secret or owner. */
const openFields = new Set(['__typename', '__schema', '__type', '_service']);

/** Whether every root field of an operation is open to callers without credentials. */
export function anonymousMayRun(operation: OperationDefinitionNode, document: DocumentNode): boolean {
  const visited = new Set<string>();
  const isOpen = (selectionSet: SelectionSetNode): boolean =>
    selectionSet.selections.every((selection) => {
      if (selection.kind === Kind.FIELD) return openFields.has(selection.name.value);
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
