import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { isEventOf, macOfEvent } from '../../src/crypto/event-mac.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import type { LinkedEvent } from '../../src/model/audit-event.ts';
import { type Owner, ownerOfKey } from '../../src/model/owner.ts';
import { chainStart, nextAuditEvent } from '../../src/store/audit.ts';
import { eventAlone, insert, newRecord, remove, update, use } from '../contract/fixtures.ts';
import { type KeyEntry, keyringText, testKeyring, withTestMac } from '../support/keyring.ts';

const ada: Owner = { type: 'user', userId: 'auth0|ada' };
const created: LinkedEvent = {
  previousHash: '',
  sequence: 1,
  at: new Date('2026-03-04T05:06:07.089Z'),
  type: 'secret.created',
  secretId: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1aa',
  version: 1,
  actor: { kind: 'user', id: 'auth0|ada' },
  requestId: 'request-1',
  recordMac: '5pHV_TiwDkgIh78z7VeUIdbVEiMSuPaENPrFacosoDw',
};

const hashOf = (owner: Owner, event: LinkedEvent) => macOfEvent(owner, event, testKeyring).hash;

describe('the MAC of an audit event', () => {
  it('is that of the first format: vectors that another implementation made', async () => {
    const vectors = JSON.parse(await readFile(new URL('../vectors/audit-events.json', import.meta.url), 'utf8'));
    expect(vectors.length).toBeGreaterThan(2);
    for (const { kid, owner, event, hash } of vectors) {
      const told = { ...event, at: new Date(event.at) };
      expect(macOfEvent(ownerOfKey(owner), told, await ringOf([kid, 'active']))).toEqual({ kid, hash });
    }
  });

  const changes: Record<Exclude<keyof LinkedEvent, 'apiKeyId'>, Partial<LinkedEvent>> = {
    previousHash: { previousHash: '0'.repeat(64) },
    sequence: { sequence: 2 },
    at: { at: new Date(created.at.getTime() + 1) },
    type: { type: 'secret.deleted' },
    secretId: { secretId: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1ab' },
    version: { version: 2 },
    actor: { actor: { kind: 'user', id: 'auth0|eve' } },
    requestId: { requestId: 'request-2' },
    recordMac: { recordMac: null },
    purpose: { purpose: 'deploy' },
    secretName: { secretName: 'API_KEY' },
    method: { method: 'POST' },
    origin: { origin: 'https://api.example.com' },
  };

  it.each(Object.entries(changes))('changes with the %s', (_field, change) => {
    expect(hashOf(ada, { ...created, ...change })).not.toBe(hashOf(ada, created));
  });

  it('changes with the API key that it is about, and is not that of a secret of the same id', () => {
    const { secretId: _, version: __, ...said } = created;
    const of = (apiKeyId: string) => hashOf(ada, { ...said, apiKeyId });
    expect(of('one')).not.toBe(of('two'));
    expect(of('one')).not.toBe(hashOf(ada, { ...said, secretId: 'one' }));
  });

  it('changes with the kind of the actor, even if the id is the same', () => {
    const actor = { ...created.actor, kind: 'apiKey' } as const;
    expect(hashOf(ada, { ...created, actor })).not.toBe(hashOf(ada, created));
  });

  it('covers every field that an event has besides the MAC itself', () => {
    const write = use(newRecord(ada), 'deploy');
    const used = { ...write, event: { ...write.event, method: 'POST', origin: 'https://api.example.com' } };
    const { kid: _, hash: __, ...event } = nextAuditEvent(chainStart, used, withTestMac.macOfEvent);
    expect(Object.keys(changes).sort()).toEqual(Object.keys(event).sort());
  });

  it.each<[string, Owner]>([
    ['id', { type: 'user', userId: 'auth0|eve' }],
    ['type', { type: 'team', teamId: 'auth0|ada' }],
    ['connector', { type: 'connector', teamId: 'auth0|ada', connectorId: 'c' }],
  ])('changes with the %s of the owner', (_part, owner) => {
    expect(hashOf(owner, created)).not.toBe(hashOf(ada, created));
  });

  it('changes when the same text is split differently between two fields', () => {
    for (const between of ['', ',', '","', '\0', '\n']) {
      const one = { ...created, actor: { kind: 'user', id: 'a' }, requestId: `b${between}c` } as const;
      const other = { ...created, actor: { kind: 'user', id: `a${between}b` }, requestId: 'c' } as const;
      expect(hashOf(ada, one)).not.toBe(hashOf(ada, other));
    }
  });

  it('is checked with the key that it names, while that key verifies', async () => {
    const before = await ringOf(['one', 'active']);
    const event = { ...created, ...macOfEvent(ada, created, before) };
    const after = await ringOf(['one', 'verifying'], ['two', 'active']);
    expect(isEventOf(ada, event, after)).toBe(true);
    expect(macOfEvent(ada, created, after).kid).toBe('two');
    expect(isEventOf(ada, { ...event, kid: 'two' }, after)).toBe(false);
    expect(isEventOf(ada, event, await ringOf(['one', 'retired'], ['two', 'active']))).toBeUndefined();
    expect(isEventOf(ada, event, await ringOf(['two', 'active']))).toBeUndefined();
  });
});

describe('an event', () => {
  it('holds the MAC of the record as the change left it, or as it was before it was deleted', () => {
    const record = newRecord(ada);
    const renamed = update(record, { name: 'renamed' });
    const recordMac = (write: Parameters<typeof nextAuditEvent>[1]) =>
      nextAuditEvent(chainStart, write, withTestMac.macOfEvent).recordMac;
    expect(recordMac(insert(record))).toBe(record.mac.tag);
    expect(recordMac(renamed)).toBe(renamed.mac.tag);
    expect(renamed.mac.tag).not.toBe(record.mac.tag);
    expect(recordMac(remove(record))).toBe(record.mac.tag);
    expect(recordMac(use(record))).toBe(record.mac.tag);
    expect(recordMac(eventAlone(record))).toBeNull();
    expect(recordMac({ ...eventAlone(record), recordMac: record.mac.tag })).toBe(record.mac.tag);
  });
});

function ringOf(...keys: [kid: string, state: string][]): Promise<Keyring> {
  return parseKeyring(keyringText(keys.map(([kid, state]): KeyEntry => ({ use: 'mac', kid, state }))), 'keyring.json');
}
