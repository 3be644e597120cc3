import { ownerKey } from '../model/owner.ts';
import type { RecordMac } from '../model/secret.ts';
import type { VersionRecord } from '../model/secret-version.ts';
import { openBytes } from './envelope.ts';
import type { Keyring, MacKey } from './keyring.ts';
import { hmac } from './mac.ts';
import { fieldsOfDestination, fieldsOfValue, openSealed, requireMac } from './record.ts';

type Marked = Omit<VersionRecord, 'mac'>;

/** The MAC of an earlier value as it will be stored, under the active key. */
export function macOfVersion(version: Marked, { mac }: Keyring): RecordMac {
  return { kid: mac.active.kid, tag: tagOf(version, mac.active) };
}

/**
 * The one way to an earlier value that is in a store: checks its MAC, and then opens its envelope where it belongs.
 * @returns its UTF-8, to be overwritten by the caller
 * @throws RecordRejected when something other than a gateway wrote the record or its envelope
 * @throws KeyMissing when the keyring lacks the key of either
 */
export async function openVersionBytes(version: VersionRecord, keyring: Keyring): Promise<Uint8Array> {
  const { owner, secretId: id, destination, sealed } = version;
  requireMac(version.mac, (key) => tagOf(version, key), id, keyring);
  return openSealed(openBytes, { id, owner, destination }, sealed, keyring);
}

function tagOf({ owner, secretId, maskedValue, destination, sealed }: Marked, key: MacKey): string {
  const what = [fieldsOfDestination(destination), maskedValue, fieldsOfValue(sealed)] as const;
  return hmac(key, ['version', 1, ownerKey(owner), secretId, ...what]);
}
