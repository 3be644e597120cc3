import { MongoClient, type MongoClientOptions, MongoCompatibilityError, MongoServerError } from 'mongodb';
import { ConfigurationError } from '../../errors.ts';
import { endWritesWithTheirSocket } from './hung-writes.ts';
import { migrate } from './migrations.ts';

/** The wire version of MongoDB 6.0 (https://github.com/mongodb/specifications: wireversion-featurelist). */
const wireVersionOf60 = 17;
/** How long it may take to find a server, and to open a connection. */
const reachTimeoutMs = 2500;

const defaultDatabase = 'secrets-gateway';

/** The database that the URI names, or `secrets-gateway` instead of the driver's default `test`. */
export function databaseOf(client: MongoClient, uri: string) {
  const isNamed = /^mongodb(?:\+srv)?:\/\/[^/]+\/[^?]/.test(uri);
  return client.db(isNamed ? undefined : defaultDatabase);
}

export function createClient(uri: string, options: MongoClientOptions): MongoClient {
  endWritesWithTheirSocket();
  try {
    return new MongoClient(uri, {
      appName: 'secrets-gateway',
      serverSelectionTimeoutMS: reachTimeoutMs,
      connectTimeoutMS: reachTimeoutMs,
      readPreference: 'primary',
      readConcern: { level: 'majority' },
      // Everything was written by a gateway, which refuses ill-formed text.
      enableUtf8Validation: false,
      ...options,
    });
  } catch {
    // Without the cause: it may contain the URI, and so a password.
    throw new ConfigurationError('DATABASE_URL is not a MongoDB connection string. Set it to mongodb://HOST/DATABASE.');
  }
}

/**
 * Checks that the server can hold secrets, and brings its schema up to date. It uses a connection of its own: to build an
 * index over many secrets may take longer than any deadline of a request.
 * @throws ConfigurationError
 */
export async function prepareDatabase(uri: string): Promise<void> {
  const client = createClient(uri, { writeConcern: { w: 'majority', journal: true } });
  try {
    await client.connect();
    const database = databaseOf(client, uri);
    const hello = await database.admin().command({ hello: 1 });
    if (hello.setName === undefined && hello.msg !== 'isdbgrid') {
      throw new ConfigurationError(
        'DATABASE_URL: the MongoDB server is standalone, and has no transactions. Name a replica set (a single member ' +
          'is enough: start mongod with --replSet rs0 and run rs.initiate() once) or a mongos.',
      );
    }
    if (hello.maxWireVersion < wireVersionOf60) throw tooOld();
    await migrate(database);
  } catch (error) {
    throw asConfigurationError(error);
  } finally {
    await client.close();
  }
}

function asConfigurationError(error: unknown): ConfigurationError {
  if (error instanceof ConfigurationError) return error;
  if (error instanceof MongoCompatibilityError) return tooOld();
  if (error instanceof MongoServerError) {
    const refused = error.code === 18 ? 'the user or the password' : `a command (${error.codeName ?? error.code})`;
    return new ConfigurationError(
      `DATABASE_URL: MongoDB refused ${refused}. Name a user with the role readWrite and dbAdmin on the database.`,
      { cause: error },
    );
  }
  return new ConfigurationError(
    `DATABASE_URL: no MongoDB primary answered within ${reachTimeoutMs} ms. ` +
      'Check the hosts, the port and that the replica set has a primary.',
    { cause: error },
  );
}

function tooOld(): ConfigurationError {
  return new ConfigurationError('DATABASE_URL: the MongoDB server is older than 6.0. Upgrade it.');
}
