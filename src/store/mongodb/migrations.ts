import { setTimeout } from 'node:timers/promises';
import { type Db, type Document, type IndexDescription, MongoServerError } from 'mongodb';
import { tooNew, tooOld } from '../schema-version.ts';
import {
  secretsWithDigests,
  validators,
  validatorsWithDestination,
  validatorsWithExpiry,
  validatorsWithHealth,
} from './validators.ts';

/** What callers have used of their rate limits, in the form of rate-limiter-flexible. */
export const rateLimitCollection = 'rateLimits';

/**
 * By name, as a violation reports it. Unique indexes are in the order in which a write is checked against them.
 * Each begins with the owner, so that an owner's documents lie together. Nonces have no owner: the server removes them.
 */
const indexes = {
  secrets: [
    { name: 'owner_name', key: { owner: 1, name: 1 }, unique: true },
    { name: 'owner_placeholder', key: { owner: 1, placeholder: 1 }, unique: true },
    { name: 'owner_tags_name', key: { owner: 1, tags: 1, name: 1 } },
    { name: 'owner_provider_name', key: { owner: 1, provider: 1, name: 1 } },
  ],
  secretIds: [],
  deletedSecrets: [{ name: 'owner_name_id', key: { owner: 1, name: 1, _id: 1, deletedAt: 1 } }],
  owners: [],
  audit: [
    { name: 'owner_sequence', key: { owner: 1, sequence: 1 }, unique: true },
    { name: 'owner_secretId_sequence', key: { owner: 1, secretId: 1, sequence: 1 } },
  ],
  nonces: [{ name: 'keptUntil', key: { keptUntil: 1 }, expireAfterSeconds: 0 }],
  secretVersions: [{ name: 'owner_secretId_version', key: { owner: 1, secretId: 1, 'sealed.version': 1 } }],
  keptResults: [
    { name: 'secretId', key: { secretId: 1 } },
    { name: 'principal', key: { principal: 1 } },
    { name: 'keptUntil', key: { keptUntil: 1 }, expireAfterSeconds: 0 },
  ],
  apiKeys: [
    { name: 'owner_id', key: { owner: 1, id: 1 } },
    { name: 'owner_name_id', key: { owner: 1, name: 1, id: 1 } },
  ],
} as const satisfies Record<string, IndexDescription[]>;

/**
 * One step per version, forward only: a released step is never changed, and new steps are added at the end. Gateways that
 * start at once run the same step at once, so each step must be safe to run twice and in parallel.
 */
export const migrations: readonly ((database: Db) => Promise<void>)[] = [
  async (database) => {
    for (const collection of [
      'secrets',
      'secretIds',
      'deletedSecrets',
      'owners',
      'audit',
      'apiKeys',
      'nonces',
      'secretVersions',
      'keptResults',
    ] as const) {
      await ensureCollection(database, collection, validators[collection]);
      const wanted: readonly IndexDescription[] = indexes[collection];
      if (wanted.length > 0) await database.collection(collection).createIndexes([...wanted]);
    }
  },
  async (database) => {
    await database.collection(rateLimitCollection).createIndexes([
      { name: 'key', key: { key: 1 }, unique: true },
      { name: 'expire', key: { expire: 1 }, expireAfterSeconds: 0 },
    ]);
  },
  async (database) => {
    await ensureCollection(database, 'secrets', secretsWithDigests);
    const byDigest = { name: 'owner_digest', key: { owner: 1, 'sealed.digest.digest': 1 } };
    await database.collection('secrets').createIndexes([byDigest]);
  },
  async (database) => {
    for (const [collection, validator] of Object.entries(validatorsWithExpiry)) {
      await ensureCollection(database, collection, validator);
    }
    await database.collection('secrets').createIndexes([
      {
        name: 'owner_name_expiresAt',
        key: { owner: 1, name: 1, expiresAt: 1 },
        partialFilterExpression: { expiresAt: { $exists: true } },
      },
      // Not in the order of lists: few secrets match, or a page of them is found soon by their names. The server tries both.
      { name: 'owner_updatedAt_name', key: { owner: 1, updatedAt: 1, name: 1 } },
      {
        name: 'owner_name_withoutValue',
        key: { owner: 1, name: 1 },
        partialFilterExpression: { sealed: { $type: 'null' } },
      },
    ]);
  },
  async (database) => {
    for (const [collection, validator] of Object.entries(validatorsWithDestination)) {
      await ensureCollection(database, collection, validator);
    }
  },
  async (database) => {
    // By type, among all that was done to a secret: all types but that of uses, which are nearly all of the events of a secret that is used.
    await database.collection('audit').createIndexes([
      {
        name: 'owner_secretId_type_sequence',
        key: { owner: 1, secretId: 1, type: 1, sequence: 1 },
        partialFilterExpression: { secretId: { $exists: true }, type: { $lt: 'secret.used' } },
      },
    ]);
  },
  async (database) => {
    for (const [collection, validator] of Object.entries(validatorsWithHealth)) {
      await ensureCollection(database, collection, validator);
    }
    await database.collection('secrets').createIndexes([
      {
        name: 'owner_health_name',
        key: { owner: 1, 'health.status': 1, name: 1 },
        partialFilterExpression: { 'health.status': { $exists: true } },
      },
      // Not in the order of lists, as that of `updatedAt`.
      { name: 'owner_lastUsedDay_name', key: { owner: 1, lastUsedDay: 1, name: 1 } },
    ]);
  },
];

/** Databases of versions before this one were made by commits that were never released. */
const firstVersion = 14;

interface SchemaDocument {
  _id: 'schema';
  version: number;
}

/**
 * Brings the database to the newest version.
 * @param steps after which the database has its newest version
 * @throws ConfigurationError when the database is older than the first release, or newer than this gateway
 */
export async function migrate(database: Db, steps: typeof migrations = migrations): Promise<void> {
  const schema = database.collection<SchemaDocument>('schema');
  const version = (await schema.findOne({ _id: 'schema' }))?.version ?? 0;
  const newestVersion = firstVersion + steps.length - 1;
  if (version > newestVersion) throw tooNew(version, newestVersion);
  if (version > 0 && version < firstVersion) throw tooOld(version);
  for (const [index, migration] of steps.entries()) {
    if (firstVersion + index <= version) continue;
    await whileOthersMigrate(() => migration(database));
    // $max: a gateway that lags behind another does not set the version back.
    await whileOthersMigrate(() =>
      schema.updateOne({ _id: 'schema' }, { $max: { version: firstVersion + index } }, { upsert: true }),
    );
  }
}

/** Also sets the validator of a collection that another gateway made. */
async function ensureCollection(database: Db, name: string, validator: Document): Promise<void> {
  const options = { validator: { $jsonSchema: validator }, validationLevel: 'strict', validationAction: 'error' };
  try {
    await database.createCollection(name, options);
  } catch (error) {
    if (codeOf(error) !== namespaceExists) throw error;
    await database.command({ collMod: name, ...options });
  }
}

const namespaceExists = 48;
/** WriteConflict, ConflictingOperationInProgress, duplicate key, BackgroundOperationInProgress: another gateway runs the step. */
const conflicts: readonly unknown[] = [112, 117, 11000, 12586, 12587];
const maxAttempts = 20;

async function whileOthersMigrate(step: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await step();
      return;
    } catch (error) {
      if (attempt === maxAttempts || !conflicts.includes(codeOf(error))) throw error;
      await setTimeout(50 + Math.random() * 200);
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof MongoServerError ? error.code : undefined;
}
