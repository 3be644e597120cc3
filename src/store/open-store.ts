import { existsSync } from 'node:fs';
import { ConfigurationError } from '../errors.ts';
import type { ChainHead } from '../model/audit-event.ts';
import type { MacOfEvent } from './audit.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  /** Left out where nothing is committed. */
  readonly macOfEvent?: MacOfEvent;
  /** Told the owner's key and the head of its chain when a commit has made it durable. */
  readonly onHead?: (owner: string, head: ChainHead) => void;
  /** Whether an SQLite file that is there and empty may become a new database; true when left out. */
  readonly mayBeBlank?: boolean;
}

/**
 * Opens the store that DATABASE_URL names, and brings its schema up to date.
 * @param databaseUrl `sqlite:<path>` (relative to the working directory), `sqlite::memory:`, `mongodb://…` or
 *   `mongodb+srv://…`
 * @throws ConfigurationError when it names no store, or the store cannot be used
 */
export async function openStore(databaseUrl: string, options: StoreOptions = {}): Promise<Store> {
  // Each adapter is loaded only where it is used: the MongoDB driver alone would double the start time of the embedded store.
  if (/^sqlite:./s.test(databaseUrl)) {
    const { openSqliteStore } = await import('./sqlite/sqlite-store.ts');
    return openSqliteStore(databaseUrl.slice('sqlite:'.length), options);
  }
  if (/^mongodb(\+srv)?:\/\//.test(databaseUrl)) {
    const { openMongodbStore } = await import('./mongodb/mongodb-store.ts');
    return openMongodbStore(databaseUrl, options);
  }
  throw new ConfigurationError(
    'DATABASE_URL names no store. Set it to sqlite:<path>, sqlite::memory:, mongodb://… or mongodb+srv://….',
  );
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
  const path = /^sqlite:(?!:memory:)(.+)/s.exec(databaseUrl)?.[1];
  if (path !== undefined && !existsSync(path)) {
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
