import { closeSync, constants, mkdirSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigurationError } from '../../errors.ts';
import { isOnOwnVolume } from '../../runtime/volume.ts';
import { migrate } from './schema.ts';

/** How long a call waits for another process that writes. The event loop is blocked meanwhile. */
export const busyTimeoutMs = 500;
/** A larger database is not read as a whole at the start, which would take longer than a second. */
const maxCheckedBytes = 256 * 1024 * 1024;
/** SQLite's smallest page: a file with anything in it has at least one. */
const smallestPage = 512;

/**
 * Opens the file, and brings its schema up to date. A new file has mode 0600, a new directory 0700.
 * @param mayBeBlank whether a file that is there and empty may become a new database
 * @throws ConfigurationError when the file cannot be used
 */
export function openDatabase(path: string, mayBeBlank: boolean): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') prepareFile(path, mayBeBlank);
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    database.exec('PRAGMA journal_mode = WAL');
    setUp(database);
    if (path !== ':memory:') requireWhole(database, path);
    migrate(database);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof ConfigurationError) throw error;
    if (isDamage(error)) throw damaged();
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new ConfigurationError(
      `DATABASE_URL: the SQLite database cannot be opened (${reason}). ` +
        'Name a file in a directory that the gateway may write to.',
      { cause: error },
    );
  }
}

/**
 * Opens another connection to a database that this process has open, for what takes several ticks. The file itself is
 * not touched: to close a descriptor of it would end the locks that SQLite has on it.
 */
export function openForBatches(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  setUp(database);
  database.exec('PRAGMA foreign_keys = ON');
  // A checkpoint after much was written takes longer than the commit. It is made in a tick of its own.
  database.exec('PRAGMA wal_autocheckpoint = 0');
  return database;
}

function setUp(database: DatabaseSync): void {
  database.exec('PRAGMA synchronous = FULL');
  // What is deleted is overwritten. Otherwise it would stay in free pages until they are used again.
  database.exec('PRAGMA secure_delete = ON');
}

/** SQLite gives its own files (-wal, -shm) the mode of the database, but would create the database readable for everybody. */
function prepareFile(path: string, mayBeBlank: boolean): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  requirePrivateDirectory(dirname(path));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found) requirePrivateFile(file, found);
  }
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.size === 0 && !mayBeBlank) {
    throw new ConfigurationError(
      'DATABASE_URL: the SQLite database is an empty file, but there is a keyring: it looks like a database that was lost. ' +
        'Restore it from its backup. If you want a new database, remove the file.',
    );
  }
  if (found && found.size > 0 && isCutOff(path, found.size)) throw damaged();
  closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
}

function requirePrivateFile(path: string, found: Stats): void {
  if (!found.isFile()) throw refused(path, 'it is not a regular file', 'Name a file.');
  if (process.getuid && (found.mode & (isOnOwnVolume(path, found) ? 0o007 : 0o077)) !== 0) {
    throw refused(path, 'others can read or write it', `Run: chmod 600 ${path}`);
  }
}

/** Who can write to the directory can replace the database. With the sticky bit only the owner of a file can. */
function requirePrivateDirectory(path: string): void {
  const found = statSync(path);
  const others = isOnOwnVolume(path, found) ? 0o002 : 0o022;
  if (!process.getuid || (found.mode & others) === 0 || (found.mode & 0o1000) !== 0) return;
  throw refused(path, 'others can replace the database in this directory', `Run: chmod go-w ${path}`);
}

function refused(path: string, what: string, fix: string): ConfigurationError {
  return new ConfigurationError(`DATABASE_URL ${path}: ${what}. ${fix}`);
}

/** A file that was cut off is shorter than its own header says. With a WAL beside it, the header may be older than the file. */
export function isCutOff(path: string, size: number): boolean {
  if (size < smallestPage) return true;
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return false;
  const header = Buffer.alloc(100);
  const file = openSync(path, constants.O_RDONLY);
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  // https://sqlite.org/fileformat.html: 1 stands for 65,536, and the count of pages holds where both counters agree.
  const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const isCounted = header.readUInt32BE(24) === header.readUInt32BE(92);
  return isCounted && size < pageBytes * header.readUInt32BE(28);
}

function requireWhole(database: DatabaseSync, path: string): void {
  if (statSync(path).size > maxCheckedBytes) return;
  const [result] = database.prepare('PRAGMA quick_check(1)').all();
  if (result?.quick_check !== 'ok') throw damaged();
}

function damaged(): ConfigurationError {
  return new ConfigurationError(
    'DATABASE_URL: the SQLite database is damaged, or is not one. Restore it from its backup, with the -wal file that belongs to it, or name another file.',
  );
}

/** SQLITE_CORRUPT, SQLITE_NOTADB */
function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return code === 11 || code === 26;
}
