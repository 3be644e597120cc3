import { describe, expect, it } from 'vitest';
import { insert, newOwner, newRecord, query, remove, sealed, update, use } from './fixtures.ts';
import { expectValidChain, type Subject } from './subject.ts';

/** The audit events of secrets that are used as they are. */
export function usesContract(subject: Subject): void {
  describe('a use', () => {
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

    it('of a thousand secrets is one commit, and the chain is valid', async () => {
      const records = Array.from({ length: 1000 }, () => newRecord(subject.owner));
      await subject.store.commit(records.map(insert));
      await subject.store.commit(records.map((record) => use(record, 'all')));
      const events = await expectValidChain(subject.store, subject.owner);
      expect(events.slice(1000).map(({ secretId }) => secretId)).toEqual(records.map(({ id }) => id));
    });
  });
}
