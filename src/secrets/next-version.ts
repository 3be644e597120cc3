import { macOfRecord, requireRecordMac } from '../crypto/record.ts';
import { actorOf } from '../model/principal.ts';
import type { Secret, SecretRecord, StoredSecret } from '../model/secret.ts';
import { eventOf } from './audit-event.ts';
import type { Dependencies } from './dependencies.ts';
import type { Author, ChosenFields, NewValue, PreparedWrite } from './first-version.ts';
import { replacedValue } from './replaced-value.ts';
import { sealForStore } from './seal-for-store.ts';

/** The fields of a secret that a change sets. */
export type Changes = Partial<Omit<ChosenFields, 'owner' | 'id'>>;

/**
 * The next version of a secret, and the write that makes it.
 * @param record the current secret with the value that a new one replaces; null where the value stays
 * @throws RecordRejected, KeyMissing
 */
export function nextVersion(
  current: StoredSecret,
  record: SecretRecord | null,
  changes: Changes,
  value: NewValue | null,
  { principal, caller }: Author,
  dependencies: Dependencies,
): PreparedWrite {
  const keyring = dependencies.keyring();
  // A new MAC must not make a record valid that something other than a gateway wrote.
  requireRecordMac(current, keyring);
  const at = dependencies.now();
  const { sealed, mac: _, ...before } = current;
  const secret: Secret = {
    ...before,
    ...changes,
    maskedValue: value ? value.maskedValue : current.maskedValue,
    destination: value ? value.destination : current.destination,
    // Of a value that is gone it would say nothing.
    health: value ? (value.health ?? null) : current.health,
    version: current.version + 1,
    updatedAt: at,
    updatedBy: actorOf(principal),
  };
  const newSealed = value && sealForStore(value.value, secret, sealed, dependencies);
  const replaced = newSealed && record && replacedValue(record, keyring);
  return {
    secret,
    write: {
      type: 'updateSecret',
      from: current.mac,
      secret,
      ...(newSealed && { sealed: newSealed }),
      ...(replaced && { replaced }),
      ...(value?.nonce && { nonce: value.nonce }),
      mac: macOfRecord({ ...secret, sealed: newSealed ?? sealed }, keyring),
      event: eventOf('secret.updated', secret, principal, caller, at),
    },
  };
}
