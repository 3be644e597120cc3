import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';
import { DomainError } from '../../errors.ts';
import { type Refusal, refusalOf } from './refusals.ts';
import { whyNoPrimary } from './topology.ts';

/** The commit was sent, and it is unknown whether it was made. */
export class UnknownCommitResult extends Error {
  override readonly name = 'UnknownCommitResult';
}

/** Another gateway changed the same owner meanwhile. The transaction wrote nothing, and can be run again. */
export class Contention extends Error {
  override readonly name = 'Contention';
}

/** One of the writes of a command was refused. In a transaction none of the others is made either. */
export class WriteRefused extends Error {
  override readonly name = 'WriteRefused';
  /** Of the write in its command. */
  readonly index: number;
  readonly code: number;
  /** The unique index that has the key already. */
  readonly uniqueIndex: string | undefined;

  constructor({ index, code, errmsg = '' }: { index: number; code: number; errmsg?: string }) {
    super(`a write was refused: ${code}`);
    this.index = index;
    this.code = code;
    // Only the text names the index. It stands before the key, so that no key can pass for an index.
    this.uniqueIndex = /index: (\S+) dup key:/.exec(errmsg)?.[1];
  }
}

const duplicateKeyCode = 11000;
const writeConflictCode = 112;

export function isDuplicateKey(error: unknown): boolean {
  return (error instanceof WriteRefused || error instanceof MongoServerError) && error.code === duplicateKeyCode;
}

/** Whether a transaction ended because another wrote the same documents. It wrote nothing. */
export function isWriteConflict(error: unknown): boolean {
  return error instanceof Contention || (error instanceof MongoServerError && error.code === writeConflictCode);
}

const maxTimeExpired = 50;
/** A majority did not confirm the write in time: WriteConcernFailed. */
const writeConcernFailed = 64;

/** What `reason` says of a store that cannot be used. */
export type Reason = Refusal | 'unreachable' | 'no-answer' | 'contention' | 'commits-stuck';

/** The error that the store's port promises, for an error of the driver. */
export function asDomainError(thrown: unknown): unknown {
  const error = thrown instanceof MongoBulkWriteError ? stoppedBy(thrown) : thrown;
  if (hasTimedOut(error)) return timedOut(error);
  const reason = reasonOf(error);
  if (reason) return unavailable(reason, error);
  if (error instanceof WriteRefused) return new Error(`MongoDB refused a command: ${error.code}`);
  if (!(error instanceof MongoError)) return error;
  // A defect. The driver's error holds the whole document that was refused, so it is not passed on.
  return new Error(`MongoDB refused a command: ${error.code ?? error.name}`);
}

export function unavailable(reason: Reason, cause?: unknown): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 1, reason, cause });
}

export function timedOut(cause: unknown): DomainError {
  return new DomainError('GATEWAY_TIMEOUT', { retryAfterSeconds: 1, reason: 'no-answer' satisfies Reason, cause });
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

/** Why the same command may succeed later, or undefined when it is a defect. */
function reasonOf(error: unknown): Reason | undefined {
  if (error instanceof Contention) return 'contention';
  if (isErrorOfSocket(error)) return 'unreachable';
  if (error instanceof WriteRefused) return refusalOf(error.code);
  if (!(error instanceof MongoError)) return undefined;
  const refusal = refusalOf(Number(error.code));
  if (refusal) return refusal;
  if (error instanceof MongoServerSelectionError) return (error.reason && whyNoPrimary(error.reason)) ?? 'no-primary';
  const isOutOfReach =
    error instanceof MongoNetworkError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoServerClosedError ||
    error instanceof MongoClientClosedError;
  if (isOutOfReach) return 'unreachable';
  const isOverloaded = error.name === 'MongoWaitQueueTimeoutError' || error.hasErrorLabel('SystemOverloadedError');
  if (isOverloaded) return 'throttled';
  // The server itself says of a code that is not known here that it is not the fault of the command.
  return retryLabels.some((label) => error.hasErrorLabel(label)) ? 'interrupted' : undefined;
}

const retryLabels = ['TransientTransactionError', 'RetryableWriteError', 'RetryableError'];

/** The driver passes some errors of a socket on as they are. */
function isErrorOfSocket(error: unknown): boolean {
  return error instanceof Error && !(error instanceof MongoError) && 'syscall' in error && 'errno' in error;
}
