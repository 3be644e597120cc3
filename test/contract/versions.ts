import { describe, expect, it } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import { keptValues, type SecretVersion, type VersionRecord } from '../../src/model/secret-version.ts';
import { StoreConflict } from '../../src/store/store.ts';
import {
  deletedBy,
  destination,
  insert,
  keptOf,
  marked,
  newOwner,
  newRecord,
  purge,
  remove,
  sealed,
  update,
  wrappedKeyOf,
} from './fixtures.ts';
import type { Subject } from './subject.ts';

/** Earlier values of secrets. */
export function versionsContract(subject: Subject): void {
  describe('versions', () => {
    /** Sets one more value, and returns the secret as it is stored by then. */
    async function setValue(current: SecretRecord, maskedValue: string | null = null): Promise<SecretRecord> {
      const value = { ...sealed(current.version + 1), number: (current.sealed?.number ?? 0) + 1 };
      // Each value has a destination of its own.
      const to = current.destination && { ...destination, origin: `https://of-${current.version}.example` };
      await subject.store.commit([update(current, { maskedValue, destination: to }, value)]);
      return stored(current.id);
    }

    async function rename(current: SecretRecord): Promise<SecretRecord> {
      await subject.store.commit([update(current, { name: `${current.name} again` })]);
      return stored(current.id);
    }

    async function stored(id: string): Promise<SecretRecord> {
      const record = await subject.store.findRecord(id);
      if (!record) throw new Error('it is stored');
      return record;
    }

    const list = ({ owner, id }: SecretRecord) => subject.store.versions.list(owner, id);
    const find = ({ owner, id }: SecretRecord, version: number) => subject.store.versions.find(owner, id, version);

    function shown({ sealed: value, maskedValue, destination }: SecretRecord, current = false): SecretVersion {
      if (!value) throw new Error('it has a value');
      const { version, setAt: createdAt, setBy: actor } = value;
      return { version, maskedValue, destination, createdAt, actor, current };
    }

    it('are the values that a secret has and had, newest first; only a new value makes one', async () => {
      const first = await subject.stored({ maskedValue: null });
      const second = await setValue(await rename(first), 'sk-pro••••789');
      const third = await setValue(await rename(await rename(second)));
      expect(await list(third)).toEqual([shown(third, true), shown(second), shown(first)]);
      expect((await list(third)).map(({ version }) => version)).toEqual([6, 3, 1]);
      expect(await list(await rename(third))).toEqual([shown(third, true), shown(second), shown(first)]);
    });

    it('are kept as they were, with a MAC of their own', async () => {
      const first = await subject.stored({ maskedValue: 'AKIAIO••••PLE' });
      const second = await setValue(first, 'sk-pro••••789');
      await setValue(second);
      for (const record of [first, second]) {
        const kept: VersionRecord | undefined = await find(record, record.version);
        expect(kept).toEqual(keptOf(record));
      }
    });

    it('are found only where their value was set, and not for the current value', async () => {
      const first = await subject.stored();
      const second = await setValue(await rename(first));
      expect(await find(second, 1)).toBeDefined();
      for (const version of [-1, 0, 2, 3, 4]) expect(await find(second, version)).toBeUndefined();
      const other = await subject.stored();
      expect(await find(other, 1)).toBeUndefined();
      expect(await subject.store.versions.find(newOwner(), first.id, 1)).toBeUndefined();
      expect(await subject.store.versions.list(newOwner(), first.id)).toEqual([]);
    });

    it('are none while no value is set, and begin with the first one', async () => {
      const empty = await subject.stored({ sealed: null, maskedValue: null });
      expect(await list(empty)).toEqual([]);
      const first = await setValue(await rename(empty));
      expect(await list(first)).toEqual([shown(first, true)]);
    });

    it('are the last 10 values: the oldest makes room', async () => {
      let current = await subject.stored();
      const all = [current];
      for (let count = 1; count < 2 * keptValues + 3; count += 1) {
        current = await setValue(current, `••••${count}`);
        all.unshift(current);
        const kept = all.slice(0, keptValues).map((one) => shown(one, one === current));
        expect(await list(current)).toEqual(kept);
      }
      for (const [index, one] of all.entries()) {
        const isKept = index > 0 && index < keptValues;
        expect(await find(current, one.version)).toEqual(isKept ? keptOf(one) : undefined);
      }
    });

    it('are written with the update, or not at all', async () => {
      const first = await subject.stored();
      const taken = await subject.stored();
      const clash = update(first, { name: taken.name }, sealed(2));
      await expect(subject.store.commit([clash])).rejects.toEqual(new StoreConflict(0, 'name'));
      const stale = update({ ...first, version: 2 }, {}, sealed(3));
      await expect(subject.store.commit([stale])).rejects.toEqual(new StoreConflict(0, 'version'));
      expect(await list(first)).toEqual([shown(first, true)]);
      expect(await find(first, 1)).toBeUndefined();
    });

    it('are kept for several updates of one commit', async () => {
      const first = await subject.stored();
      const second = marked({ ...first, version: 2, sealed: sealed(2) });
      const third = marked({ ...second, version: 3, sealed: sealed(3) });
      const other = await subject.stored();
      await subject.store.commit([
        update(first, {}, second.sealed),
        update(other, {}, sealed(2)),
        update(second, {}, third.sealed),
      ]);
      expect(await list(third)).toEqual([shown(third, true), shown(second), shown(first)]);
      expect(await find(third, 2)).toEqual(keptOf(second));
      expect(await find(other, 1)).toEqual(keptOf(other));
    });

    it('are not made of an envelope that a rewrap has changed since it was read', async () => {
      const first = await subject.stored();
      const write = update(first, {}, sealed(2));
      const from = wrappedKeyOf(first);
      const to = { ...from, kid: 'kek-2', encryptedKey: 'new' };
      expect(await subject.store.replaceWrappedKeys([{ from, to }])).toBe(1);
      await expect(subject.store.commit([write])).rejects.toEqual(new StoreConflict(0, 'version'));
      const read = await stored(first.id);
      await subject.store.commit([update(read, {}, sealed(2))]);
      expect((await find(first, 1))?.sealed.envelope.header.kid).toBe('kek-2');
    });

    it('stay when their secret is deleted, and go when it is purged', async () => {
      const current = await setValue(await setValue(await subject.stored()));
      const other = await setValue(await subject.stored());
      const removal = remove(current);
      await subject.store.commit([removal]);
      expect((await list(current)).map(({ version }) => version)).toEqual([3, 2, 1]);
      expect(await find(current, 1)).toBeDefined();
      await subject.store.commit([purge(deletedBy(removal))]);
      expect(await list(current)).toEqual([]);
      for (const version of [1, 2]) expect(await find(current, version)).toBeUndefined();
      expect(await list(other)).toHaveLength(2);
    });

    it('are listed for many secrets of several owners at once', async () => {
      const owners = [subject.owner, newOwner(), newOwner()];
      const records = Array.from({ length: 120 }, (_, index) => newRecord(owners[index % 3] ?? subject.owner));
      await subject.store.commit(records.slice(0, 60).map(insert));
      await subject.store.commit(records.slice(60).map(insert));
      const updated = await Promise.all(records.map((record, index) => (index % 2 ? setValue(record) : record)));
      const lists = await Promise.all(updated.map(list));
      expect(lists).toEqual(
        updated.map((record, index) =>
          index % 2 ? [shown(record, true), shown(records[index] ?? record)] : [shown(record, true)],
        ),
      );
    });
  });
}
