import { type GraphQLSchema, isObjectType } from 'graphql';
import { type Watch, watchedResolver } from '../engine/watched-resolver.ts';
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
    for (const field of Object.values(type.getFields())) {
      const isSealed = sealedTexts.has(`${type.name}.${field.name}`);
      field.resolve = watchedResolver(field.resolve, isSealed ? watchSealed : watch);
    }
  }
  return schema;
}

/**
 * A sealed value is one text, and its characters need no escapes. As many bytes of short fields take several times the memory,
 * so it counts a part of its length: the values that one request may have delivered fit, and leave room for half as much
 * besides.
 */
const sealedTexts: ReadonlySet<string> = new Set(['Delivery.jwe']);
const sealedPart = 1 / 4;

const watch: Watch<GraphQLContext> = (value, { answer }, key) => answer.count(aroundField + key.length + sizeOf(value));

const watchSealed: Watch<GraphQLContext> = (value, { answer }, key) =>
  answer.count(aroundField + key.length + Math.ceil(String(value).length * sealedPart));

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
