import {
  type FieldNode,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';
import { maxSecrets } from '../../delivery/requested-secrets.ts';
import { maxProviders } from '../../model/provider.ts';
import { keptValues } from '../../model/secret-version.ts';
import { defaultPageSize, maxPageSize } from '../../rules/page.ts';
import { maxBatch } from '../../secrets/batch-input.ts';
import { maxMatches } from '../../secrets/matches-secret.ts';

/** What the sizes of lists depend on besides the document. */
export interface ListSizes {
  readonly schema: GraphQLSchema;
  /** As they were sent. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** How many teams the caller is in. */
  readonly teams: number;
}

/** The values that an operation's variables have when it is executed, as far as sizes depend on them. */
export class VariableValues {
  readonly #operation: OperationDefinitionNode;
  readonly #sizes: ListSizes;
  readonly #coerced = new Map<string, unknown>();

  constructor(operation: OperationDefinitionNode, sizes: ListSizes) {
    this.#operation = operation;
    this.#sizes = sizes;
  }

  /** As it was sent. */
  sent(name: string): unknown {
    return Object.hasOwn(this.#sizes.variables, name) ? this.#sizes.variables[name] : undefined;
  }

  /** Undefined for a variable without a value, and for one whose value is refused before the operation is executed. */
  get(name: string): unknown {
    if (!this.#coerced.has(name)) this.#coerced.set(name, this.#coerce(name));
    return this.#coerced.get(name);
  }

  /** As graphql-js does it: with defaults, single values as lists, and null for what was sent as null. */
  #coerce(name: string): unknown {
    const definitions = this.#operation.variableDefinitions ?? [];
    const ofThisName = definitions.filter(({ variable }) => variable.name.value === name);
    const { schema, variables } = this.#sizes;
    const { coerced = {} } = getVariableValues(schema, ofThisName, variables, { maxErrors: 0 });
    // A variable may be called like a property of every object.
    return Object.hasOwn(coerced, name) ? coerced[name] : undefined;
  }
}

/** The fields that read a page of a list. */
export const pagedLists: ReadonlySet<string> = new Set(['secrets', 'deletedSecrets', 'apiKeys', 'auditEvents']);

/** A list without pages, which is read once for each object that has it. */
export const versionsList = 'versions';

/** A list without pages, at the root. */
export const matchesList = 'matchesSecret';

/** All that there are, at the root. */
const providersList = 'providers';

/** How many items a page or a batch may have, or how many secrets a delivery. */
export function sizeOfList(field: FieldNode, variables: VariableValues): number {
  if (field.name.value === 'resolveSecrets') return sizeOfDelivery(field, variables);
  if (field.name.value === 'createSecrets') return sizeOfBatch(field, 'secrets', variables);
  if (field.name.value === 'duplicateSecrets') return sizeOfBatch(field, 'names', variables);
  if (!pagedLists.has(field.name.value)) return 1;
  const size = argument(field, 'first', variables) ?? argument(field, 'last', variables);
  if (typeof size !== 'number') return defaultPageSize;
  // A larger page is refused by the list itself, which tells the rule.
  return Math.min(Math.max(0, size), maxPageSize);
}

/** How many objects a field may return. */
export function timesReturned(
  field: FieldNode,
  listSize: number,
  variables: VariableValues,
  sizes: Pick<ListSizes, 'teams'>,
): number {
  const name = field.name.value;
  if (name === 'nodes' || name === 'edges' || name === 'deliveries' || name === 'items') return listSize;
  if (name === 'teams') return sizes.teams;
  if (name === matchesList) return maxMatches;
  if (name === providersList) return maxProviders;
  if (name === versionsList) {
    const first = argument(field, 'first', variables);
    return typeof first === 'number' ? Math.min(Math.max(0, first), keptValues) : keptValues;
  }
  if (name !== '_entities') return 1;
  const representations = argument(field, 'representations', variables);
  return Array.isArray(representations) ? representations.length : 1;
}

/** How many secrets are asked for, with doubles; without any list it may be as many as can be delivered. */
function sizeOfDelivery(field: FieldNode, variables: VariableValues): number {
  const asked = field.arguments?.find(({ name }) => name.value === 'input')?.value;
  const lists = ['names', 'placeholders', 'ids'].map((name) => member(asked, name, variables));
  if (lists.every((list) => list == null)) return maxSecrets;
  const sizes = lists.map((list) => (Array.isArray(list) ? list.length : Number(list != null)));
  return Math.min(
    sizes.reduce((sum, size) => sum + size, 0),
    maxSecrets,
  );
}

/**
 * How many items a batch has; without a list it may be as many as can be written. A list in a variable is counted as it was
 * sent: to coerce a batch takes milliseconds.
 */
function sizeOfBatch(field: FieldNode, list: string, variables: VariableValues): number {
  const asked = field.arguments?.find(({ name }) => name.value === 'input')?.value;
  const items =
    asked?.kind === Kind.VARIABLE ? Object(variables.sent(asked.name.value))[list] : member(asked, list, variables);
  return Array.isArray(items) ? Math.min(items.length, maxBatch) : maxBatch;
}

/** A member of an input object; null when it is not there. */
function member(input: ValueNode | undefined, name: string, variables: VariableValues): unknown {
  if (input?.kind === Kind.VARIABLE) return Object(variables.get(input.name.value))[name];
  if (input?.kind !== Kind.OBJECT) return null;
  const value = input.fields.find((one) => one.name.value === name)?.value;
  if (value?.kind === Kind.VARIABLE) return variables.get(value.name.value);
  if (value === undefined || value.kind === Kind.NULL) return null;
  return value.kind === Kind.LIST ? value.values : value;
}

/** An argument as far as it can influence a size: a whole number, or a list of anything. */
function argument(field: FieldNode, name: string, variables: VariableValues): unknown {
  const value: ValueNode | undefined = field.arguments?.find((candidate) => candidate.name.value === name)?.value;
  if (value?.kind === Kind.VARIABLE) return variables.get(value.name.value) ?? undefined;
  if (value?.kind === Kind.INT) return Number(value.value);
  return value?.kind === Kind.LIST ? value.values : undefined;
}
