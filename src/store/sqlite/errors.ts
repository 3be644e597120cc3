import { DomainError } from '../../errors.ts';

/**
 * Primary result codes (https://sqlite.org/rescode.html) under which the same call may succeed later, and the word for each
 * at /readyz.
 */
const reasons: ReadonlyMap<number | undefined, string> = new Map([
  [5, 'busy'], // SQLITE_BUSY
  [6, 'busy'], // SQLITE_LOCKED
  [7, 'no-memory'], // SQLITE_NOMEM
  [8, 'not-allowed'], // SQLITE_READONLY
  [10, 'unreachable'], // SQLITE_IOERR
  [11, 'damaged'], // SQLITE_CORRUPT
  [13, 'no-space'], // SQLITE_FULL
  [14, 'unreachable'], // SQLITE_CANTOPEN
  [26, 'damaged'], // SQLITE_NOTADB
]);

const constraint = 19;

export function isConstraintViolation(error: unknown): boolean {
  return primaryCode(error) === constraint;
}

/** The error that the store's port promises, for an error of SQLite. SQLite's texts name tables and columns, never values. */
export function asDomainError(error: unknown): unknown {
  const isClosed = error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
  const reason = isClosed ? 'unreachable' : reasons.get(primaryCode(error));
  if (reason === undefined) return error;
  return new DomainError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 1, reason, cause: error });
}

/** The low byte of an extended result code. */
function primaryCode(error: unknown): number | undefined {
  const isSqlite = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
  return isSqlite ? Number(error.errcode) & 0xff : undefined;
}
