import { randomUUID } from 'node:crypto';
import type { Owner } from '../../src/model/owner.ts';
import { auditHash, chainStart } from '../../src/store/audit.ts';
import type {
  AuditEvent,
  AuditNote,
  Change,
  ListQuery,
  Sealed,
  Secret,
  SecretRecord,
  Store,
} from '../../src/store/store.ts';

/** Milliseconds matter: both stores keep them. */
const at = new Date('2026-03-04T05:06:07.089Z');

/** An owner whom no other test knows, so that tests share a store and still see only their own. */
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

function note(type: AuditNote['type']): AuditNote {
  return { type, actor: 'ada', requestId: 'request-1', at };
}

export function insert(record: SecretRecord): Change {
  return { type: 'insert', record, audit: note('secret.created') };
}

/** A change of what is stored now to its next version. */
export function update(current: Secret, fields: Partial<Secret> = {}, newSealed?: Sealed): Change {
  const next = { ...withoutEnvelope(current), version: current.version + 1, ...fields };
  return { type: 'update', secret: next, ...(newSealed && { sealed: newSealed }), audit: note('secret.updated') };
}

export function remove(secret: Secret): Change {
  return { type: 'delete', secret: withoutEnvelope(secret), audit: note('secret.deleted') };
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

/** Where a chain is broken: the first event that does not follow from those before it, or null. */
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

/** By the bytes of their UTF-8, which JavaScript's own order is not. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
