import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';
import { DomainError } from '../../errors.ts';

/** The commit was sent, and nobody can tell whether it holds. */
export class UnknownCommitResult extends Error {
  override readonly name = 'UnknownCommitResult';
}

/** Another gateway changed the same owner meanwhile: the transaction wrote nothing, and can be run again. */
export class Contention extends Error {
  override readonly name = 'Contention';
}

const writeConflictCode = 112;

/** Whether a transaction ended because another wrote the same: it wrote nothing. */
export function isWriteConflict(error: unknown): boolean {
  return error instanceof Contention || (error instanceof MongoServerError && error.code === writeConflictCode);
}

const maxTimeExpired = 50;
/** A majority did not confirm the write in time. */
const writeConcernFailed = 64;

/** What the store's port promises instead of the driver's own error. */
export function asDomainError(thrown: unknown): unknown {
  const error = thrown instanceof MongoBulkWriteError ? stoppedBy(thrown) : thrown;
  if (hasTimedOut(error)) return new DomainError('GATEWAY_TIMEOUT', { retryAfterSeconds: 1, cause: error });
  if (isUnavailable(error)) return new DomainError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 1, cause: error });
  if (!(error instanceof MongoError)) return error;
  // A defect. The driver's error holds the whole document that was refused, so none of it goes on from here.
  return new Error(`MongoDB refused a command: ${error.code ?? error.name}`);
}

function hasTimedOut(error: unknown): boolean {
  if (error instanceof UnknownCommitResult || error instanceof MongoNetworkTimeoutError) return true;
  return error instanceof MongoServerError && (error.code === maxTimeExpired || error.code === writeConcernFailed);
}

/** What stopped a bulk write: the driver wraps even that no server was found in an error of the server. */
function stoppedBy(error: MongoBulkWriteError): MongoError {
  const wrapped: unknown = error.errorResponse;
  return wrapped instanceof MongoError ? wrapped : error;
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof Contention) return true;
  if (!(error instanceof MongoError)) return false;
  const isOutOfReach =
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoClientClosedError ||
    error.name === 'MongoWaitQueueTimeoutError';
  // The labels stand on a primary that stepped down or shuts down, and on conflicts that outlasted every attempt.
  return (
    isOutOfReach ||
    error.hasErrorLabel('TransientTransactionError') ||
    error.hasErrorLabel('RetryableWriteError') ||
    error.hasErrorLabel('SystemOverloadedError') ||
    notWritable.has(Number(error.code))
  );
}

/** Reads carry no label: NotWritablePrimary, PrimarySteppedDown, InterruptedAtShutdown and their like. */
const notWritable: ReadonlySet<number> = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);
