import { ConfigurationError } from '../errors.ts';
import { parseDatabaseUrl } from '../store/database-url.ts';

/**
 * The file of the SQLite database that DATABASE_URL names.
 * @param onMongodb what to do where it names a MongoDB
 * @throws ConfigurationError
 */
export function sqlitePath(databaseUrl: string, onMongodb: string): string {
  const named = parseDatabaseUrl(databaseUrl);
  if (named.kind === 'mongodb') throw new ConfigurationError(`DATABASE_URL names a MongoDB. ${onMongodb}`);
  if (named.path === ':memory:') {
    throw new ConfigurationError('DATABASE_URL names a database in memory. Set it as for the gateway: sqlite:PATH');
  }
  return named.path;
}
