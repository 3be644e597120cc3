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

/** The commit was sent, and it is unknown whether it was made. */
export class UnknownCommitResult extends Error {
  override readonly name = 'UnknownCommitResult';
}

/** Another gateway changed the same owner meanwhile. The transaction wrote nothing, and can be run again. */
export class Contention extends Error {
  override readonly name = 'Contention';
}

const writeConflictCode = 112;

/** Whether a transaction ended because another wrote the same documents. It wrote nothing. */
export function isWriteConflict(error: unknown): boolean {
  return error instanceof Contention || (error instanceof MongoServerError && error.code === writeConflictCode);
}

const maxTimeExpired = 50;
/** A majority did not confirm the write in time: WriteConcernFailed. */
const writeConcernFailed = 64;

/** The error that the store's port promises, for an error of the driver. */
export function asDomainError(thrown: unknown): unknown {
  const error = thrown instanceof MongoBulkWriteError ? stoppedBy(thrown) : thrown;
  if (hasTimedOut(error)) return new DomainError('GATEWAY_TIMEOUT', { retryAfterSeconds: 1, cause: error });
  if (isUnavailable(error)) return new DomainError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 1, cause: error });
  if (!(error instanceof MongoError)) return error;
  // A defect. The driver's error holds the whole document that was refused, so it is not passed on.
  return new Error(`MongoDB refused a command: ${error.code ?? error.name}`);
}

function hasTimedOut(error: unknown): boolean {
  if (error instanceof UnknownCommitResult || error instanceof MongoNetworkTimeoutError) return true;
  return error instanceof MongoServerError && (error.code === maxTimeExpired || error.code === writeConcernFailed);
}

/** What stopped a bulk write. The driver wraps even a failed server selection in an error of the server. */
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
  // A primary that stepped down or shuts down has these labels, and so has a conflict that outlasted every attempt.
  return (
    isOutOfReach ||
    error.hasErrorLabel('TransientTransactionError') ||
    error.hasErrorLabel('RetryableWriteError') ||
    error.hasErrorLabel('SystemOverloadedError') ||
    notWritable.has(Number(error.code))
  );
}

/** Errors of reads have no label: NotWritablePrimary, PrimarySteppedDown, InterruptedAtShutdown and similar codes. */
const notWritable: ReadonlySet<number> = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);
