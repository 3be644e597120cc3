import { type FieldNode, type GraphQLField, getArgumentValues, isNonNullType, Kind, type ValueNode } from 'graphql';

/** How the arguments of a field are made for each execution; null where graphql-js evaluates them each time. */
export type ArgumentsPlan = readonly GivenArgument[] | null;

interface GivenArgument {
  readonly name: string;
  /** The variable whose value it is. */
  readonly variable: string | undefined;
  /** Its value, or the default where its variable has none; undefined for none. */
  readonly value: unknown;
  readonly isNonNull: boolean;
}

type Arguments = Record<string, unknown>;

const none: ArgumentsPlan = [];

export function planArguments(definition: GraphQLField<unknown, unknown>, node: FieldNode): ArgumentsPlan {
  if (definition.args.length === 0) return none;
  const nodes = new Map(node.arguments?.map(({ name, value }) => [name.value, value]));
  const constants = constantsOf(definition, node, nodes);
  if (!constants) return null;
  const given: GivenArgument[] = [];
  for (const { name, type, defaultValue } of definition.args) {
    const valueNode = nodes.get(name);
    const isNonNull = isNonNullType(type);
    if (valueNode?.kind === Kind.VARIABLE) {
      given.push({ name, variable: valueNode.name.value, value: defaultValue, isNonNull });
      continue;
    }
    // An object would be shared by all who execute this, except a default, which graphql-js shares as well.
    const value = constants[name];
    if (valueNode && typeof value === 'object' && value !== null) return null;
    if (value !== undefined) given.push({ name, variable: undefined, value, isNonNull });
  }
  return given;
}

/** The values of the arguments without variables; null where one is not valid, or has a variable inside. */
function constantsOf(
  { args, ...definition }: GraphQLField<unknown, unknown>,
  node: FieldNode,
  nodes: ReadonlyMap<string, ValueNode>,
): Arguments | null {
  const isConstant = (name: string) => nodes.get(name)?.kind !== Kind.VARIABLE;
  const constant = args.filter(({ name }) => isConstant(name));
  if ([...nodes.values()].some((value) => value.kind !== Kind.VARIABLE && hasVariable(value))) return null;
  try {
    return getArgumentValues({ ...definition, args: constant }, node);
  } catch {
    // Each execution reports it, where the field is.
    return null;
  }
}

function hasVariable(value: ValueNode): boolean {
  if (value.kind === Kind.VARIABLE) return true;
  if (value.kind === Kind.LIST) return value.values.some(hasVariable);
  return value.kind === Kind.OBJECT && value.fields.some((field) => hasVariable(field.value));
}

/**
 * The arguments of one execution, in an object of its own, since its resolver may write to it.
 * @throws GraphQLError as graphql-js does
 */
export function argumentsOf(
  plan: ArgumentsPlan,
  definition: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Arguments,
): Arguments {
  if (!plan) return getArgumentValues(definition, node, variables);
  const args: Arguments = {};
  for (const { name, variable, value, isNonNull } of plan) {
    if (variable === undefined) {
      args[name] = value;
      continue;
    }
    const isSent = Object.hasOwn(variables, variable);
    const sent = isSent ? variables[variable] : value;
    const isValid = isSent ? sent !== undefined && !(sent === null && isNonNull) : sent !== undefined || !isNonNull;
    if (!isValid) return getArgumentValues(definition, node, variables);
    if (sent !== undefined) args[name] = sent;
  }
  return args;
}
