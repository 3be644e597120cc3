import { date, dateOrNull, exactly, natural, oneOf, positive, text, textOrNull } from './bson-types.ts';

/** A `kid` or a MAC: never empty, so that nothing is stored without. */
const named = { ...text, minLength: 1 };
const mac = exactly({ kid: named, tag: named });

const envelope = exactly({
  protected: text,
  header: exactly({ alg: text, kid: text }),
  encrypted_key: text,
  iv: text,
  ciphertext: text,
  tag: text,
});

const sealedFields = { version: positive, number: positive, tag: text, setAt: date, setBy: text, envelope };
const sealed = exactly(sealedFields);

const auditFields = {
  _id: { bsonType: 'objectId' },
  owner: text,
  sequence: positive,
  type: text,
  actor: exactly({ kind: text, id: text }),
  requestId: text,
  at: date,
  recordMac: textOrNull,
  previousHash: text,
  kid: named,
  hash: named,
};

const secretFields = {
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
  createdBy: text,
  updatedBy: text,
  mac,
  sealed: { oneOf: [{ bsonType: 'null' }, sealed] },
};

/**
 * `$jsonSchema` by collection, as version 14 of the schema, the first that was released, has it. Each allows exactly its fields, so that the server refuses a
 * value in clear whatever code comes to write here. Once released it is never changed: a later migration sets one of its own.
 */
export const validators = {
  secrets: exactly(secretFields),
  deletedSecrets: exactly({ ...secretFields, deletedAt: date, deletedBy: text }),
  secretIds: exactly({ _id: text, owner: text }),
  owners: exactly({
    _id: text,
    count: natural,
    revision: positive,
    auditSequence: positive,
    auditHash: named,
    auditLatestAt: date,
    auditMaxLagMs: natural,
  }),
  audit: {
    oneOf: [
      exactly(
        { ...auditFields, secretId: text, version: positive, secretName: named },
        { purpose: named, method: named, origin: named },
      ),
      exactly({ ...auditFields, apiKeyId: text }),
    ],
  },
  apiKeys: exactly({
    _id: text,
    owner: text,
    id: text,
    connectorId: textOrNull,
    name: { ...text, minLength: 1 },
    prefix: text,
    scopes: { bsonType: 'array', items: text },
    createdAt: date,
    createdBy: exactly({ kind: text, id: text }),
    expiresAt: dateOrNull,
    lastUsedAt: dateOrNull,
    revokedAt: dateOrNull,
    mac,
  }),
  nonces: exactly({ _id: text, keptUntil: date }),
  secretVersions: exactly({ _id: text, owner: text, secretId: text, maskedValue: textOrNull, sealed, mac }),
  keptResults: exactly({
    _id: named,
    principal: named,
    input: named,
    secretId: textOrNull,
    result: textOrNull,
    keptUntil: date,
    mac: named,
  }),
};

const digest = exactly({ kid: named, digest: named, mac: named });

const secretFieldsWithDigest = {
  ...secretFields,
  sealed: { oneOf: [{ bsonType: 'null' }, exactly(sealedFields, { digest })] },
};

/** Of `secrets` from version 16 on: a current value may have a digest. */
export const secretsWithDigests = exactly(secretFieldsWithDigest);

/** As version 18 has them. A document without what is optional stays as it is. */
export const validatorsWithDestination = {
  secrets: exactly(secretFieldsWithDigest, { expiresAt: date, destination: named, lastUsedAt: date }),
  deletedSecrets: exactly(
    { ...secretFields, deletedAt: date, deletedBy: text },
    { expiresAt: date, destination: named, lastUsedAt: date },
  ),
  secretVersions: exactly(
    { _id: text, owner: text, secretId: text, maskedValue: textOrNull, sealed, mac },
    { destination: named },
  ),
};

/** As version 17 has them. A document without `expiresAt` stays as it is. */
export const validatorsWithExpiry = {
  secrets: exactly(secretFieldsWithDigest, { expiresAt: date }),
  deletedSecrets: exactly({ ...secretFields, deletedAt: date, deletedBy: text }, { expiresAt: date }),
};

/** The values are those of its version: what is added to the model later needs a version of its own. */
const health = exactly({
  status: oneOf(['VALID', 'REJECTED', 'RATE_LIMITED', 'UNREACHABLE']),
  checkedAt: date,
  source: oneOf(['CHECK', 'USE']),
});

const optionalWithHealth = { expiresAt: date, destination: named, lastUsedAt: date, lastUsedDay: date, health };

/** As version 20 has them. A document without health stays as it is. */
export const validatorsWithHealth = {
  secrets: exactly(secretFieldsWithDigest, optionalWithHealth),
  deletedSecrets: exactly({ ...secretFields, deletedAt: date, deletedBy: text }, optionalWithHealth),
};
