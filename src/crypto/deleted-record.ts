import type { Deletion } from '../model/deleted-secret.ts';
import { actorKey } from '../model/principal.ts';
import type { RecordMac, StoredSecret } from '../model/secret.ts';
import type { Keyring, MacKey } from './keyring.ts';
import { hmac } from './mac.ts';
import { requireMac, tagOfRecord } from './record.ts';

type Marked = Omit<StoredSecret, 'mac' | 'lastUsedAt' | 'health'> & Deletion;

/**
 * The MAC of a deleted secret as it will be stored, under the active key. The MAC that it had is in it, and is not stored: who
 * writes to the database cannot make a secret of it again.
 */
export function macOfDeleted(record: Marked, { mac }: Keyring): RecordMac {
  return { kid: mac.active.kid, tag: tagOf(record, mac.active) };
}

/**
 * Before a deleted secret is restored.
 * @throws RecordRejected when its MAC is not that of a gateway
 * @throws KeyMissing when the keyring lacks the key of the MAC
 */
export function requireDeletedMac(record: StoredSecret & Deletion, keyring: Keyring): void {
  requireMac(record.mac, (key) => tagOf(record, key), record.id, keyring);
}

function tagOf(record: Marked, key: MacKey): string {
  const { deletedAt, deletedBy } = record;
  return hmac(key, ['deleted', 1, tagOfRecord(record, key), deletedAt.getTime(), actorKey(deletedBy)]);
}
