import { requireRecordMac } from '../crypto/record.ts';
import { authenticated } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { StoredSecret } from '../model/secret.ts';
import type { HealthStatus, SecretHealth } from '../model/secret-health.ts';
import { backOff } from '../runtime/back-off.ts';
import { StoreConflict } from '../store/store.ts';
import { eventOf } from './audit-event.ts';
import { tooMuchContention } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';

/** Uses say the same again and again: it is written this often. */
const usesEveryMs = 60 * 60 * 1000;
/** A clock that is further ahead is wrong: what it says does not hold up what others find out. */
const clocksDifferMs = 30_000;
/** Others may write what they found out, or change the secret, at the same time. */
const maxAttempts = 30;

/**
 * What the answer to a use says about the value. A 403 is mostly a good key that lacks a permission, and a rate limit or an outage
 * is not about the key.
 */
export function healthOfAnswer(status: number): HealthStatus | null {
  if (status === 401) return 'REJECTED';
  return status >= 200 && status < 300 ? 'VALID' : null;
}

/** Whether this is to be written where that is known. */
export function isNews(known: SecretHealth | null, { status, source, checkedAt }: SecretHealth): boolean {
  if (!known) return true;
  const ageMs = checkedAt.getTime() - known.checkedAt.getTime();
  // Of answers that come at the same time, the last one counts, whichever is written first.
  if (ageMs < 0 && ageMs > -clocksDifferMs) return false;
  return source === 'CHECK' || status !== known.status || ageMs >= usesEveryMs;
}

/**
 * Records what was found out about a value, as long as the secret has that value. When the value turns out to be refused, the event
 * that tells it is written together with it: once, however many find it out at the same time.
 * @param asked the secret as it was read with the value, whose MAC was checked
 * @returns the secret as it is now; null where it has another value, or is not there any more: then nothing is recorded
 * @throws RecordRejected when something other than a gateway wrote the secret meanwhile
 * @throws DomainError SERVICE_UNAVAILABLE, GATEWAY_TIMEOUT
 */
export async function recordHealth(
  dependencies: Dependencies,
  caller: Caller,
  asked: StoredSecret,
  found: SecretHealth,
): Promise<StoredSecret | null> {
  const { store, keyring } = dependencies;
  let secret = asked;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    if (!isNews(secret.health, found)) return secret;
    if (await write(dependencies, caller, secret, found)) return { ...secret, health: found };
    await backOff(attempt);
    const read = await store.find(asked.id);
    if (!read || !hasSameValue(read, asked)) return null;
    requireRecordMac(read, keyring());
    secret = read;
  }
  throw tooMuchContention();
}

/** @returns false where the secret, or what is known of its value, is not the one that was read */
async function write(
  { store }: Dependencies,
  caller: Caller,
  secret: StoredSecret,
  health: SecretHealth,
): Promise<boolean> {
  if (health.status !== 'REJECTED' || secret.health?.status === 'REJECTED') return store.setHealth(secret, health);
  const event = eventOf('secret.rejected', secret, authenticated(caller), caller, health.checkedAt);
  try {
    await store.commit([{ type: 'useSecret', secret, event, health }]);
    return true;
  } catch (error) {
    if (error instanceof StoreConflict) return false;
    throw error;
  }
}

function hasSameValue({ sealed: a }: StoredSecret, { sealed: b }: StoredSecret): boolean {
  return a !== null && b !== null && a.version === b.version && a.number === b.number && a.tag === b.tag;
}
