import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KeptResult } from '../../src/model/kept-result.ts';
import type { Write } from '../../src/store/store.ts';
import { chain, countOf, insert, newRecord, purge } from './fixtures.ts';
import { newNonce, withNonce } from './nonces.ts';
import type { Subject } from './subject.ts';

export function newKept(fields: Partial<KeptResult> = {}): Extract<Write, { type: 'keepResult' }> {
  const kept = {
    id: randomUUID(),
    principal: 'user:ada',
    input: 'digest',
    secretId: randomUUID(),
    result: '{"a":1}',
    keptUntil: new Date(Date.now() + 600_000),
    mac: 'mac',
    ...fields,
  };
  return { type: 'keepResult', kept };
}

/** Results of calls with an idempotency key. */
export function keptResultsContract(subject: Subject): void {
  describe('the result of a call', () => {
    const fresh = () => insert(newRecord(subject.owner));
    const find = async ({ principal, id }: KeptResult) => {
      const [kept] = await subject.store.keptResults(principal, [id]);
      return kept;
    };

    it('is kept with the writes of its commit, and found by who called', async () => {
      const { store } = subject;
      const write = newKept();
      const [nothing, other] = [newKept({ result: null, secretId: null }), newKept({ principal: 'apiKey:ada' })];
      await store.commit([fresh(), write]);
      await store.commit([nothing]);
      await Promise.all([store.commit([fresh(), other]), store.commit([fresh()])]);
      expect(await find(write.kept)).toEqual(write.kept);
      expect(await find(nothing.kept)).toEqual(nothing.kept);
      expect(await find(other.kept)).toEqual(other.kept);
      expect(await store.keptResults('user:ada', [other.kept.id])).toEqual([]);
      expect(await store.keptResults('user:ada', [randomUUID()])).toEqual([]);
      expect(await store.keptResults('user:ada', [])).toEqual([]);
      // It is no event.
      expect(await chain(store, subject.owner)).toHaveLength(3);
    });

    it('is found with the others of its principal that are asked for, however many', async () => {
      const { store } = subject;
      const principal = `user:${randomUUID()}`;
      const writes = Array.from({ length: 130 }, () => newKept({ principal, result: 'é'.repeat(100) }));
      const other = newKept();
      await store.commit([...writes, other]);
      const asked = [...writes, other].map(({ kept }) => kept.id).filter((_, index) => index % 10 !== 3);
      const found = await store.keptResults(principal, [randomUUID(), ...asked]);
      const wanted = writes.map(({ kept }) => kept).filter((_, index) => index % 10 !== 3);
      expect(new Map(found.map((kept) => [kept.id, kept]))).toEqual(new Map(wanted.map((kept) => [kept.id, kept])));
      expect(found).toHaveLength(117);
    });

    it('is kept once, and is the first thing to conflict', async () => {
      const { name } = await subject.stored();
      const write = newKept();
      const nonce = newNonce();
      await subject.store.commit([withNonce(fresh(), nonce), write]);
      const taken = insert(newRecord(subject.owner, { name }));
      const again = newKept({ id: write.kept.id, result: 'another' });
      const writes = [withNonce(fresh(), nonce), taken, again];
      await subject.expectConflict(writes, { index: 2, on: 'idempotency' });
      await subject.expectConflict([again], { index: 0, on: 'idempotency' });
      expect(await find(write.kept)).toEqual(write.kept);
    });

    it('is not kept by a commit that fails', async () => {
      const { name } = await subject.stored();
      const write = newKept();
      const taken = insert(newRecord(subject.owner, { name }));
      await subject.expectConflict([taken, write], { index: 0, on: 'name' });
      expect(await find(write.kept)).toBeUndefined();
      await subject.store.commit([fresh(), write]);
    });

    it('makes room for the next when its time is over', async () => {
      const old = newKept({ keptUntil: new Date(Date.now() - 1000) });
      await subject.store.commit([old]);
      const next = newKept({ id: old.kept.id, result: 'next' });
      await subject.store.commit([fresh(), next]);
      expect(await find(next.kept)).toEqual(next.kept);
    });

    it('requires the secret that it says is unchanged', async () => {
      const record = await subject.stored();
      const events = await chain(subject.store, subject.owner);
      const write = { ...newKept({ secretId: record.id }), unchanged: record };
      const others = [
        { ...record, version: record.version + 1 },
        { ...record, mac: { ...record.mac, tag: 'another' } },
        { ...newRecord(subject.owner) },
      ];
      for (const unchanged of others) {
        await subject.expectConflict([{ ...write, unchanged }], { index: 0, on: 'version' });
      }
      await subject.store.commit([write]);
      expect(await find(write.kept)).toEqual(write.kept);
      expect(await chain(subject.store, subject.owner)).toEqual(events);
      expect(await countOf(subject.store, subject.owner)).toBe(1);
    });

    it('of a secret that stays as it is never outlives a purge at the same time', async () => {
      for (let round = 0; round < 10; round += 1) {
        const record = await subject.stored();
        const write = { ...newKept({ secretId: record.id }), unchanged: record };
        await Promise.allSettled([subject.store.commit([write]), subject.store.commit([purge(record)])]);
        expect(await subject.store.find(record.id)).toBeUndefined();
        expect(await find(write.kept)).toBeUndefined();
      }
    });

    it('of one principal is forgotten, and of no other; it is no event', async () => {
      const { store } = subject;
      const principal = `user:${randomUUID()}`;
      const [one, two, other] = [newKept({ principal }), newKept({ principal, secretId: null }), newKept()];
      await store.commit([fresh(), one, two, other]);
      await Promise.all([
        store.commit([{ type: 'forgetResults', principal }]),
        store.commit([fresh()]),
        store.commit([{ type: 'forgetResults', principal: 'user:nobody' }]),
      ]);
      expect(await find(one.kept)).toBeUndefined();
      expect(await find(two.kept)).toBeUndefined();
      expect(await find(other.kept)).toEqual(other.kept);
      expect(await chain(store, subject.owner)).toHaveLength(2);
      await store.commit([one]);
      expect(await find(one.kept)).toEqual(one.kept);
    });

    it('of 20 commits at once is kept by exactly one', async () => {
      const { kept } = newKept();
      const commits = Array.from({ length: 20 }, () => subject.store.commit([fresh(), newKept(kept)]));
      const lost = (await Promise.allSettled(commits)).filter((outcome) => outcome.status === 'rejected');
      expect(lost).toHaveLength(19);
      for (const { reason } of lost)
        expect(reason).toMatchObject({ name: 'StoreConflict', index: 1, on: 'idempotency' });
      expect(await chain(subject.store, subject.owner)).toHaveLength(1);
    });
  });
}
