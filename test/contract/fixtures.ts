import { randomUUID } from 'node:crypto';
import { macOfDeleted } from '../../src/crypto/deleted-record.ts';
import { isEventOf } from '../../src/crypto/event-mac.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { macOfRecord } from '../../src/crypto/record.ts';
import { macOfVersion } from '../../src/crypto/version-record.ts';
import type { AuditEvent, NewAuditEvent } from '../../src/model/audit-event.ts';
import type { DeletedRecord, Deletion } from '../../src/model/deleted-secret.ts';
import type { Destination } from '../../src/model/destination.ts';
import type { Sealed, SealedMark, WrappedKey } from '../../src/model/envelope.ts';
import { type Owner, ownerKey } from '../../src/model/owner.ts';
import type { Secret, SecretRecord, StoredSecret } from '../../src/model/secret.ts';
import type { SecretHealth } from '../../src/model/secret-health.ts';
import type { VersionRecord } from '../../src/model/secret-version.ts';
import { chainStart } from '../../src/store/audit.ts';
import { positionIn } from '../../src/store/positions.ts';
import type { ListQuery, OwnedWrite, Store, Write } from '../../src/store/store.ts';
import { testKeyring } from '../support/keyring.ts';

/** Milliseconds matter: both stores keep them. */
const at = new Date('2026-03-04T05:06:07.089Z');

const ada = { kind: 'user', id: 'ada' } as const;

/** An owner that no other test uses, so that tests share a store and still see only their own secrets. */
export function newOwner(): Owner {
  return { type: 'team', teamId: `team ${randomUUID()}` };
}

export function sealed(version = 1, marker: string = randomUUID()): Sealed {
  return {
    version,
    number: version,
    tag: 'tag',
    setAt: at,
    setBy: ada,
    envelope: {
      protected: 'eyJlbmMiOiJBMjU2R0NNIn0',
      header: { alg: 'A256KW', kid: 'kek-1' },
      encrypted_key: 'encryptedKey',
      iv: 'iv',
      ciphertext: marker,
      tag: 'tag',
    },
  };
}

/** Where a value may be sent. */
export const destination: Destination = {
  origin: 'https://api.openai.com',
  header: 'Authorization',
  format: 'Bearer {value}',
  paths: ['/v1', '/v2/é'],
  byHand: true,
};

/** That one with one part changed, and what was changed. */
export const changedDestinations: [what: string, destination: Destination | null][] = [
  ['another origin', { ...destination, origin: 'https://api.openai.com.example' }],
  ['another header', { ...destination, header: 'authorization' }],
  ['another format', { ...destination, format: '{value}' }],
  ['fewer paths', { ...destination, paths: ['/v1'] }],
  ['no paths', { ...destination, paths: [] }],
  ['every path', { ...destination, paths: null }],
  ['another author', { ...destination, byHand: false }],
  ['nothing', null],
];

export function newRecord(owner: Owner, fields: Partial<SecretRecord> = {}): SecretRecord {
  const id = randomUUID();
  return marked({
    id,
    owner,
    placeholder: `sec_${id.slice(0, 13)}`,
    name: `NAME_${id}`,
    provider: 'aws',
    notes: null,
    tags: [],
    maskedValue: 'AKIAIO••••PLE',
    destination,
    version: 1,
    expiresAt: null,
    createdAt: at,
    updatedAt: at,
    createdBy: ada,
    updatedBy: ada,
    lastUsedAt: null,
    health: null,
    sealed: sealed(),
    ...fields,
  });
}

/** With the MAC of a gateway. */
export function marked<R extends Omit<StoredSecret, 'mac'>>(record: R, keyring: Keyring = testKeyring) {
  return { ...record, mac: macOfRecord(record, keyring) };
}

export function eventOf(type: NewAuditEvent['type'], { id, version, name }: Secret): NewAuditEvent {
  return { type, actor: ada, requestId: 'request-1', at, secretId: id, version, secretName: name };
}

export function insert(record: SecretRecord): OwnedWrite {
  return { type: 'insertSecret', record, event: eventOf('secret.created', record) };
}

/** An update of the stored secret to its next version. */
export function update(
  current: StoredSecret,
  fields: Partial<Secret> = {},
  newSealed?: Sealed,
  keyring?: Keyring,
): Extract<Write, { type: 'updateSecret' }> {
  const secret = { ...seen(current), version: current.version + 1, ...fields };
  const { mac } = marked({ ...secret, sealed: newSealed ?? current.sealed }, keyring);
  const event = eventOf('secret.updated', secret);
  const from = marked(current, keyring).mac;
  const values = newSealed && {
    sealed: newSealed,
    ...(hasEnvelope(current) && { replaced: keptOf(current, keyring) }),
  };
  return { type: 'updateSecret', from, secret, ...values, mac, event };
}

function hasEnvelope(record: StoredSecret): record is SecretRecord {
  return record.sealed !== null && 'envelope' in record.sealed;
}

/** The value of a record as it is kept once another has replaced it. */
export function keptOf(
  { owner, id, maskedValue, destination, sealed }: SecretRecord,
  keyring: Keyring = testKeyring,
): VersionRecord {
  if (!sealed) throw new Error('it has a value');
  const version = { owner, secretId: id, maskedValue, destination, sealed };
  return { ...version, mac: macOfVersion(version, keyring) };
}

const deletion = { deletedAt: at, deletedBy: { kind: 'user', id: 'ada' } } as const;

export function remove(
  secret: SecretRecord,
  keyring: Keyring = testKeyring,
  when: Deletion = deletion,
): Extract<Write, { type: 'deleteSecret' }> {
  const record = marked(secret, keyring);
  const mac = macOfDeleted({ ...record, ...when }, keyring);
  return { type: 'deleteSecret', secret: record, deletion: when, mac, event: eventOf('secret.deleted', secret) };
}

/** What `remove` leaves. */
export function deletedBy({ secret, deletion: when, mac }: ReturnType<typeof remove>): DeletedRecord {
  return { ...secret, ...when, mac };
}

/** Undoes a deletion, in the next version. */
export function restore(from: DeletedRecord, fields: Partial<Secret> = {}): Extract<Write, { type: 'restoreSecret' }> {
  const { deletedAt: _, deletedBy: __, ...record } = from;
  const secret = { ...seen(record), version: record.version + 1, ...fields };
  const { mac } = marked({ ...secret, sealed: record.sealed });
  return { type: 'restoreSecret', from, secret, mac, event: eventOf('secret.restored', secret) };
}

export function purge(secret: StoredSecret | DeletedRecord): OwnedWrite {
  const type = 'deletedAt' in secret ? 'purgeDeletedSecret' : 'purgeSecret';
  return { type, secret, event: eventOf('secret.purged', secret) };
}

/** A use of the secret as it is. */
export function use(secret: StoredSecret, purpose?: string): Extract<Write, { type: 'useSecret' }> {
  const event = { ...eventOf('secret.resolved', secret), ...(purpose !== undefined && { purpose }) };
  return { type: 'useSecret', secret: marked(withoutEnvelope(secret)), event };
}

/** The value of the secret as it is goes to its destination. */
export function useAt(secret: StoredSecret, when: Date): Extract<Write, { type: 'useSecret' }> {
  const request = { method: 'POST', origin: secret.destination?.origin ?? 'https://example.com' };
  const event = { ...eventOf('secret.used', secret), ...request, at: when };
  return { type: 'useSecret', secret: marked(withoutEnvelope(secret)), event };
}

/** The value is found out to be no good any more, or something else of it. */
export function rejected(secret: StoredSecret, health: SecretHealth): Extract<Write, { type: 'useSecret' }> {
  return {
    type: 'useSecret',
    secret: marked(withoutEnvelope(secret)),
    health,
    event: eventOf('secret.rejected', secret),
  };
}

/** An event that changes nothing. */
export function eventAlone(secret: Secret): Extract<Write, { type: 'appendEvent' }> {
  return { type: 'appendEvent', owner: secret.owner, event: eventOf('secret.updated', secret) };
}

/** The wrapped key of a record's envelope, as a store reads it. */
export function wrappedKeyOf({ id, owner, sealed: value }: SecretRecord): WrappedKey {
  const { header, encrypted_key: encryptedKey } = value?.envelope ?? sealed().envelope;
  return { position: positionIn('secrets', id), owner: ownerKey(owner), secretId: id, kid: header.kid, encryptedKey };
}

/** What a find shows of a record. */
export function withoutEnvelope({ sealed, ...record }: StoredSecret): StoredSecret {
  return { ...record, sealed: sealed && markOf(sealed) };
}

/** Of a value that was set there. */
export function markOf({ version, number, tag, setAt, setBy }: SealedMark): SealedMark {
  return { version, number, tag, setAt, setBy };
}

/** What a list shows of a record. */
export function seen(record: StoredSecret): Secret {
  const { sealed: _, mac: __, ...rest } = record;
  return rest;
}

export function query(owner: Owner, fields: Partial<ListQuery> = {}): ListQuery {
  return { owner, filter: {}, from: 'start', limit: 1000, count: true, ...fields };
}

export async function names(store: Store, owner: Owner, fields: Partial<ListQuery> = {}): Promise<string[]> {
  return (await store.list(query(owner, fields))).secrets.map((secret) => secret.name);
}

export async function countOf(store: Store, owner: Owner): Promise<number | null> {
  return (await store.list(query(owner, { limit: 0 }))).totalCount;
}

export function chain(store: Store, owner: Owner): Promise<AuditEvent[]> {
  return store.auditEvents(owner, 0, 100_000);
}

/** The index of the first event that does not follow from those before it, or null. */
export function breakOf(events: readonly AuditEvent[], owner: Owner, keyring: Keyring = testKeyring): number | null {
  let head = chainStart;
  for (const [index, event] of events.entries()) {
    const follows = event.previousHash === head.hash && event.sequence === head.sequence + 1;
    if (!follows || !isEventOf(owner, event, keyring)) return index;
    head = event;
  }
  return null;
}

/** Compares by UTF-8 bytes, unlike JavaScript's own order. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
