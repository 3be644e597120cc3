import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Nonce } from '../../src/model/nonce.ts';
import type { Write } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, remove, update } from './fixtures.ts';
import type { Subject } from './subject.ts';

export function newNonce(keptUntil = new Date(Date.now() + 600_000)): Nonce {
  return { digest: randomUUID(), keptUntil };
}

export function withNonce(write: Write, nonce: Nonce): Write {
  if (write.type !== 'insertSecret' && write.type !== 'updateSecret') throw new Error('no nonce belongs to it');
  return { ...write, nonce };
}

/** What a nonce makes possible once only. */
export function noncesContract(subject: Subject): void {
  describe('a nonce', () => {
    const fresh = () => insert(newRecord(subject.owner));

    it('is spent by the write that it comes with, for every other write, owner and kind', async () => {
      const nonce = newNonce();
      const record = newRecord(subject.owner);
      await subject.store.commit([withNonce(insert(record), nonce)]);
      const used = { index: 0, on: 'nonce' } as const;
      await subject.expectConflict([withNonce(insert(record), nonce)], used);
      await subject.expectConflict([withNonce(fresh(), nonce)], used);
      await subject.expectConflict([withNonce(insert(newRecord(newOwner())), nonce)], used);
      await subject.expectConflict([withNonce(update(record), nonce)], used);
      await subject.store.commit([withNonce(update(record), newNonce())]);
      await subject.store.commit([fresh()]);
    });

    it('is spent whatever became of the secret, and of what it was kept for', async () => {
      const nonce = newNonce();
      const record = newRecord(subject.owner);
      await subject.store.commit([withNonce(insert(record), nonce)]);
      await subject.store.commit([remove(record)]);
      await subject.expectConflict([withNonce(insert(record), nonce)], { on: 'nonce' });
    });

    it('is not spent by a commit that fails, whichever of its writes is to blame', async () => {
      const { name } = await subject.stored();
      const record = await subject.stored();
      const [one, two] = [newNonce(), newNonce()];
      const taken = insert(newRecord(subject.owner, { name }));
      await subject.expectConflict([withNonce(taken, one)], { index: 0, on: 'name' });
      await subject.expectConflict([withNonce(update(record, { version: 7 }), one)], { index: 0, on: 'version' });
      await subject.expectConflict([withNonce(fresh(), one), withNonce(fresh(), two), taken], { index: 2, on: 'name' });
      await subject.store.commit([withNonce(fresh(), one), withNonce(fresh(), two)]);
    });

    it('is the first thing to conflict, and the write that it comes with is told', async () => {
      const { name } = await subject.stored();
      const nonce = newNonce();
      await subject.store.commit([withNonce(fresh(), nonce)]);
      const taken = insert(newRecord(subject.owner, { name }));
      await subject.expectConflict([withNonce(taken, nonce)], { index: 0, on: 'nonce' });
      const writes = [taken, withNonce(fresh(), newNonce()), fresh(), withNonce(fresh(), nonce)];
      await subject.expectConflict(writes, { index: 3, on: 'nonce' });
      const twice = newNonce();
      await subject.expectConflict([withNonce(fresh(), twice), withNonce(fresh(), twice)], { index: 1, on: 'nonce' });
      await subject.store.commit([withNonce(fresh(), twice)]);
    });

    it('of 20 commits at once is spent by exactly one, and the others of the same group are written', async () => {
      const nonce = newNonce();
      const owners = [subject.owner, newOwner(), newOwner()];
      const commits = Array.from({ length: 60 }, (_, index) => {
        const write = insert(newRecord(owners[index % 3] ?? subject.owner));
        return index % 3 === 2 ? withNonce(write, newNonce()) : index % 2 ? withNonce(write, nonce) : write;
      });
      const outcomes = await Promise.allSettled(commits.map((write) => subject.store.commit([write])));
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost).toHaveLength(19);
      for (const { reason } of lost) expect(reason).toMatchObject({ name: 'StoreConflict', index: 0, on: 'nonce' });
    });
  });
}
