import { describe, expect, it } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { SecretHealth } from '../../src/model/secret-health.ts';
import {
  deletedBy,
  insert,
  newOwner,
  newRecord,
  query,
  rejected,
  remove,
  restore,
  sealed,
  seen,
  update,
  use,
  useAt,
  withoutEnvelope,
  wrappedKeyOf,
} from './fixtures.ts';
import { expectValidChain, type Subject } from './subject.ts';

/** What is found out about values. */
export function healthContract(subject: Subject): void {
  describe('health', () => {
    const valid: SecretHealth = { status: 'VALID', checkedAt: new Date('2026-05-06T07:08:09.123Z'), source: 'CHECK' };
    const refused: SecretHealth = { status: 'REJECTED', checkedAt: new Date(253_402_300_799_999), source: 'USE' };
    const healths: SecretHealth[] = [
      valid,
      { ...valid, status: 'RATE_LIMITED', source: 'USE' },
      { ...valid, status: 'UNREACHABLE', checkedAt: new Date(0) },
      refused,
    ];
    const conflict = { index: 0, on: 'version' } as const;

    async function healthOf(id: string) {
      return (await subject.store.find(id))?.health;
    }

    async function read(id: string): Promise<SecretRecord> {
      const record = await subject.store.findRecord(id);
      if (!record) throw new Error('it is stored');
      return record;
    }

    it('is set where the secret is as it was read, in every read and with no event', async () => {
      const { store, owner } = subject;
      const [record, other] = [await subject.stored(), await subject.stored()];
      expect(record.health).toBeNull();
      let stored = record;
      for (const health of healths) {
        expect(await store.setHealth(stored, health)).toBe(true);
        stored = { ...stored, health };
        expect(await store.findRecord(record.id)).toEqual(stored);
      }
      expect(await store.find(record.id)).toEqual(withoutEnvelope(stored));
      expect(await store.findRecords(owner, [record.id])).toEqual([stored]);
      expect((await store.list(query(owner))).secrets).toContainEqual(seen(stored));
      const named = { names: [record.name], placeholders: [], ids: [] };
      expect((await store.select(owner, named, 1)).map(({ secret }) => secret)).toEqual([withoutEnvelope(stored)]);
      expect(await store.findRecord(other.id)).toEqual(other);
      expect(await expectValidChain(store, owner)).toHaveLength(2);
    });

    it('is not set where anything of that is another by now', async () => {
      const { store } = subject;
      const record = await subject.stored();
      expect(await store.setHealth(record, valid)).toBe(true);
      const stored = { ...record, health: valid };
      const others: SecretRecord[] = [
        record,
        { ...stored, version: 2 },
        { ...stored, owner: newOwner() },
        { ...stored, mac: { ...stored.mac, tag: 'another' } },
        ...[{ status: 'REJECTED' } as const, { source: 'USE' } as const, { checkedAt: new Date(1) }].map((part) => ({
          ...stored,
          health: { ...valid, ...part },
        })),
        newRecord(subject.owner),
      ];
      for (const other of others) expect(await store.setHealth(other, refused)).toBe(false);
      expect(await store.findRecord(record.id)).toEqual(stored);
      await store.commit([remove(stored)]);
      expect(await store.setHealth(stored, refused)).toBe(false);
      expect((await store.deletedSecrets.find(record.id))?.health).toEqual(valid);
    });

    it('comes with an event, or not at all', async () => {
      const { store, owner } = subject;
      const record = await subject.stored();
      await store.commit([rejected(record, refused)]);
      expect(await store.find(record.id)).toEqual(withoutEnvelope({ ...record, health: refused }));
      const told = { type: 'secret.rejected', secretId: record.id, version: 1, recordMac: record.mac.tag };
      expect((await expectValidChain(store, owner)).at(-1)).toMatchObject(told);

      const stored = { ...record, health: refused };
      const other = await subject.stored();
      await subject.expectConflict([rejected(other, refused), rejected(record, refused)], { index: 1, on: 'version' });
      await subject.expectConflict([rejected({ ...stored, version: 2 }, refused)], conflict);
      await subject.expectConflict([rejected({ ...stored, owner: newOwner() }, refused)], conflict);
      await subject.expectConflict([rejected(newRecord(owner), refused)], conflict);
      // The second finds what the first left.
      await subject.expectConflict([rejected(other, refused), rejected(other, valid)], { index: 1, on: 'version' });
      expect(await healthOf(other.id)).toBeNull();
      await store.commit([rejected(other, refused), rejected({ ...other, health: refused }, valid)]);
      expect(await healthOf(other.id)).toEqual(valid);
      await store.commit([remove(stored)]);
      await subject.expectConflict([rejected(stored, valid)], conflict);
    });

    it('is told once of each turn, of many that are found out at the same time, beside uses and other writes', async () => {
      const { store, owner } = subject;
      const record = await subject.stored();
      const at = new Date(5000);
      const commits = Array.from({ length: 20 }, (_, index) => [
        store.commit([useAt(record, at)]),
        store.commit([rejected(record, { ...refused, checkedAt: new Date(index) })]),
        ...(index % 5 === 0 ? [store.commit([insert(newRecord(owner))])] : []),
      ]).flat();
      const outcomes = await Promise.allSettled(commits);
      const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(failed).toHaveLength(19);
      for (const reason of failed) expect(reason).toMatchObject(conflict);
      const events = await expectValidChain(store, owner);
      expect(events.filter(({ type }) => type === 'secret.rejected')).toHaveLength(1);
      expect(events.filter(({ type }) => type === 'secret.used')).toHaveLength(20);
      expect(await store.find(record.id)).toMatchObject({ health: { status: 'REJECTED' }, lastUsedAt: at, version: 1 });
    });

    it('is set once, of many that find out the same at the same time', async () => {
      const { store } = subject;
      const record = await subject.stored();
      const times = Array.from({ length: 20 }, (_, index) => new Date(index));
      const set = await Promise.all(times.map((checkedAt) => store.setHealth(record, { ...valid, checkedAt })));
      expect(set.filter(Boolean)).toHaveLength(1);
      expect(await healthOf(record.id)).toEqual({ ...valid, checkedAt: times[set.indexOf(true)] });
    });

    it('stays with its value: after a rename, a use, a copy, a rewrap, a deletion and a restoration', async () => {
      const { store } = subject;
      const record = await subject.stored();
      const renamed = update(record, { name: 'renamed' });
      const removal = (from: SecretRecord) => remove({ ...from, health: null });
      expect(await store.setHealth(record, valid)).toBe(true);
      await store.commit([renamed]);
      expect(await healthOf(record.id)).toEqual(valid);
      const second = await read(record.id);
      await store.commit([useAt(second, new Date(1)), use(second)]);
      const key = wrappedKeyOf(second);
      expect(await store.replaceWrappedKeys([{ from: key, to: { ...key, encryptedKey: 'another' } }])).toBe(1);
      expect(await healthOf(record.id)).toEqual(valid);

      const third = await read(record.id);
      await store.commit([rejected(third, refused)]);
      const deletion = removal(third);
      await store.commit([deletion]);
      const deleted = await store.deletedSecrets.find(record.id);
      expect(deleted).toEqual({ ...deletedBy(deletion), health: refused });
      const all = { owner: subject.owner, since: new Date(0), limit: 1, count: false };
      expect((await store.deletedSecrets.list(all)).secrets.map(({ health }) => health)).toEqual([refused]);
      if (!deleted) throw new Error('it is there');
      await store.commit([restore(deleted, { health: null })]);
      expect(await healthOf(record.id)).toEqual(refused);
    });

    it('goes with its value: another one has what it brings', async () => {
      const { store, owner } = subject;
      const record = await subject.stored();
      await store.commit([rejected(record, refused)]);
      const second = update(record, {}, sealed(2));
      await store.commit([second]);
      expect(await healthOf(record.id)).toBeNull();
      const third = update(await read(record.id), { health: valid }, sealed(3));
      await store.commit([third]);
      expect(await read(record.id)).toMatchObject({ health: valid, version: 3 });
      await store.commit([update(await read(record.id), { health: refused })]);
      expect(await healthOf(record.id)).toEqual(valid);

      const checked = newRecord(owner, { health: valid });
      await store.commit([insert(checked)]);
      expect(await store.findRecord(checked.id)).toEqual(checked);
    });

    it('of a value is not set for the next one, when both come at the same time', async () => {
      const { store } = subject;
      for (let round = 0; round < 5; round += 1) {
        const record = await subject.stored();
        const [replaced, set, told] = await Promise.allSettled([
          store.commit([update(record, {}, sealed(2))]),
          store.setHealth(record, valid),
          store.commit([rejected(record, refused)]),
        ]);
        expect(replaced.status).toBe('fulfilled');
        expect(set.status).toBe('fulfilled');
        if (told.status === 'rejected') expect(told.reason).toMatchObject(conflict);
        expect(await healthOf(record.id)).toBeNull();
      }
    });
  });
}
