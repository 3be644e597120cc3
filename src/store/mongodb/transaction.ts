import { setTimeout } from 'node:timers/promises';
import {
  type ClientSession,
  type MongoClient,
  MongoError,
  MongoServerError,
  type ServerSessionId,
  type TransactionOptions,
} from 'mongodb';
import { DomainError } from '../../errors.ts';
import { Contention, UnknownCommitResult } from './errors.ts';
import { refusalOf } from './refusals.ts';

/** How often one commit is sent. */
const maxCommitAttempts = 20;
const firstBackoffMs = 5;
const maxBackoffMs = 200;

/**
 * Runs `work` in a transaction until it is committed and durable on a majority. After a conflict with another transaction
 * nothing was written, and it is run again.
 * @param deadlineMs on the clock of `performance.now()`: nothing is begun again after it
 * @param attempts how often it is run at most
 * @throws UnknownCommitResult, or whatever `work` or the server refused: then nothing was written
 */
export async function inTransaction(
  client: MongoClient,
  options: TransactionOptions,
  { deadlineMs, attempts }: { readonly deadlineMs: number; readonly attempts: number },
  work: (session: ClientSession) => Promise<void>,
): Promise<void> {
  await client.withSession(async (session) => {
    const { id } = session;
    for (let attempt = 1; ; attempt += 1) {
      const pauseMs = backOffMs(attempt);
      try {
        session.startTransaction(options);
        await work(session);
        // The caller has been told of a time-out, so that the write must not be made later.
        if (performance.now() >= deadlineMs) throw new DomainError('GATEWAY_TIMEOUT', { retryAfterSeconds: 1 });
        await commit(session, deadlineMs);
        return;
      } catch (error) {
        // Never throws. A transaction whose commit was sent is not aborted.
        if (session.inTransaction()) await session.abortTransaction();
        if (error instanceof UnknownCommitResult && id) endOnServer(client, id);
        if (!isTransient(error) || attempt === attempts || performance.now() + pauseMs >= deadlineMs) throw error;
      }
      await setTimeout(pauseMs);
    }
  });
}

/**
 * To send the commit of one transaction again is safe: the server knows the transaction by its number. To run the whole
 * transaction again is safe only when the server says that it was aborted, which TransientTransactionError means here.
 */
async function commit(session: ClientSession, deadlineMs: number): Promise<void> {
  let mayBeMade = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      if (isTransient(error)) throw error;
      mayBeMade ||= !wasNotRun(error);
      if (!mayBeMade && (attempt === maxCommitAttempts || performance.now() >= deadlineMs)) throw error;
      if (attempt === maxCommitAttempts || performance.now() >= deadlineMs) {
        throw new UnknownCommitResult('the commit was sent, and not confirmed', { cause: error });
      }
    }
    await setTimeout(backOffMs(attempt));
  }
}

/**
 * A transaction whose commit did not arrive stays open for 60 s, and its owners cannot be written meanwhile. One that was made
 * stays made. It is tried once, for as long as the driver waits for a server; a user may end sessions of its own.
 */
function endOnServer(client: MongoClient, id: ServerSessionId): void {
  void client
    .db('admin')
    .command({ killSessions: [id] })
    .catch(() => {});
}

/** Whether the server refused the command before it looked at the transaction. */
function wasNotRun(error: unknown): boolean {
  if (!(error instanceof MongoServerError) || error.hasErrorLabel('UnknownTransactionCommitResult')) return false;
  const refusal = refusalOf(Number(error.code));
  return refusal === 'not-allowed' || refusal === 'throttled';
}

/** A random pause that grows, so that two transactions that conflicted do not conflict again. */
function backOffMs(attempt: number): number {
  return Math.random() * Math.min(firstBackoffMs * 1.5 ** attempt, maxBackoffMs);
}

function isTransient(error: unknown): boolean {
  if (error instanceof Contention) return true;
  return (
    error instanceof MongoError &&
    error.hasErrorLabel('TransientTransactionError') &&
    !error.hasErrorLabel('UnknownTransactionCommitResult')
  );
}
