import { createHmac } from 'node:crypto';
import type { SealedMark, ValueDigest } from '../model/envelope.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { StoredSecret } from '../model/secret.ts';
import { type EqualityKey, type Keyring, usableKey, usableKeys } from './keyring.ts';
import { hmac } from './mac.ts';
import { RecordRejected, requireRecordMac } from './record.ts';
import { isSameText } from './same-text.ts';

type Digested = Pick<StoredSecret, 'id' | 'owner'>;
type DigestedMark = Pick<SealedMark, 'version' | 'tag'>;

/** What a store keeps beside a value, under the active key. @param value text, or the UTF-8 of one */
export function digestOfValue(
  value: string | Uint8Array,
  secret: Digested,
  mark: DigestedMark,
  { equality: { active } }: Keyring,
): ValueDigest {
  const digest = digestUnder(active, value, secret.owner);
  return { kid: active.kid, digest, mac: macUnder(active, digest, secret, mark) };
}

/**
 * What an owner's secrets with this value may have, under each key that one of them may be under: during a rotation there are
 * two.
 */
export function digestsToFind(value: string | Uint8Array, owner: Owner, { equality }: Keyring): string[] {
  return usableKeys(equality).map((key) => digestUnder(key, value, owner));
}

/**
 * Whether a stored digest is the one that a gateway made of the value that the secret has. Both MACs are looked at: with the
 * digest of another value of the same secret, a record without its own value would look like one that has it.
 * @throws KeyMissing when the keyring lacks the key of the secret's MAC
 */
export function isDigestOf(secret: StoredSecret, { kid, digest, mac }: ValueDigest, keyring: Keyring): boolean {
  const key = usableKey(keyring.equality, kid);
  if (!key || !secret.sealed) return false;
  try {
    requireRecordMac(secret, keyring);
  } catch (error) {
    if (error instanceof RecordRejected) return false;
    throw error;
  }
  return isSameText(mac, macUnder(key, digest, secret, secret.sealed));
}

/** Whether the secret has this value, by what is stored of both. @throws KeyMissing */
export function hasValue(
  secret: StoredSecret,
  stored: ValueDigest | undefined,
  value: string | Uint8Array,
  keyring: Keyring,
): boolean {
  const key = stored && usableKey(keyring.equality, stored.kid);
  if (!stored || !key) return false;
  const isEqual = isSameText(stored.digest, digestUnder(key, value, secret.owner));
  // Both are computed, whatever the first says.
  return isDigestOf(secret, stored, keyring) && isEqual;
}

/**
 * The owner is in it, so that equal values of two owners have nothing in common. The first part is JSON of one line, and the
 * value follows as it is: no two pairs share an encoding, and no string is made of bytes.
 */
function digestUnder({ key }: EqualityKey, value: string | Uint8Array, owner: Owner): string {
  const context = `${JSON.stringify(['equal value', 1, ownerKey(owner)])}\n`;
  return createHmac('sha256', key).update(context).update(value).digest('base64url');
}

/** No envelope has the GCM tag of another, so that a digest serves for one value of one secret. */
function macUnder(key: EqualityKey, digest: string, { id, owner }: Digested, { version, tag }: DigestedMark): string {
  return hmac(key, ['digest of a value', 1, ownerKey(owner), id, version, tag, digest]);
}
