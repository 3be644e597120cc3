import { type GraphQLInputType, getNamedType, isEnumType, isInputObjectType } from 'graphql';

const accepted: Readonly<Record<string, string>> = {
  Int: 'a whole number of at most 32 bits',
  Float: 'a number',
  String: 'a string',
  Boolean: 'true or false',
  ID: 'a string or a whole number',
  DateTime: 'a moment, such as "2026-04-15T12:00:00Z"',
};

/** What a value of this type must be. The text is made from the schema only, so that no value that was sent can be in it. */
export function expectation(inputType: GraphQLInputType): string {
  const type = getNamedType(inputType);
  if (isInputObjectType(type)) return `Expected type "${type.name}" to be an object.`;
  const what = isEnumType(type) ? `one of ${quoted(type.getValues().map(({ name }) => name))}` : accepted[type.name];
  return what === undefined ? `Expected type "${type.name}".` : `Expected type "${type.name}": ${what}.`;
}

export function quoted(schemaNames: readonly string[]): string {
  return schemaNames.map((name) => `"${name}"`).join(', ');
}
