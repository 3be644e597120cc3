import { randomUUID } from 'node:crypto';
import { RecordRejected } from '../crypto/record.ts';
import { DomainError } from '../errors.ts';
import { describeError, type Log } from '../runtime/log.ts';
import type { PurgedSecret } from '../store/deleted-secrets.ts';
import { type Store, StoreConflict } from '../store/store.ts';
import { inSteps, paused, stepPauseMs, systemPurge } from './system-purge.ts';

/** Secrets that are looked at in one step. */
const rangeSize = 500;
const longestMs = 3_600_000;
const shortestMs = 1000;
/** How long after a start the first look is at the latest: a gateway may be started again every day. */
const firstMs = 60_000;

export interface Retention {
  /** Ends after the current step. */
  close(): Promise<void>;
}

/**
 * Purges in the background what was deleted longer than the retention ago. Each gateway does it: a secret that another has purged
 * is not there any more, and is passed over.
 */
export function startRetention(store: Store, retentionMs: number, log: Log): Retention {
  const stopping = new AbortController();
  const { signal } = stopping;
  const everyMs = Math.min(longestMs, Math.max(shortestMs, retentionMs / 24));
  const purge = async () => {
    for (let waitMs = Math.min(everyMs, firstMs); await paused(waitMs * (0.5 + Math.random() / 2), signal, false); ) {
      waitMs = everyMs;
      try {
        const onFailure = (failure: RecordRejected) =>
          log.warn({ cause: describeError(failure) }, 'a deleted secret cannot be purged');
        const purged = await purgeExpired(store, new Date(Date.now() - retentionMs), { signal, onFailure });
        if (purged > 0) log.info({ purged }, 'deleted secrets purged');
      } catch (error) {
        log.warn({ cause: describeError(error) }, 'deleted secrets not purged; they are later');
      }
    }
  };
  const ended = purge();
  return {
    async close() {
      stopping.abort();
      await ended;
    },
  };
}

export interface PurgeOptions {
  readonly signal?: AbortSignal;
  /** Told of each secret that cannot be purged: something other than a gateway has changed it, and it must not stop the others. */
  readonly onFailure?: (failure: RecordRejected) => void;
}

/**
 * Purges what was deleted before this time, a few secrets at a time, until the signal.
 * @returns how many were purged
 * @throws DomainError when the store cannot be reached
 */
export async function purgeExpired(
  store: Store,
  before: Date,
  { signal, onFailure = () => {} }: PurgeOptions = {},
): Promise<number> {
  const requestId = randomUUID();
  let purged = 0;
  for (let after: string | null = ''; after !== null; ) {
    const { secrets, damaged, next } = await store.deletedSecrets.expired(before, after, rangeSize);
    for (const id of damaged) onFailure(new RecordRejected(id, 'the owner of the deleted secret is damaged'));
    for await (const some of inSteps(secrets, signal)) {
      const outcomes = await Promise.all(some.map((secret) => purgeOne(store, secret, requestId, onFailure)));
      purged += outcomes.filter(Boolean).length;
    }
    after = next;
    if (next !== null && !(await paused(stepPauseMs, signal))) return purged;
  }
  return purged;
}

/** @returns false where it was restored or purged meanwhile, or cannot be purged */
async function purgeOne(
  store: Store,
  secret: PurgedSecret,
  requestId: string,
  onFailure: NonNullable<PurgeOptions['onFailure']>,
): Promise<boolean> {
  try {
    await store.commit([systemPurge('purgeDeletedSecret', secret, 'retention', requestId)]);
    return true;
  } catch (error) {
    if (error instanceof DomainError) throw error;
    if (!(error instanceof StoreConflict)) onFailure(new RecordRejected(secret.id, 'the purge failed', error));
    return false;
  }
}
