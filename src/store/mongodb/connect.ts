import { MongoClient, type MongoClientOptions } from 'mongodb';
import { endWritesWithTheirSocket } from './hung-writes.ts';
import { migrate } from './migrations.ts';
import { faultOfStart, notInitiated, standalone, tooOld } from './start-fault.ts';
import { databaseInPath, optionsOf, requireEscaped, unreadable } from './uri.ts';

/** The wire version of MongoDB 6.0 (https://github.com/mongodb/specifications: wireversion-featurelist). */
const wireVersionOf60 = 17;
/** How long it may take to find a server, and to open a connection. */
const reachTimeoutMs = 2500;

const defaultDatabase = 'secrets-gateway';

/** The database that the URI names, or `secrets-gateway` instead of the driver's default `test`. */
export function databaseOf(client: MongoClient, uri: string) {
  return client.db(databaseInPath(uri) === '' ? defaultDatabase : undefined);
}

/** @throws ConfigurationError for a URI that cannot be read */
export function createClient(uri: string, options: MongoClientOptions): MongoClient {
  endWritesWithTheirSocket();
  requireEscaped(uri);
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
  } catch (error) {
    // Without the cause: it may contain the URI, and so a password.
    throw unreadable(error);
  }
}

/** How long the start may take to find a server: what the URI says, if it says it. Later the deadlines of calls come first. */
function startTimeouts(uri: string): MongoClientOptions {
  const inUri = optionsOf(uri);
  const timeouts = ['serverSelectionTimeoutMS', 'connectTimeoutMS'] as const;
  return Object.fromEntries(timeouts.map((name) => [name, positive(inUri.get(name.toLowerCase())) ?? reachTimeoutMs]));
}

function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

/**
 * Checks that the server can hold secrets, and brings its schema up to date. It uses a connection of its own: to build an
 * index over many secrets may take longer than any deadline of a request.
 * @throws ConfigurationError
 */
export async function prepareDatabase(uri: string): Promise<void> {
  const client = createClient(uri, { writeConcern: { w: 'majority', journal: true }, ...startTimeouts(uri) });
  try {
    await client.connect();
    const database = databaseOf(client, uri);
    const hello = await database.admin().command({ hello: 1 });
    if (hello.setName === undefined && hello.msg !== 'isdbgrid')
      throw hello.isreplicaset ? notInitiated() : standalone();
    if (hello.maxWireVersion < wireVersionOf60) throw tooOld();
    await migrate(database);
  } catch (error) {
    throw await faultOfStart(client, uri, error);
  } finally {
    await client.close();
  }
}
