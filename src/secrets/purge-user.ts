import { randomUUID } from 'node:crypto';
import type { Owner } from '../model/owner.ts';
import { actorKey } from '../model/principal.ts';
import { backOff } from '../runtime/back-off.ts';
import { retried } from '../runtime/retry.ts';
import type { Position } from '../store/position.ts';
import { type ListResult, type Store, StoreConflict } from '../store/store.ts';
import { inSteps, systemPurge } from './system-purge.ts';

export interface PurgeUserOptions {
  /** Told after every step how many of how many secrets are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work after the current step; another run continues from there. */
  readonly signal?: AbortSignal;
}

export interface PurgeUserReport {
  readonly purged: number;
  /** How many secrets the user still has: gateways may have written meanwhile. */
  readonly left: number;
}

const pageSize = 500;
/** What is created, deleted or restored while a pass runs may be behind it. The next pass finds it. */
const maxPasses = 3;
const maxAttempts = 10;

/** How many secrets a user has, live and deleted ones. */
export async function countSecretsOfUser(store: Store, userId: string): Promise<number> {
  const owner: Owner = { type: 'user', userId };
  const counts = await Promise.all(places.map((list) => retried(() => list(store, owner, undefined, 0))));
  return counts.reduce((sum, { totalCount }) => sum + (totalCount ?? 0), 0);
}

/**
 * Purges all secrets of a user, live and deleted ones, with all their values, and forgets what is kept for the user's
 * idempotency keys. Each purge is audited; audit events and ids stay. Gateways can keep running.
 * @throws DomainError when the store stays away
 */
export async function purgeUser(
  store: Store,
  userId: string,
  { onProgress, signal }: PurgeUserOptions = {},
): Promise<PurgeUserReport> {
  const requestId = randomUUID();
  let [purged, left] = [0, await countSecretsOfUser(store, userId)];
  for (let pass = 1; pass <= maxPasses && left > 0 && !signal?.aborted; pass += 1) {
    const total = purged + left;
    for await (const ids of pages(store, userId)) {
      for await (const some of inSteps(ids, signal)) {
        const outcomes = await Promise.all(some.map((id) => purgeOne(store, id, requestId)));
        purged += outcomes.filter(Boolean).length;
        onProgress?.(purged, total);
      }
      if (signal?.aborted) break;
    }
    left = await countSecretsOfUser(store, userId);
  }
  // After the purges: what is kept of a call may tell of a secret that is purged here.
  if (left === 0)
    await retried(() => store.commit([{ type: 'forgetResults', principal: actorKey({ kind: 'user', id: userId }) }]));
  return { purged, left };
}

type List = (store: Store, owner: Owner, after: Position | undefined, limit: number) => Promise<ListResult>;

const places: readonly List[] = [
  (store, owner, after, limit) =>
    store.list({ owner, filter: {}, ...(after && { after }), from: 'start', limit, count: true }),
  (store, owner, after, limit) =>
    store.deletedSecrets.list({ owner, since: new Date(0), ...(after && { after }), limit, count: true }),
];

/** The ids of all secrets of the user, page by page. */
async function* pages(store: Store, userId: string): AsyncGenerator<string[]> {
  const owner: Owner = { type: 'user', userId };
  for (const list of places) {
    let after: Position | undefined;
    for (;;) {
      const { secrets, hasMore } = await retried(() => list(store, owner, after, pageSize));
      if (secrets.length > 0) yield secrets.map(({ id }) => id);
      after = secrets.at(-1);
      if (!hasMore || !after) break;
    }
  }
}

/** @returns false where another purged it, or gateways write to it again and again */
async function purgeOne(store: Store, id: string, requestId: string): Promise<boolean> {
  let mayBeDone = false;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    try {
      const isDone = await retried(async () => {
        // It may have been changed, deleted or restored meanwhile, or purged by an attempt whose answer was lost.
        const live = await store.find(id);
        const secret = live ?? (await store.deletedSecrets.find(id));
        if (!secret) return mayBeDone;
        mayBeDone = true;
        await store.commit([systemPurge(live ? 'purgeSecret' : 'purgeDeletedSecret', secret, 'operator', requestId)]);
        return true;
      });
      return isDone;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      mayBeDone = false;
      await backOff(attempt);
    }
  }
  return false;
}
