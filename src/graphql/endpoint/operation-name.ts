import type { OperationDefinitionNode } from 'graphql';

/**
 * What the log and the metrics call an operation: its root field, which is a name of the schema. The client chooses the
 * operation's own name, which could be anything.
 */
export function nameOf({ selectionSet }: OperationDefinitionNode): string {
  const [first, ...others] = selectionSet.selections;
  return first?.kind === 'Field' && others.length === 0 ? first.name.value : 'several';
}
