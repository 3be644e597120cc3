import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { ConfigurationError } from '../../errors.ts';
import { isCutOff } from './database-file.ts';
import { firstVersion, newestKnownVersion, versionOf } from './schema.ts';

/** Told how many pages of how many are copied. */
export type OnProgress = (done: number, total: number) => void;

/** Pages that are copied before other work may run. */
const pagesAtOnce = 1000;
const busyMs = 1000;
const databaseTables = ['audit', 'owners', 'secrets'];

/**
 * Copies a database to a new file with mode 0600, as it is at one moment, while gateways go on reading and writing.
 * @returns how many secrets are in the copy, which was read again
 * @throws ConfigurationError; then there is no new file
 */
export async function backUp(path: string, file: string, onProgress: OnProgress): Promise<number> {
  if (existsSync(file)) throw fileExists();
  requireDirectory(file);
  if (!existsSync(path)) {
    throw new ConfigurationError(
      'DATABASE_URL: there is no such SQLite database. Set it as for the gateway, and run this in the directory of the gateway.',
    );
  }
  const source = opened(path, 'DATABASE_URL: the database', false);
  try {
    // One read transaction for the whole copy: what is written meanwhile is not in it, and does not make it start again.
    source.exec('BEGIN');
    const copy = await copied(source, file, onProgress);
    try {
      // link() fails where rename() would replace.
      linkSync(copy.path, file);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? fileExists() : failed('The backup', error);
    } finally {
      copy.remove();
    }
    await syncDirectory(dirname(file));
    return copy.secrets;
  } finally {
    source.close();
  }
}

/**
 * Puts a backup in place of a database that no gateway has open. The database that is there is kept beside it.
 * @returns how many secrets there are now, and where the database from before is
 * @throws ConfigurationError; then the database is as it was
 */
export async function restore(
  file: string,
  path: string,
  onProgress: OnProgress,
): Promise<{ secrets: number; before: string | null }> {
  requireFile(file);
  const isThere = existsSync(path);
  if (isThere && realpathSync(file) === realpathSync(path)) {
    throw new ConfigurationError('The backup is the database itself. Name a file that secrets-gateway backup made.');
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  using source = new DisposableStack();
  const backupFile = source.adopt(opened(file, 'The backup', true), (database) => database.close());
  requireDatabase(backupFile, 'The backup');
  if (isCutOff(file, statSync(file).size)) throw damaged('The backup');
  // Tried before the copy, which may take long, and held from after it to the end.
  if (isThere) exclusively(path)?.close();
  const copy = await copied(backupFile, path, onProgress);
  try {
    const lock = isThere ? exclusively(path) : undefined;
    try {
      const before = isThere ? keepBeside(path) : null;
      renameSync(copy.path, path);
      await syncDirectory(dirname(path));
      return { secrets: copy.secrets, before };
    } finally {
      lock?.close();
    }
  } finally {
    copy.remove();
  }
}

interface Copy {
  readonly path: string;
  readonly secrets: number;
  /** Does nothing once it was renamed. */
  remove(): void;
}

/** A whole and checked copy, in a new file beside `target`. */
async function copied(source: DatabaseSync, target: string, onProgress: OnProgress): Promise<Copy> {
  const path = `${target}.${randomBytes(6).toString('hex')}.partial`;
  const remove = () => {
    process.off('exit', remove);
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  };
  // Also when the command is interrupted.
  process.on('exit', remove);
  try {
    // SQLite would make it readable for everybody.
    await (await open(path, 'wx', 0o600)).close();
    const secrets = secretsIn(source);
    const pages = await backup(source, path, {
      rate: pagesAtOnce,
      progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
    });
    onProgress(pages, pages);
    requireSame(path, secrets);
    const file = await open(path, 'r');
    await file.sync();
    await file.close();
    return { path, secrets, remove };
  } catch (error) {
    remove();
    throw failed('The copy', error);
  }
}

/** Reads the copy again. It is one file afterwards, without a write-ahead log beside it. */
function requireSame(path: string, secrets: number): void {
  const copy = new DatabaseSync(path);
  try {
    copy.exec('PRAGMA journal_mode = DELETE');
    requireDatabase(copy, 'The copy');
    const [found] = copy.prepare('PRAGMA integrity_check(1)').all();
    const [orphan] = copy.prepare('PRAGMA foreign_key_check').all();
    if (found?.integrity_check !== 'ok' || orphan || secretsIn(copy) !== secrets) throw damaged('The copy');
  } finally {
    copy.close();
  }
}

function secretsIn(database: DatabaseSync): number {
  return Number(database.prepare('SELECT count(*) AS count FROM secrets').get()?.count);
}

function opened(path: string, what: string, readOnly: boolean): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { readOnly, timeout: busyMs });
    requireDatabase(database, what);
    return database;
  } catch (error) {
    throw failed(what, error);
  }
}

/** @throws ConfigurationError for a file that no gateway made, or whose version this one does not know */
function requireDatabase(database: DatabaseSync, what: string): void {
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const tables = new Set(names.map(({ name }) => name));
  const version = versionOf(database);
  if (version === 0 || !databaseTables.every((name) => tables.has(name))) {
    throw new ConfigurationError(`${what} is no database of a gateway. Name a file that secrets-gateway backup made.`);
  }
  if (version < firstVersion || version > newestKnownVersion) {
    throw new ConfigurationError(
      `${what} has schema version ${version}, and this gateway knows versions ${firstVersion} to ${newestKnownVersion}. Use the gateway that made it.`,
    );
  }
}

/**
 * Keeps gateways out of the database. A gateway holds a lock for as long as it has the database open, which prevents that the
 * write-ahead log is given up.
 * @returns undefined for a file that is damaged, or no database: nothing can lock it
 */
function exclusively(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: busyMs });
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    const code = codeOf(error);
    if (code === 5 || code === 6) {
      throw new ConfigurationError(
        'DATABASE_URL: a gateway, or another program, has the database open. Stop it, and run this again.',
      );
    }
    if (code === 11 || code === 26) return undefined;
    throw failed('DATABASE_URL: the database', error);
  }
}

/** A second name for the database, so that there is one under its own name at every moment. */
function keepBeside(path: string): string {
  const before = `${path}.before-restore-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  linkSync(path, before);
  // Of a damaged database, since it could not be locked. They would be applied to the backup.
  for (const end of ['-wal', '-shm', '-journal']) {
    if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${before}${end}`);
  }
  return before;
}

function requireFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    throw new ConfigurationError(
      `The backup ${found ? 'is not a regular file' : 'is not there'}. Name a file that secrets-gateway backup made.`,
    );
  }
}

function requireDirectory(file: string): void {
  if (existsSync(dirname(file))) return;
  throw new ConfigurationError('The directory of the backup is not there. Make it, or name another.');
}

function fileExists(): ConfigurationError {
  return new ConfigurationError('The backup is there already, and is not overwritten. Name a file that is not there.');
}

function damaged(what: string): ConfigurationError {
  return new ConfigurationError(`${what} is damaged. Use another backup, or check the disk.`);
}

/** SQLite's texts name tables and columns, never values. */
function failed(what: string, error: unknown): unknown {
  if (error instanceof ConfigurationError) return error;
  const code = codeOf(error);
  if (code === 26)
    return new ConfigurationError(`${what} is no SQLite database. Name a file that secrets-gateway backup made.`);
  if (code === 11) return damaged(what);
  const reason = error instanceof Error && 'errcode' in error ? error.message : (error as NodeJS.ErrnoException).code;
  return new ConfigurationError(
    `${what} cannot be read or written (${reason}). Check the path, the rights and the disk.`,
  );
}

/** The low byte of an extended result code (https://sqlite.org/rescode.html). */
function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}

/** Before this, a crash could undo that the file is there. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync();
  await directory.close();
}
