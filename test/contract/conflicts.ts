import { describe, expect, it } from 'vitest';
import { byBytes, insert, names, newOwner, newRecord, remove, update } from './fixtures.ts';
import type { Subject } from './subject.ts';

/** Which changes cannot be, and that then nothing is written. */
export function conflictsContract(subject: Subject): void {
  describe('a conflict', () => {
    it('on the id is told, also when it is another owner who has it', async () => {
      const { id } = await subject.stored();
      await subject.expectConflict([insert(newRecord(subject.owner, { id }))], { index: 0, on: 'id' });
      await subject.expectConflict([insert(newRecord(newOwner(), { id }))], { index: 0, on: 'id' });
    });

    it('on the name is told for an insert and for an update', async () => {
      const { name } = await subject.stored();
      const other = await subject.stored();
      await subject.expectConflict([insert(newRecord(subject.owner, { name }))], { index: 0, on: 'name' });
      await subject.expectConflict([update(other, { name })], { index: 0, on: 'name' });
    });

    it('on the placeholder is told for an insert and for an update', async () => {
      const { placeholder } = await subject.stored();
      const other = await subject.stored();
      await subject.expectConflict([insert(newRecord(subject.owner, { placeholder }))], {
        index: 0,
        on: 'placeholder',
      });
      await subject.expectConflict([update(other, { placeholder })], { index: 0, on: 'placeholder' });
    });

    it('on several is told by id before name before placeholder', async () => {
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

    it.each([1, 3])('on the version is told for an update to version %i of a secret at 1', async (version) => {
      const record = await subject.stored();
      await subject.expectConflict([update(record, { version })], { index: 0, on: 'version' });
    });

    it('on the version is told for a delete of another version', async () => {
      const record = await subject.stored();
      await subject.expectConflict([remove({ ...record, version: 2 })], { index: 0, on: 'version' });
    });

    it('on the version is told for a secret that is not there, or is another owner’s', async () => {
      const record = await subject.stored();
      await subject.expectConflict([update(newRecord(subject.owner))], { on: 'version' });
      await subject.expectConflict([remove(newRecord(subject.owner))], { on: 'version' });
      await subject.expectConflict([update(record, { owner: newOwner() })], { on: 'version' });
      await subject.expectConflict([remove({ ...record, owner: newOwner() })], { on: 'version' });
    });

    it('does not arise between owners of one name and placeholder', async () => {
      const { name, placeholder } = await subject.stored();
      const other = newRecord(newOwner(), { name, placeholder });
      await subject.store.commit([insert(other)]);
      expect(await subject.store.findRecord(other.id)).toEqual(other);
    });

    it('does not arise between names that differ in case, in an accent or after a NUL', async () => {
      const distinct = ['NAME', 'Name', 'Náme', 'Na\0me', 'Na\0mf'];
      await subject.store.commit(distinct.map((name) => insert(newRecord(subject.owner, { name }))));
      expect(await names(subject.store, subject.owner)).toEqual(distinct.toSorted(byBytes));
    });
  });
}
