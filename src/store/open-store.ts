import { existsSync } from 'node:fs';
import { ConfigurationError } from '../errors.ts';
import { parseDatabaseUrl } from './database-url.ts';
import type { Store } from './store.ts';
import type { StoreOptions } from './store-options.ts';

/**
 * Opens the store that DATABASE_URL names, and brings its schema up to date.
 * @throws ConfigurationError when it names no store, or the store cannot be used
 */
export async function openStore(databaseUrl: string, options: StoreOptions = {}): Promise<Store> {
  const named = parseDatabaseUrl(databaseUrl);
  // Each adapter is loaded only where it is used: the MongoDB driver alone would double the start time of the embedded store.
  if (named.kind === 'sqlite') {
    const { openSqliteStore } = await import('./sqlite/sqlite-store.ts');
    return openSqliteStore(named.path, options);
  }
  const { openMongodbStore } = await import('./mongodb/mongodb-store.ts');
  return openMongodbStore(named.uri, options);
}

/**
 * Opens an existing store for as long as `use` runs. With a mistyped DATABASE_URL a new store would look like an empty one.
 * @throws ConfigurationError, and what `use` throws
 */
export async function withStore<T>(
  databaseUrl: string,
  use: (store: Store) => Promise<T>,
  options: StoreOptions = {},
): Promise<T> {
  const named = parseDatabaseUrl(databaseUrl);
  if (named.kind === 'sqlite' && named.path !== ':memory:' && !existsSync(named.path)) {
    throw new ConfigurationError(
      'DATABASE_URL: there is no such SQLite database. Set it as for the gateway, and run this in the directory of the gateway.',
    );
  }
  const store = await openStore(databaseUrl, { ...options, mayBeBlank: false });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
