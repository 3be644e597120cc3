import type { Destination } from '../model/destination.ts';
import type { Sealed, SealedMark } from '../model/envelope.ts';
import { ownerKey } from '../model/owner.ts';
import { actorKey } from '../model/principal.ts';
import type { RecordMac, SecretRecord, StoredSecret } from '../model/secret.ts';
import { type Binding, EnvelopeRejected, open, openBytes } from './envelope.ts';
import { KeyMissing } from './key-missing.ts';
import { type Keyring, type MacKey, usableKey } from './keyring.ts';
import { hmac, hmacOfText, type Message, textOf } from './mac.ts';
import { isSameText } from './same-text.ts';

/** What something other than a gateway wrote to the database. Nothing of it may be delivered or used. */
export class RecordRejected extends Error {
  override readonly name = 'RecordRejected';
  readonly secretId: string;

  constructor(secretId: string, what: string, cause?: unknown) {
    super(what, { cause });
    this.secretId = secretId;
  }
}

type Marked = Omit<StoredSecret, 'mac' | 'lastUsedAt' | 'health'>;
type Bound = Pick<Marked, 'id' | 'owner' | 'destination'>;

/** The MAC of a record as it will be stored, under the active key. */
export function macOfRecord(record: Marked, { mac }: Keyring): RecordMac {
  return { kid: mac.active.kid, tag: tagOfRecord(record, mac.active) };
}

/**
 * Before anything is made of a stored record: a value that leaves, or its next version.
 * @throws RecordRejected when its MAC is not that of a gateway
 * @throws KeyMissing when the keyring lacks the key of the MAC
 */
export function requireRecordMac(record: StoredSecret, keyring: Keyring): void {
  const { id, mac } = record;
  const text = textOf(messageOfRecord(record));
  const known = verified.get(id);
  if (known?.text === text && known.tag === mac.tag && known.key === usableKey(keyring.mac, mac.kid)) return;
  requireMac(mac, (key) => hmacOfText(key, text), id, keyring);
  remember(id, { text, tag: mac.tag, key: usableKey(keyring.mac, mac.kid) });
}

/** Of a record whose MAC was right: what the MAC is over, the MAC, and its key in the keyring that was read then. */
interface Verified {
  readonly text: string;
  readonly tag: string;
  readonly key: MacKey | undefined;
}

/**
 * A secret that is used again and again is read each time, and is mostly the same. Then its MAC need not be computed: text, MAC and
 * key decide alone whether it is right. By the ids of secrets; none of it is secret itself.
 */
const verified = new Map<string, Verified>();
const mostVerified = 1000;
const longestVerified = 2000;

function remember(id: string, record: Verified): void {
  if (record.text.length > longestVerified) return;
  verified.delete(id);
  const [oldest] = verified.keys();
  if (verified.size >= mostVerified && oldest !== undefined) verified.delete(oldest);
  verified.set(id, record);
}

/** The same for any record of a secret's value. */
export function requireMac(
  stored: RecordMac,
  tagUnder: (key: MacKey) => string,
  secretId: string,
  { mac }: Keyring,
): void {
  const key = usableKey(mac, stored.kid);
  if (!key) throw new KeyMissing(stored.kid);
  if (!isSameText(stored.tag, tagUnder(key))) {
    throw new RecordRejected(secretId, 'the MAC of the record is not that of a gateway');
  }
}

/**
 * The one way to a value that is in a store: checks the record's MAC, and then opens its envelope where it belongs.
 * @returns null where no value is set
 * @throws RecordRejected when something other than a gateway wrote the record or its envelope
 * @throws KeyMissing when the keyring lacks the key of either
 */
export async function openRecord(record: SecretRecord, keyring: Keyring): Promise<string | null> {
  requireRecordMac(record, keyring);
  return record.sealed && openSealed(open, record, record.sealed, keyring);
}

/** The same in UTF-8, for a value of which there need not be a string. */
export async function openRecordBytes(record: SecretRecord, keyring: Keyring): Promise<Uint8Array | null> {
  requireRecordMac(record, keyring);
  return record.sealed && openSealed(openBytes, record, record.sealed, keyring);
}

/** The value of a record whose MAC was checked: that is over the tag beside the envelope. */
export async function openSealed<T>(
  open: (...of: Parameters<typeof openBytes>) => Promise<T>,
  secret: Bound,
  sealed: Sealed,
  keyring: Keyring,
): Promise<T> {
  const { id } = secret;
  if (sealed.envelope.tag !== sealed.tag) throw new RecordRejected(id, 'the envelope is another than the record names');
  try {
    return await open(sealed.envelope, bindingOf(secret, sealed.version), keyring);
  } catch (error) {
    throw error instanceof EnvelopeRejected ? new RecordRejected(id, error.message, error) : error;
  }
}

/** What the envelope of a value that was set in this version is bound to. */
export function bindingOf({ id, owner, destination }: Bound, version: number): Binding {
  return { owner: ownerKey(owner), secretId: id, version, destination };
}

/** What a MAC has of where a value may be sent. */
export function fieldsOfDestination(destination: Destination | null) {
  if (!destination) return null;
  const { origin, header, format, paths, byHand } = destination;
  return [origin, header, format, paths, byHand] as const;
}

/** What a MAC has of a value. Neither `header` nor `encrypted_key` of the envelope is in it: a rewrap changes both. */
export function fieldsOfValue({ version, number, tag, setAt, setBy }: SealedMark) {
  return [version, number, tag, setAt.getTime(), actorKey(setBy)] as const;
}

export function tagOfRecord(record: Marked, key: MacKey): string {
  return hmac(key, messageOfRecord(record));
}

function messageOfRecord(record: Marked): Message {
  const { owner, id, version, name, placeholder, provider, maskedValue, createdBy, updatedBy, sealed } = record;
  const { expiresAt } = record;
  const destination = fieldsOfDestination(record.destination);
  const value = sealed && fieldsOfValue(sealed);
  const what = [name, placeholder, provider, destination, maskedValue] as const;
  const who = [actorKey(createdBy), actorKey(updatedBy)] as const;
  // Only where there is one, so that the MACs of the first release hold.
  const reminder = expiresAt === null ? [] : [['expiresAt', expiresAt.getTime()]];
  return ['record', 1, ownerKey(owner), id, version, ...what, ...who, value, ...reminder];
}
