import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChainVerdict } from '../../src/audit/chain-check.ts';
import { type VerifyOptions, verifyChain } from '../../src/audit/verify-chain.ts';
import { macOfEvent } from '../../src/crypto/event-mac.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import type { AuditEvent, ChainHead } from '../../src/model/audit-event.ts';
import type { Owner } from '../../src/model/owner.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { chain, eventAlone, insert, newOwner, newRecord, remove, update } from '../contract/fixtures.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { keyringText, testKeyring, withTestMac } from '../support/keyring.ts';

describe.each(storeNames)('an audit chain, on %s', (name) => {
  let directory: string;
  let store: Store;
  let owner: Owner;
  let events: AuditEvent[];
  let head: ChainHead;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'chain-'));
    store = await openStore(newDatabaseUrl(name, directory), withTestMac);
  });
  beforeEach(async () => {
    owner = newOwner();
    const record = newRecord(owner);
    await store.commit([insert(record)]);
    await store.commit([update(record, { notes: 'x' }), eventAlone(record)]);
    await store.commit([remove({ ...record, version: 2 })]);
    events = await chain(store, owner);
    head = await store.chainHead(owner);
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  /** As if the database held these events and this head. */
  function verdict(
    stored: readonly AuditEvent[],
    { end = head, ...options }: VerifyOptions & { end?: ChainHead } = {},
    of = owner,
  ): Promise<ChainVerdict> {
    const changed: Pick<Store, 'auditEvents' | 'chainHead'> = {
      auditEvents: async (_owner, after, limit) => stored.filter(({ sequence }) => sequence > after).slice(0, limit),
      chainHead: async () => end,
    };
    return verifyChain({ ...store, ...changed }, of, testKeyring, options);
  }

  /** A forgery by somebody who has the database and this code, and not the keys: all that needs no key is right again. */
  const changed = (index: number, change: Partial<AuditEvent>) =>
    events.with(index, { ...events[index], ...change } as AuditEvent);
  const eve = { kind: 'user', id: 'eve' } as const;

  it('is valid when nothing was changed, and its head is told', async () => {
    expect(await verifyChain(store, owner, testKeyring)).toEqual({ valid: true, head });
    expect(head.sequence).toBe(4);
    expect(await verifyChain(store, newOwner(), testKeyring)).toEqual({
      valid: true,
      head: { sequence: 0, hash: '' },
    });
  });

  it.each([0, 1, 2, 3])('breaks at event %i when it was changed, whatever was changed', async (index) => {
    const of = events[index];
    const other = events[(index + 1) % events.length];
    if (!of || !other) throw new Error('there are four');
    const forgeries: Partial<AuditEvent>[] = [
      { actor: eve },
      { actor: { ...of.actor, kind: 'apiKey' } },
      { type: 'secret.deleted', secretId: newOwner().type },
      { at: new Date(0) },
      { at: new Date(Number.NaN) },
      { requestId: 'another' },
      { version: 99 },
      { recordMac: newRecord(owner).mac.tag },
      { hash: other.hash },
      { hash: '' },
      { hash: 7 as unknown as string },
      { actor: null as unknown as typeof of.actor },
    ];
    for (const forgery of forgeries) {
      expect(await verdict(changed(index, forgery))).toEqual({ valid: false, sequence: index + 1, broken: 'forged' });
    }
  });

  it.each([0, 1, 2, 3])('breaks at event %i when it has no key, or one that is not there', async (index) => {
    for (const kid of ['', 'other', undefined as unknown as string]) {
      expect(await verdict(changed(index, { kid }))).toMatchObject({ sequence: index + 1, broken: 'unknown-key' });
    }
  });

  it.each([0, 1, 2, 3])('breaks where event %i was removed', async (index) => {
    expect(await verdict(events.toSpliced(index, 1))).toMatchObject({ sequence: index + 1, broken: 'missing' });
  });

  it('breaks where two events were swapped, even if they were renumbered and linked again', async () => {
    const [first, second, third, fourth] = events as [AuditEvent, AuditEvent, AuditEvent, AuditEvent];
    const renumbered = [first, { ...third, sequence: 2 }, { ...second, sequence: 3 }, fourth];
    expect(await verdict(renumbered)).toMatchObject({ sequence: 2, broken: 'moved' });
    const linked = [
      first,
      { ...third, sequence: 2, previousHash: first.hash },
      { ...second, sequence: 3, previousHash: third.hash },
      { ...fourth, previousHash: second.hash },
    ];
    expect(await verdict(linked)).toMatchObject({ sequence: 2, broken: 'forged' });
  });

  it('breaks where an event was inserted, and where one was added at the end with a head to match', async () => {
    const [first] = events as [AuditEvent];
    const later = events.slice(1).map((event) => ({ ...event, sequence: event.sequence + 1 }));
    const inserted = [first, { ...first, sequence: 2, previousHash: first.hash }, ...later];
    expect(await verdict(inserted)).toMatchObject({ sequence: 2, broken: 'forged' });
    const added = { ...first, sequence: 5, previousHash: head.hash };
    expect(await verdict([...events, added], { end: added })).toMatchObject({ sequence: 5, broken: 'forged' });
  });

  it('breaks where its end was cut off, unless the head was set back to match', async () => {
    const cut = events.slice(0, 2);
    expect(await verdict(cut)).toEqual({ valid: false, sequence: 3, broken: 'missing' });
    const [, end] = cut;
    if (!end) throw new Error('there are two');
    expect(await verdict(cut, { end })).toMatchObject({ valid: true });
    // A head that was logged tells.
    const logged = { sequence: head.sequence, hash: head.hash };
    expect(await verdict(cut, { end, heads: [logged] })).toEqual({ valid: false, sequence: 3, broken: 'missing' });
  });

  it('breaks at a head that it never had, which shows that its end was cut off and has grown again', async () => {
    await store.commit([eventAlone(newRecord(owner))]);
    const [known, other] = [await store.chainHead(owner), events[0]?.hash ?? ''];
    expect(await verifyChain(store, owner, testKeyring, { heads: [head, known] })).toMatchObject({ valid: true });
    for (const sequence of [1, 3, 5]) {
      const heads = [head, { sequence, hash: sequence === 1 ? known.hash : other }];
      const broken = { valid: false, sequence, broken: 'head' };
      expect(await verifyChain(store, owner, testKeyring, { heads })).toEqual(broken);
    }
  });

  it('breaks when the head of its owner was changed, or set back while the events stayed', async () => {
    expect(await verdict(events, { end: { ...head, hash: events[0]?.hash ?? '' } })).toMatchObject({
      sequence: 4,
      broken: 'head',
    });
    const back = { sequence: 2, hash: events[1]?.hash ?? '' };
    expect(await verdict(events, { end: back })).toEqual({ valid: false, sequence: 3, broken: 'head' });
    expect(await verdict(events, { end: { sequence: 0, hash: '' } })).toMatchObject({ sequence: 1, broken: 'head' });
  });

  it('is not valid for another owner, or without its key', async () => {
    expect(await verdict(events, {}, newOwner())).toEqual({ valid: false, sequence: 1, broken: 'forged' });
    const others = await parseKeyring(keyringText([{ use: 'mac', kid: 'other', state: 'active' }]), 'keyring.json');
    expect(await verifyChain(store, owner, others)).toEqual({ valid: false, sequence: 1, broken: 'unknown-key' });
  });

  it('is valid over a rotation of the MAC key: each event is checked with its own', async () => {
    const { active } = testKeyring.mac;
    const text = keyringText([
      { use: 'mac', kid: active.kid, state: 'verifying' },
      { use: 'mac', kid: 'newer', state: 'active' },
    ]);
    const both = await parseKeyring(text, 'keyring.json');
    const url = newDatabaseUrl(name, directory);
    let ring = testKeyring;
    const rotated = await openStore(url, { macOfEvent: (of, event) => macOfEvent(of, event, ring) });
    try {
      const record = newRecord(newOwner());
      await rotated.commit([insert(record)]);
      ring = both;
      await rotated.commit([update(record)]);
      const kids = (await chain(rotated, record.owner)).map(({ kid }) => kid);
      expect(kids).toEqual([active.kid, 'newer']);
      expect(await verifyChain(rotated, record.owner, both)).toMatchObject({ valid: true });
      expect(await verifyChain(rotated, record.owner, testKeyring)).toMatchObject({ broken: 'unknown-key' });
    } finally {
      await rotated.close();
    }
  });

  it('is walked in pages, while it grows, and tells how far it is', async () => {
    const record = newRecord(owner);
    await store.commit(Array.from({ length: 2500 }, () => eventAlone(record)));
    const told: [number, number][] = [];
    let growing: Promise<void> | undefined;
    const onProgress = (done: number, total: number) => {
      told.push([done, total]);
      growing ??= store.commit([eventAlone(record), eventAlone(record)]);
    };
    const slow = new Proxy(store, {
      get(target, property) {
        if (property !== 'auditEvents') return Reflect.get(target, property).bind(target);
        return async (...args: Parameters<Store['auditEvents']>) => {
          await growing;
          return target.auditEvents(...args);
        };
      },
    });
    expect(await verifyChain(slow, owner, testKeyring, { onProgress })).toEqual({
      valid: true,
      head: await store.chainHead(owner),
    });
    expect(told).toEqual([
      [1000, 2504],
      [2000, 2504],
      [2506, 2506],
    ]);
  });
});
