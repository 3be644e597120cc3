import {
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  valueFromAST,
} from 'graphql';

type Variables = Record<string, unknown>;

/**
 * Coerces variables that are exactly of their types, as graphql-js does.
 * @returns null for all others: graphql-js says what is wrong with them, or what it makes of them
 */
export type CoerceVariables = (sent: Readonly<Variables>) => Variables | null;

export function planVariables(
  schema: GraphQLSchema,
  { variableDefinitions }: OperationDefinitionNode,
): CoerceVariables {
  const planned: { name: string; type: GraphQLInputType; defaultOf: (() => unknown) | null }[] = [];
  for (const { variable, type: node, defaultValue } of variableDefinitions ?? []) {
    const type = typeFromAST(schema, node);
    if (!isInputType(type)) return () => null;
    const defaultOf = defaultValue ? () => valueFromAST(defaultValue, type) : null;
    planned.push({ name: variable.name.value, type, defaultOf });
  }
  return (sent) => {
    const coerced: Variables = Object.create(null);
    try {
      for (const { name, type, defaultOf } of planned) {
        if (Object.hasOwn(sent, name)) coerced[name] = coercedValue(sent[name], type);
        else if (defaultOf) coerced[name] = defaultOf();
        else if (isNonNullType(type)) return null;
      }
      return coerced;
    } catch {
      return null;
    }
  };
}

/** Thrown, and never told. */
const notOfItsType = new Error('a variable is not exactly of its type');

function coercedValue(value: unknown, type: GraphQLInputType): unknown {
  if (isNonNullType(type)) {
    if (value == null) throw notOfItsType;
    return coercedValue(value, type.ofType);
  }
  if (value == null) return null;
  if (isListType(type)) {
    if (!Array.isArray(value)) throw notOfItsType;
    const { ofType } = type;
    return Array.from(value, (item) => coercedValue(item, ofType));
  }
  if (isInputObjectType(type)) return coercedObject(value, type);
  const parsed = type.parseValue(value);
  if (parsed === undefined) throw notOfItsType;
  return parsed;
}

const fieldLists = new WeakMap<GraphQLInputObjectType, readonly GraphQLInputField[]>();

function listOf(type: GraphQLInputObjectType): readonly GraphQLInputField[] {
  const before = fieldLists.get(type);
  if (before) return before;
  const fields = Object.values(type.getFields());
  fieldLists.set(type, fields);
  return fields;
}

function coercedObject(value: unknown, type: GraphQLInputObjectType): Variables {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || type.isOneOf) throw notOfItsType;
  const fields = type.getFields();
  for (const name in value) if (!Object.hasOwn(fields, name)) throw notOfItsType;
  const coerced: Variables = {};
  for (const { name, type: fieldType, defaultValue } of listOf(type)) {
    const sent = (value as Variables)[name];
    if (sent !== undefined) coerced[name] = coercedValue(sent, fieldType);
    else if (defaultValue !== undefined) coerced[name] = defaultValue;
    else if (isNonNullType(fieldType)) throw notOfItsType;
  }
  return coerced;
}
