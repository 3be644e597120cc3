import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describeError, type Log } from '../runtime/log.ts';
import type { PurgedSecret } from '../store/deleted-secrets.ts';
import { type Store, StoreConflict } from '../store/store.ts';

/** Secrets that are looked at, and that are purged, in one step. */
const [rangeSize, batchSize] = [500, 20];
/** Between two steps, so that the purge takes a small part of what the store can do. */
const pauseMs = 50;
const longestMs = 3_600_000;
const shortestMs = 1000;
/** How long after a start the first look is at the latest: a gateway may be started again every day. */
const firstMs = 60_000;

/** Who purges what is past its time, in audit events. */
const retention = { kind: 'system', id: 'retention' } as const;

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
    for (let waitMs = Math.min(everyMs, firstMs); await paused(waitMs * (0.5 + Math.random() / 2), signal); ) {
      waitMs = everyMs;
      try {
        const purged = await purgeExpired(store, new Date(Date.now() - retentionMs), signal);
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

/**
 * Purges what was deleted before this time, a few secrets at a time, until the signal.
 * @returns how many were purged
 * @throws DomainError when the store cannot be reached
 */
export async function purgeExpired(store: Store, before: Date, signal?: AbortSignal): Promise<number> {
  const requestId = randomUUID();
  let purged = 0;
  for (let after: string | null = ''; after !== null; ) {
    const { secrets, next } = await store.deletedSecrets.expired(before, after, rangeSize);
    for (let from = 0; from < secrets.length; from += batchSize) {
      if (!(await paused(from === 0 ? 0 : pauseMs, signal))) return purged;
      const outcomes = await Promise.all(
        secrets.slice(from, from + batchSize).map((secret) => purgeOne(store, secret, requestId)),
      );
      purged += outcomes.filter(Boolean).length;
    }
    after = next;
    if (next !== null && !(await paused(pauseMs, signal))) return purged;
  }
  return purged;
}

/** @returns false where it was restored or purged meanwhile */
async function purgeOne(store: Store, secret: PurgedSecret, requestId: string): Promise<boolean> {
  const { id: secretId, version, name: secretName } = secret;
  const about = { secretId, version, secretName };
  const event = { type: 'secret.purged', actor: retention, requestId, at: new Date(), ...about } as const;
  try {
    await store.commit([{ type: 'purgeDeletedSecret', secret, event }]);
    return true;
  } catch (error) {
    if (error instanceof StoreConflict) return false;
    throw error;
  }
}

/** @returns false when the signal came */
async function paused(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return false;
  try {
    await setTimeout(ms, undefined, { ref: false, ...(signal && { signal }) });
    return true;
  } catch {
    return false;
  }
}
