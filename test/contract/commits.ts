import { describe, expect, it } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import {
  byBytes,
  chain,
  countOf,
  insert,
  names,
  newOwner,
  newRecord,
  query,
  remove,
  sealed,
  update,
} from './fixtures.ts';
import { expectValidChain, type Subject } from './subject.ts';

/** Several changes in one commit, and several commits at once. */
export function commitsContract(subject: Subject): void {
  describe('a commit of several changes', () => {
    it('writes all of them, and each sees those before it', async () => {
      const [kept, gone] = [await subject.stored({ name: 'kept' }), await subject.stored({ name: 'gone' })];
      const heir = newRecord(subject.owner, { name: 'gone' });
      const renamed = update(kept, { name: 'renamed' });
      const newcomer = newRecord(subject.owner, { name: 'kept' });
      await subject.store.commit([
        remove(gone),
        insert(heir),
        renamed,
        insert(newcomer),
        update(newcomer, { notes: 'later' }),
      ]);
      const { secrets, totalCount } = await subject.store.list(query(subject.owner));
      expect(secrets.map(({ id, name, notes }) => ({ id, name, notes }))).toEqual([
        { id: heir.id, name: 'gone', notes: null },
        { id: newcomer.id, name: 'kept', notes: 'later' },
        { id: kept.id, name: 'renamed', notes: null },
      ]);
      expect(totalCount).toBe(3);
    });

    it('writes nothing when the last of them conflicts', async () => {
      const [first, second] = [
        await subject.stored({ name: 'first', tags: ['t'] }),
        await subject.stored({ name: 'second' }),
      ];
      const changes = [
        insert(newRecord(subject.owner)),
        insert(newRecord(newOwner())),
        update(first, { name: 'moved', tags: [] }, sealed(2)),
        remove(second),
      ];
      await subject.expectConflict([...changes, insert(newRecord(subject.owner, { name: 'moved' }))], {
        index: 4,
        on: 'name',
      });
      await subject.expectConflict([...changes, remove(second)], { index: 4, on: 'version' });
      await subject.expectConflict([...changes, update(first)], { index: 4, on: 'version' });
    });

    it.each([0, 1, 2, 3])('reports the index of the change that conflicts: %i of 4', async (index) => {
      const { name } = await subject.stored();
      const records = [0, 1, 2, 3].map((at) => newRecord(subject.owner, at === index ? { name } : {}));
      await subject.expectConflict(records.map(insert), { index, on: 'name' });
      const others = await Promise.all([0, 1, 2, 3].map(() => subject.stored()));
      const stale = others.map((other, at) => update(other, at === index ? { version: 7 } : {}));
      await subject.expectConflict(stale, { index, on: 'version' });
    });

    it('reports the first change that conflicts, whatever the later ones conflict on', async () => {
      const taken = await subject.stored();
      const insertOf = (fields: Partial<SecretRecord>) => insert(newRecord(subject.owner, fields));
      const ofId = insertOf({ id: taken.id });
      await subject.expectConflict([insertOf({}), insertOf({ name: taken.name }), ofId, ofId], {
        index: 1,
        on: 'name',
      });
      await subject.expectConflict([insertOf({}), ofId, insertOf({ name: taken.name })], { index: 1, on: 'id' });
      await subject.expectConflict([update(taken, { version: 7 }), ofId], { index: 0, on: 'version' });
      const twice = newRecord(subject.owner);
      await subject.expectConflict([insertOf({}), insert(twice), insert(twice)], { index: 2, on: 'id' });
    });

    it('refuses two inserts of one name, and reports the index of the second', async () => {
      const name = 'twice';
      const changes = [insert(newRecord(subject.owner, { name })), insert(newRecord(subject.owner, { name }))];
      await subject.expectConflict(changes, { index: 1, on: 'name' });
    });

    it('updates the count and the chain of every owner in it', async () => {
      const [one, two] = [newOwner(), newOwner()];
      await subject.store.commit([insert(newRecord(one)), insert(newRecord(two)), insert(newRecord(one))]);
      expect([await countOf(subject.store, one), await countOf(subject.store, two)]).toEqual([2, 1]);
      expect([(await chain(subject.store, one)).length, (await chain(subject.store, two)).length]).toEqual([2, 1]);
    });

    it('writes 1,000 secrets at once', async () => {
      const records = Array.from({ length: 1000 }, () => newRecord(subject.owner));
      await subject.store.commit(records.map(insert));
      expect(await countOf(subject.store, subject.owner)).toBe(1000);
      expect(await names(subject.store, subject.owner)).toEqual(records.map((record) => record.name).toSorted(byBytes));
    });

    it('without changes does nothing', async () => {
      await expect(subject.store.commit([])).resolves.toBeUndefined();
    });
  });

  describe('commits at the same time', () => {
    it('of one owner are all written: 200 of them, with the right count and chain', async () => {
      const records = Array.from({ length: 200 }, () => newRecord(subject.owner));
      await Promise.all(records.map((record) => subject.store.commit([insert(record)])));
      expect(await countOf(subject.store, subject.owner)).toBe(200);
      const events = await expectValidChain(subject.store, subject.owner);
      expect(events.map((event) => event.secretId).toSorted()).toEqual(records.map(({ id }) => id).toSorted());
    });

    it('to the same version: exactly one is written', async () => {
      const record = await subject.stored();
      const changes = Array.from({ length: 20 }, (_, writer) => update(record, { notes: String(writer) }));
      const outcomes = await Promise.allSettled(changes.map((change) => subject.store.commit([change])));
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost.map((outcome) => outcome.reason)).toEqual(
        lost.map(() => expect.objectContaining({ name: 'StoreConflict', index: 0, on: 'version' })),
      );
      expect(lost).toHaveLength(19);
      const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
      expect(await subject.store.find(record.id)).toMatchObject({ version: 2, notes: String(winner) });
      expect((await expectValidChain(subject.store, subject.owner)).length).toBe(2);
    });

    it('with one name: exactly one is written', async () => {
      const records = Array.from({ length: 20 }, () => newRecord(subject.owner, { name: 'wanted' }));
      const outcomes = await Promise.allSettled(records.map((record) => subject.store.commit([insert(record)])));
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      expect(await countOf(subject.store, subject.owner)).toBe(1);
    });

    it.each([1, 3])('are not affected by %i of 64 that conflict', async (bad) => {
      const { name } = await subject.stored();
      const owners = [subject.owner, newOwner(), newOwner()];
      const records = Array.from({ length: 64 }, (_, index) => {
        const isBad = index % 21 === 20 && index / 21 < bad;
        return isBad ? newRecord(subject.owner, { name }) : newRecord(owners[index % 3] ?? subject.owner);
      });
      const outcomes = await Promise.allSettled(records.map((record) => subject.store.commit([insert(record)])));
      for (const [index, outcome] of outcomes.entries()) {
        const isBad = records[index]?.name === name;
        expect(outcome.status).toBe(isBad ? 'rejected' : 'fulfilled');
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ index: 0, on: 'name' });
        const id = records[index]?.id ?? '';
        expect((await subject.store.find(id))?.id).toBe(isBad ? undefined : id);
      }
      for (const one of owners) await expectValidChain(subject.store, one);
    });

    it('of mixed kinds and owners are all written', async () => {
      const owners = [newOwner(), newOwner()];
      const before = owners.flatMap((of) => Array.from({ length: 10 }, () => newRecord(of)));
      await subject.store.commit(before.map(insert));
      const after = owners.flatMap((of) => Array.from({ length: 10 }, () => newRecord(of)));
      await Promise.all([
        ...before.map((record, index) =>
          subject.store.commit([index % 2 ? remove(record) : update(record, { notes: 'x' })]),
        ),
        ...after.map((record) => subject.store.commit([insert(record)])),
      ]);
      for (const of of owners) {
        expect(await countOf(subject.store, of)).toBe(15);
        expect(await names(subject.store, of)).toHaveLength(15);
        expect(await expectValidChain(subject.store, of)).toHaveLength(30);
      }
    });
  });
}
