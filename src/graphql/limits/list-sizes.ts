import { type FieldNode, Kind, type OperationDefinitionNode, type ValueNode } from 'graphql';
import { defaultPageSize, maxPageSize } from '../../rules/page.ts';

type Variables = Readonly<Record<string, unknown>>;

/** What the sizes of lists depend on besides the document. */
export interface ListSizes {
  readonly variables: Variables;
  /** How many teams the caller is in. */
  readonly teams: number;
}

/** How many secrets a page may have. */
export function sizeOfList(field: FieldNode, { variables }: ListSizes): number {
  if (field.name.value !== 'secrets') return 1;
  const size = argument(field, 'first', variables) ?? argument(field, 'last', variables);
  if (typeof size !== 'number') return defaultPageSize;
  // A larger page is refused by the list itself, which tells the rule.
  return Math.min(Math.max(0, size), maxPageSize);
}

/** How many objects a field may return. */
export function timesReturned(field: FieldNode, listSize: number, { variables, teams }: ListSizes): number {
  const name = field.name.value;
  if (name === 'nodes' || name === 'edges') return listSize;
  if (name === 'teams') return teams;
  if (name !== '_entities') return 1;
  const representations = argument(field, 'representations', variables);
  return Array.isArray(representations) ? representations.length : 1;
}

/** An argument as far as it can influence a size: a whole number, or a list of anything. */
function argument(field: FieldNode, name: string, variables: Variables): unknown {
  const value: ValueNode | undefined = field.arguments?.find((candidate) => candidate.name.value === name)?.value;
  return value?.kind === Kind.VARIABLE ? (variables[value.name.value] ?? undefined) : literal(value);
}

function literal(value: ValueNode | undefined): unknown {
  if (value?.kind === Kind.INT) return Number(value.value);
  if (value?.kind === Kind.LIST) return value.values;
  return undefined;
}

export function withDefaults(operation: OperationDefinitionNode, variables: Variables): Variables {
  const defaults = operation.variableDefinitions?.map(({ variable, defaultValue }) => [
    variable.name.value,
    literal(defaultValue),
  ]);
  return { ...Object.fromEntries(defaults ?? []), ...variables };
}
