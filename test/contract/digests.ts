import { describe, expect, it } from 'vitest';
import type { ValueDigest } from '../../src/model/envelope.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import {
  deletedBy,
  insert,
  newOwner,
  newRecord,
  remove,
  restore,
  sealed,
  update,
  withoutEnvelope,
} from './fixtures.ts';
import type { Subject } from './subject.ts';

export function digestOf(digest: string, kid = 'equality-1'): ValueDigest {
  return { kid, digest, mac: `mac of ${digest}` };
}

/** What is written of it. What is read of it has no digest. */
function withDigest(record: SecretRecord, digest: ValueDigest): SecretRecord {
  return { ...record, sealed: record.sealed && { ...record.sealed, digest } };
}

export function digestsContract(subject: Subject): void {
  describe('digests of values', () => {
    async function stored(digest: ValueDigest, fields: Partial<SecretRecord> = {}): Promise<SecretRecord> {
      const record = newRecord(subject.owner, fields);
      await subject.store.commit([insert(withDigest(record, digest))]);
      return record;
    }

    async function matching(...digests: string[]): Promise<string[]> {
      const found = await subject.store.digests.match(subject.owner, digests, 100);
      return found.map(({ secret }) => secret.id).sort();
    }

    it('find the secrets of one owner that have one of them, with what tells whether they are genuine', async () => {
      const [a, b, c] = [await stored(digestOf('one')), await stored(digestOf('one')), await stored(digestOf('two'))];
      const other = newRecord(newOwner());
      await subject.store.commit([insert(withDigest(other, digestOf('one')))]);
      expect(await matching('one')).toEqual([a.id, b.id].sort());
      expect(await matching('one', 'two')).toEqual([a.id, b.id, c.id].sort());
      expect(await matching('three')).toEqual([]);
      expect(await subject.store.digests.match(subject.owner, ['two'], 100)).toEqual([
        { secret: withoutEnvelope(c), digest: digestOf('two') },
      ]);
      expect(await subject.store.digests.match(subject.owner, ['one'], 1)).toHaveLength(1);
    });

    it('are read by the ids of their secrets, and not for another owner', async () => {
      const [a, b] = [await stored(digestOf('one')), await subject.stored()];
      expect(await subject.store.digests.of(subject.owner, [a.id, b.id])).toEqual(new Map([[a.id, digestOf('one')]]));
      expect(await subject.store.digests.of(newOwner(), [a.id])).toEqual(new Map());
    });

    it('stay when the secret is renamed, follow a new value, and go where that has none', async () => {
      const record = await stored(digestOf('one'));
      const renamed = update(record, { name: 'renamed' });
      await subject.store.commit([renamed]);
      expect(await matching('one')).toEqual([record.id]);
      const second = { ...record, ...renamed.secret, mac: renamed.mac };
      const changed = update(second, {}, { ...sealed(3), digest: digestOf('two') });
      await subject.store.commit([changed]);
      expect([await matching('one'), await matching('two')]).toEqual([[], [record.id]]);
      const third = { ...second, ...changed.secret, sealed: sealed(3), mac: changed.mac };
      await subject.store.commit([update(third, {}, sealed(4))]);
      expect(await matching('two')).toEqual([]);
    });

    it('are not kept of a deleted secret, and are set again with its restoration', async () => {
      const record = await stored(digestOf('one'));
      const removal = remove(record);
      await subject.store.commit([removal]);
      expect(await matching('one')).toEqual([]);
      const restoration = restore(deletedBy(removal));
      await subject.store.commit([{ ...restoration, digest: digestOf('one') }]);
      expect(await matching('one')).toEqual([record.id]);
    });

    it('are set where the value is still the one that was read, and nothing else of the secret changes', async () => {
      const [record, changed] = [await stored(digestOf('one', 'old')), await stored(digestOf('one', 'old'))];
      const all = async () => {
        const page = await subject.store.digests.undigested('new', '', 10_000);
        expect(page).toMatchObject({ next: null });
        return page.records.filter(({ owner }) => JSON.stringify(owner) === JSON.stringify(subject.owner));
      };
      const read = await all();
      expect(read.map(({ id }) => id).sort()).toEqual([record.id, changed.id].sort());
      expect(read).toEqual(expect.arrayContaining([record, changed]));
      const write = update(changed, {}, { ...sealed(2), tag: 'another tag', digest: digestOf('two', 'old') });
      await subject.store.commit([write]);
      const digests = read.map((one) => ({ record: one, digest: digestOf('three', 'new') }));
      expect(await subject.store.digests.put(digests)).toBe(1);
      expect([await matching('three'), await matching('two')]).toEqual([[record.id], [changed.id]]);
      expect(await subject.store.findRecord(record.id)).toEqual(record);
      expect((await all()).map(({ id }) => id)).toEqual([changed.id]);
      expect(await subject.store.digests.put([])).toBe(0);
    });

    it('that are missing are found page by page, each once, and not of secrets without a value', async () => {
      const records = [await subject.stored(), await stored(digestOf('one')), await subject.stored()];
      await subject.stored({ sealed: null });
      const seen: string[] = [];
      for (let after: string | null = ''; after !== null; ) {
        const page = await subject.store.digests.undigested('equality-1', after, 2);
        expect(page.records.length).toBeLessThanOrEqual(2);
        seen.push(...page.records.map(({ id }) => id));
        after = page.next;
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(records.map(({ id }) => seen.includes(id))).toEqual([true, false, true]);
    });
  });
}
