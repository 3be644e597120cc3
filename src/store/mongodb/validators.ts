import type { Document } from 'mongodb';

const text = { bsonType: 'string' };
const textOrNull = { bsonType: ['string', 'null'] };
const date = { bsonType: 'date' };
const positive = { bsonType: ['int', 'long'], minimum: 1 };
const natural = { bsonType: ['int', 'long'], minimum: 0 };

/** Exactly these fields: there is no place for a value in clear, whatever code comes to write here. */
function exactly(properties: Record<string, Document>): Document {
  return { bsonType: 'object', required: Object.keys(properties), additionalProperties: false, properties };
}

const envelope = exactly({
  protected: text,
  header: exactly({ alg: text, kid: text }),
  encrypted_key: text,
  iv: text,
  ciphertext: text,
  tag: text,
});

/** `$jsonSchema` by collection. */
export const validators = {
  secrets: exactly({
    _id: text,
    owner: text,
    name: { ...text, minLength: 1 },
    placeholder: text,
    provider: textOrNull,
    notes: textOrNull,
    tags: { bsonType: 'array', items: text },
    maskedValue: textOrNull,
    version: positive,
    createdAt: date,
    updatedAt: date,
    sealed: { oneOf: [{ bsonType: 'null' }, exactly({ version: positive, envelope })] },
  }),
  owners: exactly({ _id: text, count: natural, revision: positive, auditSequence: positive, auditHash: text }),
  audit: exactly({
    _id: { bsonType: 'objectId' },
    owner: text,
    sequence: positive,
    type: text,
    secretId: text,
    version: positive,
    actor: text,
    requestId: text,
    at: date,
    previousHash: text,
    hash: text,
  }),
};
