import { mayOpen } from '../crypto/envelope.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { macOfVersion } from '../crypto/version-record.ts';
import type { Envelope } from '../model/envelope.ts';
import type { SecretRecord } from '../model/secret.ts';
import type { VersionRecord } from '../model/secret-version.ts';

/**
 * The value of a secret as it is kept once another replaces it. Its MAC vouches for what the record says, so that the MAC of the
 * record must have been checked.
 * @returns undefined where no value is set, or its envelope is so damaged that it never opens: a new value is then the fix
 */
export function replacedValue(record: SecretRecord, keyring: Keyring): VersionRecord | undefined {
  const { id: secretId, owner, maskedValue, destination, sealed } = record;
  if (!sealed || sealed.envelope.tag !== sealed.tag || !mayOpen(sealed.envelope, keyring)) return undefined;
  const kept = { ...sealed, envelope: partsOf(sealed.envelope) };
  const version = { owner, secretId, maskedValue, destination, sealed: kept };
  return { ...version, mac: macOfVersion(version, keyring) };
}

/** Nothing else that something may have written beside them. */
function partsOf({ protected: header, header: { alg, kid }, encrypted_key, iv, ciphertext, tag }: Envelope): Envelope {
  return { protected: header, header: { alg, kid }, encrypted_key, iv, ciphertext, tag };
}
