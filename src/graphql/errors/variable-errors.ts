import {
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  type GraphQLType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql';
import { expectation, quoted } from './expectation.ts';
import { maxErrors, requestError } from './request-error.ts';

type Variables = Readonly<Record<string, unknown>>;

/**
 * What is wrong with the variables of an operation. The texts are made from names of variables and of the schema, and from
 * indexes of lists. Values are checked, and never printed.
 */
export function variableErrors(schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Variables) {
  const errors: GraphQLError[] = [];
  for (const definition of operation.variableDefinitions ?? []) {
    for (const text of checkVariable(definition, typeFromAST(schema, definition.type), variables)) {
      if (errors.length === maxErrors) return [...errors, requestError('Too many errors in the variables.', {})];
      errors.push(requestError(text, { nodes: [definition] }));
    }
  }
  return errors;
}

function checkVariable(
  definition: VariableDefinitionNode,
  type: GraphQLType | undefined,
  variables: Variables,
): string[] {
  const name = definition.variable.name.value;
  const problems: string[] = [];
  if (!isInputType(type)) return problems;
  if (Object.hasOwn(variables, name)) checkValue(variables[name], type, name, problems);
  else if (isNonNullType(type) && !definition.defaultValue) {
    return [`Variable "$${name}" of required type "${type}" was not provided.`];
  }
  return problems.map((problem) => `Variable "$${name}" got an invalid value at ${problem}`);
}

/** Checks a value as coercion does, up to one problem more than is reported. */
function checkValue(value: unknown, type: GraphQLInputType, path: string, problems: string[]): void {
  if (problems.length > maxErrors) return;
  const add = (problem: string) => problems.push(`"${path}"; ${problem}`);
  if (isNonNullType(type)) {
    if (value == null) add(`Expected type "${type}", found null.`);
    else checkValue(value, type.ofType, path, problems);
  } else if (value == null) {
    return;
  } else if (isListType(type)) {
    if (!Array.isArray(value)) checkValue(value, type.ofType, path, problems);
    else for (const [index, item] of value.entries()) checkValue(item, type.ofType, `${path}[${index}]`, problems);
  } else if (!isInputObjectType(type)) {
    if (!accepts(type, value)) add(expectation(type));
  } else if (typeof value !== 'object' || Array.isArray(value)) {
    add(expectation(type));
  } else {
    const fields = type.getFields();
    for (const { name, type: fieldType, defaultValue } of Object.values(fields)) {
      const fieldValue = (value as Variables)[name];
      if (fieldValue !== undefined) checkValue(fieldValue, fieldType, `${path}.${name}`, problems);
      else if (isNonNullType(fieldType) && defaultValue === undefined) {
        add(`Field "${name}" of required type "${fieldType}" was not provided.`);
      }
    }
    // The key itself is not repeated: where it is no field, it may be a value.
    if (!Object.keys(value).every((key) => Object.hasOwn(fields, key))) {
      add(`It has a field that type "${type}" does not define. Its fields are ${quoted(Object.keys(fields))}.`);
    }
  }
}

function accepts(type: { parseValue(value: unknown): unknown }, value: unknown): boolean {
  try {
    return type.parseValue(value) !== undefined;
  } catch {
    return false;
  }
}
