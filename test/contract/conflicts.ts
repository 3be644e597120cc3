import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { byBytes, insert, names, newOwner, newRecord, purge, remove, update } from './fixtures.ts';
import type { Subject } from './subject.ts';

/** Which changes conflict, and that a change that conflicts writes nothing. */
export function conflictsContract(subject: Subject): void {
  describe('a conflict', () => {
    it('on the id is reported, also when another owner has the id', async () => {
      const { id } = await subject.stored();
      await subject.expectConflict([insert(newRecord(subject.owner, { id }))], { index: 0, on: 'id' });
      await subject.expectConflict([insert(newRecord(newOwner(), { id }))], { index: 0, on: 'id' });
    });

    it('on the id can be foreseen: it is taken by any owner’s secret, and by one that was deleted or purged', async () => {
      const { store } = subject;
      const [there, deleted, purged] = [await subject.stored(), await subject.stored(), await subject.stored()];
      const other = newRecord(newOwner());
      await store.commit([insert(other)]);
      await store.commit([remove(deleted)]);
      await store.commit([purge(purged)]);
      const taken = [there, deleted, purged, other].map(({ id }) => id);
      const free = Array.from({ length: 500 - taken.length }, () => randomUUID());
      expect(await store.takenIds([...free, ...taken])).toEqual(new Set(taken));
      expect(await store.takenIds(free)).toEqual(new Set());
      expect(await store.takenIds([])).toEqual(new Set());
      for (const id of taken) await subject.expectConflict([insert(newRecord(subject.owner, { id }))], { on: 'id' });
    });

    it('on the name is reported for an insert and for an update', async () => {
      const { name } = await subject.stored();
      const other = await subject.stored();
      await subject.expectConflict([insert(newRecord(subject.owner, { name }))], { index: 0, on: 'name' });
      await subject.expectConflict([update(other, { name })], { index: 0, on: 'name' });
    });

    it('on the placeholder is reported for an insert and for an update', async () => {
      const { placeholder } = await subject.stored();
      const other = await subject.stored();
      await subject.expectConflict([insert(newRecord(subject.owner, { placeholder }))], {
        index: 0,
        on: 'placeholder',
      });
      await subject.expectConflict([update(other, { placeholder })], { index: 0, on: 'placeholder' });
    });

    it('on several fields is reported on the id first, then the name, then the placeholder', async () => {
      const { id, name, placeholder } = await subject.stored();
      const other = await subject.stored();
      await subject.expectConflict([insert(newRecord(subject.owner, { id, name, placeholder }))], { on: 'id' });
      await subject.expectConflict([insert(newRecord(subject.owner, { id: other.id, name, placeholder }))], {
        on: 'id',
      });
      await subject.expectConflict([insert(newRecord(subject.owner, { name, placeholder: other.placeholder }))], {
        on: 'name',
      });
      await subject.expectConflict([update(other, { name, placeholder })], { on: 'name' });
      await subject.expectConflict([update(other, { name, placeholder, version: 5 })], { on: 'version' });
    });

    it.each([1, 3])(
      'on the version is reported for an update to version %i of a secret at version 1',
      async (version) => {
        const record = await subject.stored();
        await subject.expectConflict([update(record, { version })], { index: 0, on: 'version' });
      },
    );

    it('on the version is reported for a delete of another version', async () => {
      const record = await subject.stored();
      await subject.expectConflict([remove({ ...record, version: 2 })], { index: 0, on: 'version' });
    });

    it('on the version is reported for a secret that does not exist or belongs to another owner', async () => {
      const record = await subject.stored();
      await subject.expectConflict([update(newRecord(subject.owner))], { on: 'version' });
      await subject.expectConflict([remove(newRecord(subject.owner))], { on: 'version' });
      await subject.expectConflict([update(record, { owner: newOwner() })], { on: 'version' });
      await subject.expectConflict([remove({ ...record, owner: newOwner() })], { on: 'version' });
    });

    it('does not occur between owners that use the same name and placeholder', async () => {
      const { name, placeholder } = await subject.stored();
      const other = newRecord(newOwner(), { name, placeholder });
      await subject.store.commit([insert(other)]);
      expect(await subject.store.findRecord(other.id)).toEqual(other);
    });

    it('does not occur between names that differ in case, in an accent or after a NUL', async () => {
      const distinct = ['NAME', 'Name', 'Náme', 'Na\0me', 'Na\0mf'];
      await subject.store.commit(distinct.map((name) => insert(newRecord(subject.owner, { name }))));
      expect(await names(subject.store, subject.owner)).toEqual(distinct.toSorted(byBytes));
    });
  });
}
