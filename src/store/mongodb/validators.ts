import { date, exactly, natural, positive, text } from './bson-types.ts';
import { secretFields } from './documents.ts';

const envelope = exactly({
  protected: text,
  header: exactly({ alg: text, kid: text }),
  encrypted_key: text,
  iv: text,
  ciphertext: text,
  tag: text,
});

/**
 * `$jsonSchema` by collection. Each allows exactly its fields, so that the server refuses a value in clear whatever code
 * comes to write here.
 */
export const validators = {
  secrets: exactly({
    _id: text,
    owner: text,
    ...secretFields,
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
    actor: exactly({ kind: text, id: text }),
    requestId: text,
    at: date,
    previousHash: text,
    hash: text,
  }),
};
