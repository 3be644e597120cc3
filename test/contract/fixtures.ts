import { randomUUID } from 'node:crypto';
import type { AuditEvent, NewAuditEvent } from '../../src/model/audit-event.ts';
import type { Sealed } from '../../src/model/envelope.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { Secret, SecretRecord } from '../../src/model/secret.ts';
import { auditHash, chainStart } from '../../src/store/audit.ts';
import type { ListQuery, Store, Write } from '../../src/store/store.ts';

/** Milliseconds matter: both stores keep them. */
const at = new Date('2026-03-04T05:06:07.089Z');

/** An owner that no other test uses, so that tests share a store and still see only their own secrets. */
export function newOwner(): Owner {
  return { type: 'team', teamId: `team ${randomUUID()}` };
}

export function sealed(version = 1, marker: string = randomUUID()): Sealed {
  return {
    version,
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

export function newRecord(owner: Owner, fields: Partial<SecretRecord> = {}): SecretRecord {
  const id = randomUUID();
  return {
    id,
    owner,
    placeholder: `sec_${id.slice(0, 13)}`,
    name: `NAME_${id}`,
    provider: 'aws',
    notes: null,
    tags: [],
    maskedValue: 'AKIAIO••••PLE',
    version: 1,
    createdAt: at,
    updatedAt: at,
    sealed: sealed(),
    ...fields,
  };
}

function eventOf(type: NewAuditEvent['type'], { id, version }: Secret): NewAuditEvent {
  return { type, actor: { kind: 'user', id: 'ada' }, requestId: 'request-1', at, secretId: id, version };
}

export function insert(record: SecretRecord): Write {
  return { type: 'insertSecret', record, event: eventOf('secret.created', record) };
}

/** An update of the stored secret to its next version. */
export function update(current: Secret, fields: Partial<Secret> = {}, newSealed?: Sealed): Write {
  const secret = { ...withoutEnvelope(current), version: current.version + 1, ...fields };
  const event = eventOf('secret.updated', secret);
  return { type: 'updateSecret', secret, ...(newSealed && { sealed: newSealed }), event };
}

export function remove(secret: Secret): Write {
  return { type: 'deleteSecret', secret: withoutEnvelope(secret), event: eventOf('secret.deleted', secret) };
}

/** An event that changes nothing. */
export function eventAlone(secret: Secret): Write {
  return { type: 'appendEvent', owner: secret.owner, event: eventOf('secret.updated', secret) };
}

export function withoutEnvelope(secret: Secret & { sealed?: unknown }): Secret {
  const { sealed: _, ...rest } = secret;
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
export function breakOf(events: readonly AuditEvent[], owner: Owner): number | null {
  let head = chainStart;
  for (const [index, event] of events.entries()) {
    const { hash, ...said } = event;
    const follows = event.previousHash === head.hash && event.sequence === head.sequence + 1;
    if (!follows || auditHash(owner, said) !== hash) return index;
    head = event;
  }
  return null;
}

/** Compares by UTF-8 bytes, unlike JavaScript's own order. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
