import { timingSafeEqual } from 'node:crypto';
import { ownerKey } from '../model/owner.ts';
import type { RecordMac, SecretRecord, StoredSecret } from '../model/secret.ts';
import { type Binding, EnvelopeRejected, open, openBytes } from './envelope.ts';
import { KeyMissing } from './key-missing.ts';
import { type Keyring, type MacKey, usableKey } from './keyring.ts';
import { hmac } from './mac.ts';

/** What something other than a gateway wrote to the database. Nothing of it may be delivered or used. */
export class RecordRejected extends Error {
  override readonly name = 'RecordRejected';
  readonly secretId: string;

  constructor(secretId: string, what: string, cause?: unknown) {
    super(what, { cause });
    this.secretId = secretId;
  }
}

type Marked = Omit<StoredSecret, 'mac'>;

/** The MAC of a record as it will be stored, under the active key. */
export function macOfRecord(record: Marked, { mac }: Keyring): RecordMac {
  return { kid: mac.active.kid, tag: tagOf(record, mac.active) };
}

/**
 * Before anything is made of a stored record: a value that leaves, or its next version.
 * @throws RecordRejected when its MAC is not that of a gateway
 * @throws KeyMissing when the keyring lacks the key of the MAC
 */
export function requireRecordMac(record: StoredSecret, { mac }: Keyring): void {
  const key = usableKey(mac, record.mac.kid);
  if (!key) throw new KeyMissing(record.mac.kid);
  const [stored, own] = [Buffer.from(record.mac.tag), Buffer.from(tagOf(record, key))];
  if (stored.length !== own.length || !timingSafeEqual(stored, own)) {
    throw new RecordRejected(record.id, 'the MAC of the record is not that of a gateway');
  }
}

/**
 * The one way to a value that is in a store: checks the record's MAC, and then opens its envelope where it belongs.
 * @returns null where no value is set
 * @throws RecordRejected when something other than a gateway wrote the record or its envelope
 * @throws KeyMissing when the keyring lacks the key of either
 */
export function openRecord(record: SecretRecord, keyring: Keyring): Promise<string | null> {
  return openWith(open, record, keyring);
}

/** The same in UTF-8, for a value of which there need not be a string. */
export function openRecordBytes(record: SecretRecord, keyring: Keyring): Promise<Uint8Array | null> {
  return openWith(openBytes, record, keyring);
}

async function openWith<T>(
  open: (...of: Parameters<typeof openBytes>) => Promise<T>,
  record: SecretRecord,
  keyring: Keyring,
): Promise<T | null> {
  requireRecordMac(record, keyring);
  const { id, sealed } = record;
  if (!sealed) return null;
  // The MAC is over the tag beside the envelope.
  if (sealed.envelope.tag !== sealed.tag) throw new RecordRejected(id, 'the envelope is another than the record names');
  try {
    return await open(sealed.envelope, bindingOf(record, sealed.version), keyring);
  } catch (error) {
    throw error instanceof EnvelopeRejected ? new RecordRejected(id, error.message, error) : error;
  }
}

/** What the envelope of a value that was set in this version is bound to. */
export function bindingOf({ id, owner }: Pick<Marked, 'id' | 'owner'>, version: number): Binding {
  return { owner: ownerKey(owner), secretId: id, version, destination: null };
}

/** Neither `header` nor `encrypted_key` of the envelope is in it: a rewrap changes both. */
function tagOf({ owner, id, version, name, placeholder, provider, sealed }: Marked, key: MacKey): string {
  const destination = null;
  const value = sealed && [sealed.version, sealed.tag];
  const fields = [1, ownerKey(owner), id, version, name, placeholder, provider, destination, value];
  return hmac(key, 'record', fields).toString('base64url');
}
