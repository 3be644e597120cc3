import { setTimeout } from 'node:timers/promises';
import type { PurgedSecret } from '../store/deleted-secrets.ts';
import type { Write } from '../store/store.ts';

/** Between two steps of a purge of many secrets, so that it takes a small part of what the store can do. */
export const stepPauseMs = 50;
const stepSize = 20;

/** The purge of a secret that no caller asked for. @param actorId who purges, in its audit event */
export function systemPurge(
  type: 'purgeSecret' | 'purgeDeletedSecret',
  secret: PurgedSecret,
  actorId: 'retention' | 'operator',
  requestId: string,
): Write {
  const { id: secretId, version, name: secretName } = secret;
  const actor = { kind: 'system', id: actorId } as const;
  const event = { type: 'secret.purged', actor, requestId, at: new Date(), secretId, version, secretName } as const;
  return { type, secret, event };
}

/** A few at a time, until the signal. */
export async function* inSteps<T>(all: readonly T[], signal?: AbortSignal): AsyncGenerator<readonly T[]> {
  for (let from = 0; from < all.length; from += stepSize) {
    if (!(await paused(from === 0 ? 0 : stepPauseMs, signal))) return;
    yield all.slice(from, from + stepSize);
  }
}

/**
 * @param ref whether the process stays for it
 * @returns false when the signal came
 */
export async function paused(ms: number, signal?: AbortSignal, ref = true): Promise<boolean> {
  if (signal?.aborted) return false;
  try {
    await setTimeout(ms, undefined, { ref, ...(signal && { signal }) });
    return true;
  } catch {
    return false;
  }
}
