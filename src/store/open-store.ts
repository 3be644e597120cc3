import { existsSync } from 'node:fs';
import { ConfigurationError } from '../errors.ts';
import type { Store } from './store.ts';

/**
 * Opens the store that DATABASE_URL names, and brings its schema up to date.
 * @param databaseUrl `sqlite:<path>` (relative to the working directory), `sqlite::memory:`, `mongodb://…` or
 *   `mongodb+srv://…`
 * @throws ConfigurationError when it names no store, or the store cannot be used
 */
export async function openStore(databaseUrl: string): Promise<Store> {
  // Each adapter is loaded only where it is used: the MongoDB driver alone would double the embedded start.
  if (/^sqlite:./s.test(databaseUrl)) {
    const { openSqliteStore } = await import('./sqlite/sqlite-store.ts');
    return openSqliteStore(databaseUrl.slice('sqlite:'.length));
  }
  if (/^mongodb(\+srv)?:\/\//.test(databaseUrl)) {
    const { openMongodbStore } = await import('./mongodb/mongodb-store.ts');
    return openMongodbStore(databaseUrl);
  }
  throw new ConfigurationError(
    'DATABASE_URL names no store. Set it to sqlite:<path>, sqlite::memory:, mongodb://… or mongodb+srv://….',
  );
}

/**
 * Opens a store that is there already for as long as `use` takes: to make another, on a mistyped DATABASE_URL, would show it empty.
 * @throws ConfigurationError, and what `use` throws
 */
export async function withStore<T>(databaseUrl: string, use: (store: Store) => Promise<T>): Promise<T> {
  const path = /^sqlite:(?!:memory:)(.+)/s.exec(databaseUrl)?.[1];
  if (path !== undefined && !existsSync(path)) {
    throw new ConfigurationError(
      'DATABASE_URL: there is no such SQLite database. Set it as it is set for the gateway, and run this where that runs.',
    );
  }
  const store = await openStore(databaseUrl);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
