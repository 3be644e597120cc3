import { ConfigurationError } from '../errors.ts';

/** The database was made by a newer gateway. */
export function tooNew(version: number, newest: number): ConfigurationError {
  return new ConfigurationError(
    `DATABASE_URL: the database has schema version ${version}, and this gateway knows versions up to ${newest}. Run the newer gateway again.`,
  );
}

/** The database was made before the first release, by a commit from which nothing is migrated. */
export function tooOld(version: number): ConfigurationError {
  return new ConfigurationError(
    `DATABASE_URL: the database has schema version ${version}, from before the first release, and cannot be migrated. Set DATABASE_URL to a new database, and move the old one away or drop it.`,
  );
}
