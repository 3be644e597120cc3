import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import type { GraphQLContext } from '../schema/builder.ts';

/** Quotes, colon, comma and braces around a field. */
const aroundField = 6;
const aroundItem = 3;
/** A number, true, false or null. */
const shortValue = 5;
const dateTime = 26;
/** Shorter text grows too little to matter when it is escaped. */
const longText = 256;

/** Counts the size of an answer while its fields are resolved, except `__typename`, which is no field of a type. */
export function countingAnswers(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) field.resolve = counting(field);
  }
  return schema;
}

function counting({
  resolve = defaultFieldResolver,
}: GraphQLField<unknown, GraphQLContext>): GraphQLFieldResolver<unknown, GraphQLContext> {
  return (source, args, context, info) => {
    const value = resolve(source, args, context, info);
    context.answer.count(aroundField + String(info.path.key).length + sizeOf(value));
    return value;
  };
}

/** Of objects, whose fields are counted when they are resolved, only the braces. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return sizeOfText(value);
  if (Array.isArray(value)) {
    return value.reduce((sum: number, item) => sum + aroundItem + (typeof item === 'string' ? sizeOfText(item) : 0), 0);
  }
  return value instanceof Date ? dateTime : shortValue;
}

function sizeOfText(text: string): number {
  return Buffer.byteLength(text.length < longText ? text : JSON.stringify(text));
}
