import { ownerKey } from '../model/owner.ts';
import type { StoredSecret } from '../model/secret.ts';
import type { Write } from './store.ts';

/** A secret that was used, as it was then, and when it was used last. */
export interface LastUse {
  readonly secret: StoredSecret;
  readonly at: Date;
}

/** Whether the value is sent to its destination, and not copied or delivered. */
export function isUse(write: Write): write is Extract<Write, { type: 'useSecret' }> {
  return write.type === 'useSecret' && write.event.type === 'secret.used';
}

/** The last use of each record among these writes: a busy secret is written once, however often it was used. */
export function lastUses(writes: Iterable<Write>): LastUse[] {
  const byRecord = new Map<string, LastUse>();
  for (const write of writes) {
    if (!isUse(write)) continue;
    const { secret, event } = write;
    const record = JSON.stringify([ownerKey(secret.owner), secret.id, secret.version, secret.mac.tag]);
    const before = byRecord.get(record);
    if (!before || before.at < event.at) byRecord.set(record, { secret, at: event.at });
  }
  return [...byRecord.values()];
}
