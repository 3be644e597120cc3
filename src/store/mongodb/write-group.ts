import type { MongoClient, TransactionOptions, WriteConcernSettings } from 'mongodb';
import type { ChainHead } from '../../model/audit-event.ts';
import type { MacOfEvent } from '../audit.ts';
import { StoreConflict, type Write } from '../store.ts';
import type { Collections } from './collections.ts';
import { tryWrites, writeCommits } from './commit.ts';
import { asDomainError, Contention, isWriteConflict } from './errors.ts';
import { ConflictAmong, firstConflict } from './first-conflict.ts';
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

  /** What these writes conflict on, in a transaction that is not committed. */
  async function conflictOf(
    writes: readonly Write[],
    deadlineMs: number,
  ): Promise<StoreConflict | ConflictAmong | null> {
    const none = new Error('nothing of it may be written');
    try {
      await inTransaction(client, options, { deadlineMs, attempts: maxAttempts }, async (session) => {
        await tryWrites(collections, writes, session);
        throw none;
      });
    } catch (error) {
      if (error instanceof StoreConflict || error instanceof ConflictAmong) return error;
      if (error !== none) throw error;
    }
    return null;
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
      const isConflict = thrown instanceof StoreConflict || thrown instanceof ConflictAmong;
      const error: unknown =
        isConflict && commits.length === 1
          ? await firstConflict(first, thrown, (writes) => conflictOf(writes, deadlineMs)).catch((failed) => failed)
          : thrown;
      throw isWriteConflict(error) ? new Contention('another transaction', { cause: error }) : asDomainError(error);
    }
  };
}
