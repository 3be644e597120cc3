import { describe, expect, it } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import { auditHash, chainStart, nextAuditEvent } from '../../src/store/audit.ts';
import type { AuditEvent } from '../../src/store/store.ts';
import { breakOf, insert, newRecord, remove, update } from '../contract/fixtures.ts';

const ada: Owner = { type: 'user', userId: 'auth0|ada' };
const created: Omit<AuditEvent, 'hash'> = {
  previousHash: '',
  sequence: 1,
  at: new Date('2026-03-04T05:06:07.089Z'),
  type: 'secret.created',
  secretId: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1aa',
  version: 1,
  actor: 'auth0|ada',
  requestId: 'request-1',
};

describe('the hash of an audit event', () => {
  /** Made with Python's json and hashlib: chains that are in databases must verify for ever. */
  it.each<[string, Owner, Omit<AuditEvent, 'hash'>, string]>([
    ['a first event', ada, created, 'dcc4f3f726f065a738e0a6e1d2fdf4034e4636b8184042050298e0e626436331'],
    [
      'one after it',
      ada,
      {
        ...created,
        previousHash: 'dcc4f3f726f065a738e0a6e1d2fdf4034e4636b8184042050298e0e626436331',
        sequence: 2,
        at: new Date('2026-03-04T05:06:08Z'),
        type: 'secret.updated',
        version: 2,
        requestId: 'request-2',
      },
      'dd3de339423fcf28c9c440d17efeff7ee9a4e4edab29c1c8856c6541e1eaef2a',
    ],
    [
      'a connector’s, with what JSON and keys of owners must escape',
      { type: 'connector', teamId: '鍵/"1"', connectorId: 'a/b' },
      {
        previousHash: '',
        sequence: 1,
        at: new Date(1),
        type: 'secret.deleted',
        secretId: '01a1fd83-b615-75ce-82ec-259f13f51259',
        version: 7,
        actor: 'bob "the" 鍵',
        requestId: 'r\n',
      },
      'b2387707109dece1ac41d6da5643fa2da39332170088013bfb41998871b0d714',
    ],
  ])('is what it was in the first release: %s', (_case, owner, event, hash) => {
    expect(auditHash(owner, event)).toBe(hash);
  });

  const changes: Record<keyof typeof created, Partial<typeof created>> = {
    previousHash: { previousHash: '0'.repeat(64) },
    sequence: { sequence: 2 },
    at: { at: new Date(created.at.getTime() + 1) },
    type: { type: 'secret.deleted' },
    secretId: { secretId: '0a0de1d2-5d3f-4f6e-9f5c-52d0c4f7b1ab' },
    version: { version: 2 },
    actor: { actor: 'auth0|eve' },
    requestId: { requestId: 'request-2' },
  };

  it.each(Object.entries(changes))('is another with another %s', (_field, change) => {
    expect(auditHash(ada, { ...created, ...change })).not.toBe(auditHash(ada, created));
  });

  it('covers every field that an event has besides the hash', () => {
    const { hash: _, ...event } = nextAuditEvent(chainStart, insert(newRecord(ada)));
    expect(Object.keys(changes).sort()).toEqual(Object.keys(event).sort());
  });

  it.each<[string, Owner]>([
    ['id', { type: 'user', userId: 'auth0|eve' }],
    ['type', { type: 'team', teamId: 'auth0|ada' }],
    ['connector', { type: 'connector', teamId: 'auth0|ada', connectorId: 'c' }],
  ])('is another with an owner of another %s', (_part, owner) => {
    expect(auditHash(owner, created)).not.toBe(auditHash(ada, created));
  });

  it('is another where two fields share one text otherwise', () => {
    for (const between of ['', ',', '","', '\0', '\n']) {
      const one = { ...created, actor: 'a', requestId: `b${between}c` };
      const other = { ...created, actor: `a${between}b`, requestId: 'c' };
      expect(auditHash(ada, one)).not.toBe(auditHash(ada, other));
    }
  });
});

describe('a chain', () => {
  const record = newRecord(ada);
  const first = nextAuditEvent(chainStart, insert(record));
  const second = nextAuditEvent(first, update(record, { notes: 'x' }));
  const third = nextAuditEvent(second, update({ ...record, version: 2 }));
  const fourth = nextAuditEvent(third, remove({ ...record, version: 3 }));
  const events = [first, second, third, fourth];

  /** As one would forge it who has the database and this code: the event's own hash is right again. */
  function forged(event: AuditEvent, change: Partial<AuditEvent>): AuditEvent {
    const said = { ...event, ...change };
    return { ...said, hash: auditHash(ada, said) };
  }

  it('holds as it was made', () => {
    expect(breakOf(events, ada)).toBeNull();
    expect(events.map(({ sequence, version }) => [sequence, version])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 3],
    ]);
  });

  it('breaks at an event that was changed', () => {
    expect(breakOf([first, { ...second, actor: 'eve' }, third, fourth], ada)).toBe(1);
  });

  it('breaks after an event that was changed with its hash', () => {
    expect(breakOf([first, forged(second, { actor: 'eve' }), third, fourth], ada)).toBe(2);
  });

  it.each([0, 1, 2])('breaks where event %i was dropped', (dropped) => {
    expect(breakOf(events.toSpliced(dropped, 1), ada)).toBe(dropped);
  });

  it('breaks where two events were swapped, also when they were numbered anew', () => {
    expect(breakOf([first, third, second, fourth], ada)).toBe(1);
    expect(breakOf([first, forged(third, { sequence: 2 }), forged(second, { sequence: 3 }), fourth], ada)).toBe(1);
  });

  it('breaks where an event was put in', () => {
    expect(breakOf([first, forged(first, { sequence: 2, previousHash: first.hash }), second], ada)).toBe(2);
  });

  it('does not hold as another owner’s', () => {
    expect(breakOf(events, { type: 'team', teamId: 'red' })).toBe(0);
  });
});
