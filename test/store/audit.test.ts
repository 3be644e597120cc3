import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../src/model/audit-event.ts';
import type { Owner } from '../../src/model/owner.ts';
import { auditHash, chainStart, nextAuditEvent } from '../../src/store/audit.ts';
import { breakOf, insert, newRecord, remove, update } from '../contract/fixtures.ts';

const ada: Owner = { type: 'user', userId: 'auth0|ada' };
const created: Omit<AuditEvent, 'hash'> = {
  previousHash: '',
  sequence: 1,
  at: new Date('2026-03-04T05:06:07.089Z'),
  type: 'secret.created',
  secretId: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1aa',
  version: 1,
  actor: { kind: 'user', id: 'auth0|ada' },
  requestId: 'request-1',
};

describe('the hash of an audit event', () => {
  /** Made with Python's json and hashlib: chains in existing databases must verify forever. */
  it.each<[string, Owner, Omit<AuditEvent, 'hash'>, string]>([
    ['a first event', ada, created, 'f638d8d2c92722a9e1aaa69a9a2bb45971ac2c2008c5dd570766c88e1b8984b9'],
    [
      'the event after it',
      ada,
      {
        ...created,
        previousHash: 'f638d8d2c92722a9e1aaa69a9a2bb45971ac2c2008c5dd570766c88e1b8984b9',
        sequence: 2,
        at: new Date('2026-03-04T05:06:08Z'),
        type: 'secret.updated',
        version: 2,
        requestId: 'request-2',
      },
      'd629a02753255038feb8d9c1a90c50c7b32db9b22d68bcc2f24491f6886e84d6',
    ],
    [
      'an event of a connector, with characters that JSON and keys of owners must escape',
      { type: 'connector', teamId: '鍵/"1"', connectorId: 'a/b' },
      {
        previousHash: '',
        sequence: 1,
        at: new Date(1),
        type: 'secret.deleted',
        secretId: '01a1fd83-b615-75ce-82ec-259f13f51259',
        version: 7,
        actor: { kind: 'apiKey', id: 'bob "the" 鍵' },
        requestId: 'r\n',
      },
      'e8ed5d31008d1d69ff59ecfb460a93e6a8d04d91cc5b37b58262e0174bef58b8',
    ],
  ])('is the same as in the first release: %s', (_case, owner, event, hash) => {
    expect(auditHash(owner, event)).toBe(hash);
  });

  const changes: Record<keyof typeof created, Partial<typeof created>> = {
    previousHash: { previousHash: '0'.repeat(64) },
    sequence: { sequence: 2 },
    at: { at: new Date(created.at.getTime() + 1) },
    type: { type: 'secret.deleted' },
    secretId: { secretId: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1ab' },
    version: { version: 2 },
    actor: { actor: { kind: 'user', id: 'auth0|eve' } },
    requestId: { requestId: 'request-2' },
  };

  it.each(Object.entries(changes))('changes with the %s', (_field, change) => {
    expect(auditHash(ada, { ...created, ...change })).not.toBe(auditHash(ada, created));
  });

  it('changes with the kind of the actor, even if the id is the same', () => {
    const actor = { ...created.actor, kind: 'apiKey' } as const;
    expect(auditHash(ada, { ...created, actor })).not.toBe(auditHash(ada, created));
  });

  it('covers every field that an event has besides the hash', () => {
    const { hash: _, ...event } = nextAuditEvent(chainStart, ada, insert(newRecord(ada)).event);
    expect(Object.keys(changes).sort()).toEqual(Object.keys(event).sort());
  });

  it.each<[string, Owner]>([
    ['id', { type: 'user', userId: 'auth0|eve' }],
    ['type', { type: 'team', teamId: 'auth0|ada' }],
    ['connector', { type: 'connector', teamId: 'auth0|ada', connectorId: 'c' }],
  ])('changes with the %s of the owner', (_part, owner) => {
    expect(auditHash(owner, created)).not.toBe(auditHash(ada, created));
  });

  it('changes when the same text is split differently between two fields', () => {
    for (const between of ['', ',', '","', '\0', '\n']) {
      const one = { ...created, actor: { kind: 'user', id: 'a' }, requestId: `b${between}c` } as const;
      const other = { ...created, actor: { kind: 'user', id: `a${between}b` }, requestId: 'c' } as const;
      expect(auditHash(ada, one)).not.toBe(auditHash(ada, other));
    }
  });
});

describe('a chain', () => {
  const record = newRecord(ada);
  const first = nextAuditEvent(chainStart, ada, insert(record).event);
  const second = nextAuditEvent(first, ada, update(record, { notes: 'x' }).event);
  const third = nextAuditEvent(second, ada, update({ ...record, version: 2 }).event);
  const fourth = nextAuditEvent(third, ada, remove({ ...record, version: 3 }).event);
  const events = [first, second, third, fourth];

  /** A forgery by somebody who has the database and this code: the hash of the event is correct again. */
  function forged(event: AuditEvent, change: Partial<AuditEvent>): AuditEvent {
    const said = { ...event, ...change };
    return { ...said, hash: auditHash(ada, said) };
  }

  it('is valid when nothing was changed', () => {
    expect(breakOf(events, ada)).toBeNull();
    expect(events.map(({ sequence, version }) => [sequence, version])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 3],
    ]);
  });

  it('breaks at a changed event', () => {
    expect(breakOf([first, { ...second, actor: { kind: 'user', id: 'eve' } }, third, fourth], ada)).toBe(1);
  });

  it('breaks after an event that was changed together with its hash', () => {
    expect(breakOf([first, forged(second, { actor: { kind: 'user', id: 'eve' } }), third, fourth], ada)).toBe(2);
  });

  it.each([0, 1, 2])('breaks where event %i was removed', (dropped) => {
    expect(breakOf(events.toSpliced(dropped, 1), ada)).toBe(dropped);
  });

  it('breaks where two events were swapped, even if they were renumbered', () => {
    expect(breakOf([first, third, second, fourth], ada)).toBe(1);
    expect(breakOf([first, forged(third, { sequence: 2 }), forged(second, { sequence: 3 }), fourth], ada)).toBe(1);
  });

  it('breaks where an event was inserted', () => {
    expect(breakOf([first, forged(first, { sequence: 2, previousHash: first.hash }), second], ada)).toBe(2);
  });

  it('has no key: with every later hash and the head calculated again, a changed chain is valid, and only a copy of a head shows it', () => {
    const copy = { sequence: fourth.sequence, hash: fourth.hash };
    const rewritten = [first];
    for (const event of [{ ...second, actor: { kind: 'user', id: 'eve' } as const }, third, fourth]) {
      rewritten.push(nextAuditEvent(rewritten.at(-1) ?? chainStart, ada, event));
    }
    expect(breakOf(rewritten, ada)).toBeNull();
    expect(rewritten[copy.sequence - 1]?.hash).not.toBe(copy.hash);
    // The same with its end cut off.
    expect(breakOf(events.slice(0, 2), ada)).toBeNull();
  });

  it('is not valid for another owner', () => {
    expect(breakOf(events, { type: 'team', teamId: 'red' })).toBe(0);
  });
});
