import type { MongoClient, TransactionOptions, WriteConcernSettings } from 'mongodb';
import type { ChainHead } from '../../model/audit-event.ts';
import type { MacOfEvent } from '../audit.ts';
import { StoreConflict, type Write } from '../store.ts';
import { tryWrites, writeCommits } from './commit.ts';
import type { Collections } from './documents.ts';
import { asDomainError, Contention, isWriteConflict } from './errors.ts';
import { inTransaction } from './transaction.ts';

/** How often a transaction is run that conflicts with another. */
const maxAttempts = 20;
const maxAttemptsTogether = 3;

export interface WriteGroupOptions {
  readonly durable: WriteConcernSettings;
  readonly macOfEvent: MacOfEvent;
  /** Told when a group is durable: its commits, and the heads of its owners' chains. */
  readonly onWritten: (commits: readonly (readonly Write[])[], heads: ReadonlyMap<string, ChainHead>) => void;
}

/** Writes a group of commits in one transaction. */
export function createWriteGroup(
  client: MongoClient,
  collections: Collections,
  { durable, macOfEvent, onWritten }: WriteGroupOptions,
) {
  const options: TransactionOptions = {
    readConcern: { level: 'snapshot' },
    writeConcern: durable,
    readPreference: 'primary',
  };

  /**
   * Ids are taken before the other fields of new secrets are looked at. So an earlier change of the commit may conflict as
   * well, and that is the one to report. The server has ended the transaction, and only another can tell.
   */
  async function firstConflict(
    writes: readonly Write[],
    conflict: StoreConflict,
    deadlineMs: number,
  ): Promise<unknown> {
    const before = writes.slice(0, conflict.index);
    if (conflict.on !== 'id' || before.length === 0) return conflict;
    try {
      await inTransaction(client, options, { deadlineMs, attempts: maxAttempts }, async (session) => {
        await tryWrites(collections, before, session);
        // Ends the transaction: nothing of it may be written.
        throw conflict;
      });
    } catch (error) {
      return error instanceof StoreConflict && error !== conflict ? firstConflict(writes, error, deadlineMs) : error;
    }
  }

  return async (commits: readonly (readonly Write[])[], deadlineMs: number): Promise<void> => {
    const [first = []] = commits;
    // Commits in one group do not wait long for the one that conflicts: each is then tried alone.
    const attempts = commits.length === 1 ? maxAttempts : maxAttemptsTogether;
    try {
      let heads: ReadonlyMap<string, ChainHead> = new Map();
      await inTransaction(client, options, { deadlineMs, attempts }, async (session) => {
        heads = await writeCommits(collections, commits, session, macOfEvent);
      });
      onWritten(commits, heads);
    } catch (thrown) {
      const error =
        thrown instanceof StoreConflict && commits.length === 1
          ? await firstConflict(first, thrown, deadlineMs)
          : thrown;
      throw isWriteConflict(error) ? new Contention('another transaction', { cause: error }) : asDomainError(error);
    }
  };
}
