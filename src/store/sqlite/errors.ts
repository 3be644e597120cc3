import { DomainError } from '../../errors.ts';

/** Primary result codes (https://sqlite.org/rescode.html) under which the same call may succeed later. */
const unavailable: ReadonlyMap<number, string> = new Map([
  [5, 'SQLITE_BUSY'],
  [6, 'SQLITE_LOCKED'],
  [7, 'SQLITE_NOMEM'],
  [8, 'SQLITE_READONLY'],
  [10, 'SQLITE_IOERR'],
  [13, 'SQLITE_FULL'],
  [14, 'SQLITE_CANTOPEN'],
]);

const constraint = 19;

export function isConstraintViolation(error: unknown): boolean {
  return primaryCode(error) === constraint;
}

/** The error that the store's port promises, for an error of SQLite. SQLite's texts name tables and columns, never values. */
export function asDomainError(error: unknown): unknown {
  const code = primaryCode(error);
  const isClosed = error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
  if (!isClosed && (code === undefined || !unavailable.has(code))) return error;
  return new DomainError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 1, cause: error });
}

/** The low byte of an extended result code. */
function primaryCode(error: unknown): number | undefined {
  const isSqlite = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
  return isSqlite ? Number(error.errcode) & 0xff : undefined;
}
