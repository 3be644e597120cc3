import type { Document } from 'mongodb';

// Parts of a `$jsonSchema`.

export const text = { bsonType: 'string' };
export const textOrNull = { bsonType: ['string', 'null'] };
export const date = { bsonType: 'date' };
export const dateOrNull = { bsonType: ['date', 'null'] };
export const positive = { bsonType: ['int', 'long'], minimum: 1 };
export const natural = { bsonType: ['int', 'long'], minimum: 0 };

/** An object with exactly these fields. */
export function exactly(properties: Record<string, Document>): Document {
  return { bsonType: 'object', required: Object.keys(properties), additionalProperties: false, properties };
}
