import { describe, expect, it } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import {
  deletedBy,
  destination,
  insert,
  newOwner,
  newRecord,
  query,
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

/** The audit events of secrets that are used as they are. */
export function usesContract(subject: Subject): void {
  describe('a use', () => {
    const times = [1000, 1001, 253_402_300_799_999].map((ms) => new Date(ms)) as [Date, Date, Date];

    async function read(id: string): Promise<SecretRecord> {
      const record = await subject.store.findRecord(id);
      if (!record) throw new Error('it is stored');
      return record;
    }

    it('adds its event, with its purpose, and changes nothing', async () => {
      const record = await subject.stored();
      await subject.store.commit([use(record, 'déploy 🚀'), use(record)]);
      const [, purposeful, plain] = await expectValidChain(subject.store, subject.owner);
      expect(purposeful).toMatchObject({
        type: 'secret.resolved',
        secretId: record.id,
        version: 1,
        purpose: 'déploy 🚀',
      });
      expect(purposeful).toMatchObject({ recordMac: record.mac.tag });
      expect(plain).not.toHaveProperty('purpose');
      expect(await subject.store.findRecord(record.id)).toEqual(record);
      expect((await subject.store.list(query(subject.owner))).totalCount).toBe(1);
    });

    it('of another version than the stored one is refused, with all of its commit', async () => {
      const [record, other] = [await subject.stored(), await subject.stored()];
      await subject.store.commit([update(record)]);
      await subject.expectConflict([use(other), use(record)], { index: 1, on: 'version' });
      await subject.expectConflict([use({ ...record, version: 3 })], { index: 0, on: 'version' });
      await subject.expectConflict(
        [use(other), insert(newRecord(subject.owner)), use({ ...other, owner: newOwner() })],
        {
          index: 2,
          on: 'version',
        },
      );
    });

    it('of a secret that is gone, or was never there, is refused', async () => {
      const record = await subject.stored();
      await subject.store.commit([remove(record)]);
      await subject.expectConflict([use(record)], { index: 0, on: 'version' });
      await subject.expectConflict([use(newRecord(subject.owner))], { index: 0, on: 'version' });
    });

    it('of another record of the same version is refused, as are an update and a deletion', async () => {
      const record = await subject.stored();
      const other = { ...record, name: 'another', sealed: { ...sealed(), tag: 'another tag' } };
      const refused = { index: 0, on: 'version' } as const;
      await subject.expectConflict([use(other)], refused);
      await subject.expectConflict([update(other)], refused);
      await subject.expectConflict([update(other, {}, sealed(2))], refused);
      await subject.expectConflict([remove(other)], refused);
    });

    it('never follows the end of its version: of uses, updates and a deletion at the same time', async () => {
      const record = await subject.stored();
      const commits = [
        ...Array.from({ length: 8 }, () => [use(record)]),
        [update(record)],
        ...Array.from({ length: 8 }, () => [use(record)]),
        [use({ ...record, version: 2 })],
        [remove({ ...record, version: 2 })],
      ];
      const outcomes = await Promise.allSettled(commits.map((commit) => subject.store.commit(commit)));
      const events = await expectValidChain(subject.store, subject.owner);
      expect(events).toHaveLength(1 + outcomes.filter(({ status }) => status === 'fulfilled').length);
      let current: number | undefined;
      for (const { type, version } of events) {
        if (type === 'secret.resolved') expect(version).toBe(current);
        else current = type === 'secret.deleted' ? undefined : version;
      }
    });

    it('tells when the value was sent, with the method and the origin; a copy and a delivery do not', async () => {
      const record = await subject.stored();
      expect(record.lastUsedAt).toBeNull();
      await subject.store.commit([use(record)]);
      expect(await subject.store.findRecord(record.id)).toEqual(record);
      await subject.store.commit([useAt(record, times[1])]);
      const used = { ...record, lastUsedAt: times[1] };
      expect(await subject.store.findRecord(record.id)).toEqual(used);
      expect(await subject.store.find(record.id)).toEqual(withoutEnvelope(used));
      expect((await subject.store.list(query(subject.owner))).secrets).toEqual([seen(used)]);
      const [selected] = await subject.store.select(subject.owner, null, 1);
      expect(selected?.secret).toEqual(withoutEnvelope(used));
      const event = (await expectValidChain(subject.store, subject.owner)).at(-1);
      const of = { type: 'secret.used', method: 'POST', origin: destination.origin, at: times[1], version: 1 };
      expect(event).toMatchObject({ ...of, secretId: record.id, recordMac: record.mac.tag });
      expect(event).not.toHaveProperty('purpose');
    });

    it('that is earlier than another leaves the later time, in one commit and in many', async () => {
      const [record, other] = [await subject.stored(), await subject.stored()];
      await subject.store.commit([useAt(record, times[2]), useAt(record, times[0]), useAt(other, times[0])]);
      await subject.store.commit([useAt(record, times[1])]);
      const lastUsed = async (id: string) => (await subject.store.find(id))?.lastUsedAt;
      expect(await lastUsed(record.id)).toEqual(times[2]);
      expect(await lastUsed(other.id)).toEqual(times[0]);
      const at = Array.from({ length: 100 }, (_, index) => new Date(2000 + ((index * 37) % 100)));
      await Promise.all(at.map((time) => subject.store.commit([useAt(other, time)])));
      expect(await lastUsed(other.id)).toEqual(new Date(2099));
      // More than commits that share a transaction.
      await subject.store.commit([...at.map((time) => useAt(other, new Date(time.getTime() + 1000))), use(record)]);
      expect(await lastUsed(other.id)).toEqual(new Date(3099));
      expect(await lastUsed(record.id)).toEqual(times[2]);
    });

    it('is not undone by what was prepared before it: a rename, a value, a deletion, a restoration, a rewrap', async () => {
      const record = await subject.stored();
      const { store } = subject;
      const lastUsed = async () => (await store.find(record.id))?.lastUsedAt;
      const renamed = update(record, { name: 'renamed' });
      await store.commit([useAt(record, times[0])]);
      await store.commit([renamed]);
      expect(await lastUsed()).toEqual(times[0]);

      const second = await read(record.id);
      const revalued = update({ ...second, lastUsedAt: null }, { destination: null }, sealed(3));
      await store.commit([useAt(second, times[1])]);
      await store.commit([revalued]);
      expect(await lastUsed()).toEqual(times[1]);

      const key = { ...wrappedKeyOf({ ...record, sealed: sealed(3) }) };
      expect(await store.replaceWrappedKeys([{ from: key, to: { ...key, encryptedKey: 'another' } }])).toBe(1);
      const third = await read(record.id);
      expect(third.lastUsedAt).toEqual(times[1]);
      const removal = remove({ ...third, lastUsedAt: null });
      await store.commit([useAt(third, times[2])]);
      await store.commit([removal]);
      const deleted = await store.deletedSecrets.find(record.id);
      expect(deleted).toEqual({ ...deletedBy(removal), lastUsedAt: times[2] });
      const listed = await store.deletedSecrets.list({
        ...{ owner: subject.owner, since: new Date(0), limit: 1, count: false },
      });
      expect(listed.secrets.map(({ lastUsedAt }) => lastUsedAt)).toEqual([times[2]]);
      if (!deleted) throw new Error('it is there');
      await store.commit([restore(deleted, { lastUsedAt: null })]);
      expect(await lastUsed()).toEqual(times[2]);
    });

    it('is refused only where its secret is not the stored one: of hundreds at once, before and after a change', async () => {
      const record = await subject.stored();
      const change = update(record);
      const after = { ...change.secret, sealed: record.sealed, mac: change.mac };
      const many = (of: SecretRecord) => Array.from({ length: 100 }, () => subject.store.commit([useAt(of, times[0])]));
      const waiting = many(record);
      const changed = subject.store.commit([change]);
      const outcomes = await Promise.allSettled([...waiting, ...many(record), ...many(after)]);
      await changed;
      await Promise.all(many(after));
      await expect(Promise.all(many(record))).rejects.toMatchObject({ on: 'version' });
      const events = await expectValidChain(subject.store, subject.owner);
      const at = events.findIndex(({ type }) => type === 'secret.updated');
      expect(events.slice(1, at).every(({ version }) => version === 1)).toBe(true);
      expect(events.slice(at).every(({ version }) => version === 2)).toBe(true);
      const told = outcomes.filter(({ status }) => status === 'fulfilled').length;
      expect(events).toHaveLength(2 + told + 100);
    });

    it('is told of a secret that is deleted at the same time, where it came first', async () => {
      for (let round = 0; round < 5; round += 1) {
        const record = await subject.stored();
        const uses = [1, 2, 3].map((ms) => subject.store.commit([useAt(record, new Date(ms))]));
        const removal = subject.store.commit([remove(record)]);
        const settled = await Promise.allSettled([...uses, removal]);
        expect(settled.at(-1)?.status).toBe('fulfilled');
        const last = settled.slice(0, -1).findLastIndex(({ status }) => status === 'fulfilled');
        const deleted = await subject.store.deletedSecrets.find(record.id);
        expect(deleted?.lastUsedAt).toEqual(last < 0 ? null : new Date(last + 1));
      }
    });

    it('is refused, with all of its commit, where the secret is another, and tells nothing then', async () => {
      const record = await subject.stored();
      const other = { ...record, owner: newOwner() };
      const refused = { index: 1, on: 'version' } as const;
      await subject.expectConflict([useAt(record, times[0]), useAt(other, times[0])], refused);
      await subject.expectConflict([useAt(record, times[0]), useAt({ ...record, version: 2 }, times[0])], refused);
      await subject.expectConflict([use(record), useAt({ ...record, name: 'another' }, times[0])], refused);
      await subject.expectConflict([useAt(newRecord(subject.owner), times[0])], { index: 0, on: 'version' });
      expect((await subject.store.find(record.id))?.lastUsedAt).toBeNull();
    });

    it('is found by its type among the events of its secret', async () => {
      const [record, other] = [await subject.stored(), await subject.stored()];
      await subject.store.commit([
        useAt(record, times[0]),
        use(record),
        useAt(other, times[0]),
        useAt(record, times[1]),
      ]);
      const filter = { secretId: record.id, types: ['secret.used'] } as const;
      const list = { owner: subject.owner, filter, from: 'end', limit: 10, count: true } as const;
      const { events, totalCount } = await subject.store.audit.list(list);
      expect(events.map(({ sequence, at }) => [sequence, at])).toEqual([
        [3, times[0]],
        [6, times[1]],
      ]);
      expect(totalCount).toBe(2);
    });

    it('of a thousand secrets is one commit, and the chain is valid', async () => {
      const records = Array.from({ length: 1000 }, () => newRecord(subject.owner));
      await subject.store.commit(records.map(insert));
      await subject.store.commit(records.map((record) => use(record, 'all')));
      const events = await expectValidChain(subject.store, subject.owner);
      expect(events.slice(1000).map(({ secretId }) => secretId)).toEqual(records.map(({ id }) => id));
    });
  });
}
