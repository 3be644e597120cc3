import type { Document } from 'mongodb';

// Parts of a `$jsonSchema`.

export const text = { bsonType: 'string' };
export const textOrNull = { bsonType: ['string', 'null'] };
export const date = { bsonType: 'date' };
export const dateOrNull = { bsonType: ['date', 'null'] };
export const positive = { bsonType: ['int', 'long'], minimum: 1 };
export const natural = { bsonType: ['int', 'long'], minimum: 0 };

export const oneOf = (values: readonly string[]) => ({ ...text, enum: [...values] });

/** An object with exactly these fields, and perhaps some of the optional ones. */
export function exactly(required: Record<string, Document>, optional: Record<string, Document> = {}): Document {
  const properties = { ...required, ...optional };
  return { bsonType: 'object', required: Object.keys(required), additionalProperties: false, properties };
}
