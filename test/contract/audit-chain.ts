import { describe, expect, it } from 'vitest';
import { testKeyring } from '../support/keyring.ts';
import { chain, eventAlone, insert, newOwner, newRecord, remove, update, use } from './fixtures.ts';
import { expectValidChain, type Subject } from './subject.ts';

/** The audit events of changes. */
export function auditChainContract(subject: Subject): void {
  describe('the audit chain', () => {
    it('has one event per change, in order, that records the change', async () => {
      const record = await subject.stored();
      await subject.store.commit([update(record)]);
      await subject.store.commit([remove({ ...record, version: 2 })]);
      const events = await expectValidChain(subject.store, subject.owner);
      expect(
        events.map(({ sequence, type, secretId, version, actor, requestId }) => [
          sequence,
          type,
          secretId,
          version,
          actor.kind,
          actor.id,
          requestId,
        ]),
      ).toEqual([
        [1, 'secret.created', record.id, 1, 'user', 'ada', 'request-1'],
        [2, 'secret.updated', record.id, 2, 'user', 'ada', 'request-1'],
        [3, 'secret.deleted', record.id, 2, 'user', 'ada', 'request-1'],
      ]);
      expect(events[0]?.at).toEqual(record.createdAt);
    });

    it('can be read from any event, up to a limit', async () => {
      await subject.store.commit(Array.from({ length: 5 }, () => insert(newRecord(subject.owner))));
      const sequences = async (after: number, limit: number) =>
        (await subject.store.auditEvents(subject.owner, after, limit)).map((event) => event.sequence);
      expect(await sequences(0, 2)).toEqual([1, 2]);
      expect(await sequences(2, 2)).toEqual([3, 4]);
      expect(await sequences(4, 2)).toEqual([5]);
      expect(await sequences(5, 2)).toEqual([]);
      expect(await sequences(0, 0)).toEqual([]);
    });

    it('of an owner without events is empty, and its head is the start', async () => {
      expect(await chain(subject.store, newOwner())).toEqual([]);
      expect(await subject.store.chainHead(newOwner())).toEqual({ sequence: 0, hash: '' });
    });

    it('ends at the head of its owner, and names the MAC key and the record of each event', async () => {
      const record = await subject.stored();
      const change = update(record, { name: 'renamed' });
      await subject.store.commit([change]);
      await subject.store.commit([{ ...eventAlone(record), recordMac: change.mac.tag }, eventAlone(record)]);
      const events = await expectValidChain(subject.store, subject.owner);
      const { mac } = testKeyring;
      expect(events.map(({ kid }) => kid)).toEqual(Array(4).fill(mac.active.kid));
      expect(events.map(({ recordMac }) => recordMac)).toEqual([record.mac.tag, change.mac.tag, change.mac.tag, null]);
      const { sequence = 0, hash = '' } = events.at(-1) ?? {};
      expect(await subject.store.chainHead(subject.owner)).toEqual({ sequence, hash });
    });

    it('keeps what a value was used for', async () => {
      const record = await subject.stored();
      const { event, ...said } = use(record, 'deploy');
      const used = { ...event, type: 'secret.used', method: 'POST', origin: 'https://api.example.com' } as const;
      await subject.store.commit([{ ...said, event: used }]);
      const [, stored] = await expectValidChain(subject.store, subject.owner);
      expect(stored).toMatchObject({ ...used, secretName: record.name });
    });

    it('keeps an event about an API key, without a secret', async () => {
      const { owner, event } = eventAlone(newRecord(subject.owner));
      const { secretId: _, version: __, secretName: ___, ...said } = event;
      await subject.store.commit([
        { type: 'appendEvent', owner, event: { ...said, type: 'apiKey.created', apiKeyId: 'a' } },
      ]);
      const [stored] = await expectValidChain(subject.store, subject.owner);
      expect(stored).toMatchObject({ type: 'apiKey.created', apiKeyId: 'a', recordMac: null });
      expect(stored).not.toHaveProperty('secretId');
      expect(stored).not.toHaveProperty('version');
    });
  });
}
