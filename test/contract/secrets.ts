import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import {
  changedDestinations,
  countOf,
  destination,
  insert,
  names,
  newOwner,
  newRecord,
  query,
  remove,
  sealed,
  seen,
  update,
  withoutEnvelope,
} from './fixtures.ts';
import type { Subject } from './subject.ts';

/** What a store keeps of a secret that is inserted, updated or deleted. */
export function secretsContract(subject: Subject): void {
  describe('a secret', () => {
    it.each<[string, Owner]>([
      ['user', { type: 'user', userId: `auth0|${randomUUID()}/ü` }],
      ['team', { type: 'team', teamId: `${randomUUID()} 𝒯` }],
      ['connector', { type: 'connector', teamId: randomUUID(), connectorId: 'a/b:c%' }],
    ])('of a %s is read back with every field unchanged', async (_, of) => {
      subject.owner = of;
      const record = await subject.stored({
        name: 'Ключ 鍵 🔑',
        provider: 'Ünïcode\u{1F600}',
        notes: 'two\nlines',
        tags: ['zeta', 'alpha', '標籤'],
      });
      expect(await subject.store.findRecord(record.id)).toEqual(record);
      expect(await subject.store.find(record.id)).toEqual(withoutEnvelope(record));
      expect((await subject.store.list(query(subject.owner))).secrets).toEqual([seen(record)]);
    });

    it('without a value, a provider, notes and tags is read back without them', async () => {
      const none = { provider: null, notes: null, tags: [], maskedValue: null, destination: null, sealed: null };
      const record = await subject.stored(none);
      expect(await subject.store.findRecord(record.id)).toEqual(record);
      expect((await subject.store.list(query(subject.owner))).secrets).toEqual([seen(record)]);
    });

    it('has its destination in every read, and none once a value without one was set', async () => {
      const records = [];
      for (const [, to] of changedDestinations) records.push(await subject.stored({ destination: to }));
      const named = { names: [], placeholders: [], ids: records.map(({ id }) => id) };
      const found = await Promise.all(records.map(({ id }) => subject.store.find(id)));
      expect(found).toEqual(records.map(withoutEnvelope));
      const [listed, selected] = [
        (await subject.store.list(query(subject.owner))).secrets,
        (await subject.store.select(subject.owner, named, 100)).map(({ secret }) => secret),
      ];
      for (const record of records) {
        expect(listed).toContainEqual(seen(record));
        expect(selected).toContainEqual(withoutEnvelope(record));
      }
      const [first] = records;
      if (!first) throw new Error('it is stored');
      await subject.store.commit([update(first, { destination: null }, sealed(2))]);
      expect(await subject.store.find(first.id)).toMatchObject({ version: 2, destination: null });
    });

    it.each(['a\0b', '\0', 'ends with \0', ''])('keeps notes %j unchanged', async (notes) => {
      const record = await subject.stored({ notes });
      expect((await subject.store.find(record.id))?.notes).toBe(notes);
      expect((await subject.store.list(query(subject.owner))).secrets[0]?.notes).toBe(notes);
    });

    it('shows no envelope in a find, and nothing of the value and the MAC in a list', async () => {
      const record = await subject.stored();
      const found = await subject.store.find(record.id);
      expect(found).toMatchObject({ mac: record.mac, sealed: { version: 1, tag: record.sealed?.tag } });
      expect(found?.sealed).not.toHaveProperty('envelope');
      const [listed] = (await subject.store.list(query(subject.owner))).secrets;
      for (const hidden of ['sealed', 'mac']) expect(listed).not.toHaveProperty(hidden);
    });

    it('that does not exist is undefined, also when it is read together with one that does', async () => {
      const { id } = await subject.stored();
      const found = await Promise.all([
        subject.store.find(randomUUID()),
        subject.store.find(id),
        subject.store.find(id),
      ]);
      expect(found.map((secret) => secret?.id)).toEqual([undefined, id, id]);
      expect(await subject.store.findRecord(randomUUID())).toBeUndefined();
    });
  });

  describe('an update', () => {
    it('replaces every field, and the envelope if there is a new value', async () => {
      const record = await subject.stored({ tags: ['old'] });
      const newSealed = sealed(2, 'second');
      const change = update(
        record,
        {
          name: 'renamed',
          provider: null,
          notes: 'n',
          tags: ['new', 'tags'],
          maskedValue: '••••',
          destination: { ...destination, origin: 'https://api.example', paths: null, byHand: false },
          updatedAt: new Date(1),
        },
        newSealed,
      );
      await subject.store.commit([change]);
      const expected = { ...change.secret, sealed: newSealed, mac: change.mac };
      expect(await subject.store.findRecord(record.id)).toEqual(expected);
    });

    it('without a value keeps the envelope, and the version that it was sealed for', async () => {
      const record = await subject.stored();
      const change = update(record, { notes: 'only the notes' });
      await subject.store.commit([change]);
      const found = await subject.store.findRecord(record.id);
      expect(found).toMatchObject({ version: 2, notes: 'only the notes', sealed: record.sealed, mac: change.mac });
    });

    it('gives a secret without a value its first one', async () => {
      const record = await subject.stored({ sealed: null });
      const first = sealed(2);
      await subject.store.commit([update(record, {}, first)]);
      expect((await subject.store.findRecord(record.id))?.sealed).toEqual(first);
    });

    it('frees the old name and finds the secret by the new one', async () => {
      const record = await subject.stored({ name: 'old', tags: ['t'] });
      await subject.store.commit([update(record, { name: 'new' })]);
      await subject.stored({ name: 'old', tags: ['t'] });
      expect(await names(subject.store, subject.owner, { filter: { tags: ['t'] } })).toEqual(['new', 'old']);
      expect(await names(subject.store, subject.owner, { filter: { name: 'new' } })).toEqual(['new']);
    });

    it('changes the tags and the provider by which the secret is found', async () => {
      const record = await subject.stored({ name: 'n', tags: ['a', 'b'], provider: 'aws' });
      await subject.store.commit([update(record, { tags: ['b', 'c'], provider: 'gcp' })]);
      expect(await names(subject.store, subject.owner, { filter: { tags: ['a'] } })).toEqual([]);
      expect(await names(subject.store, subject.owner, { filter: { tags: ['c', 'b'] } })).toEqual(['n']);
      expect(await names(subject.store, subject.owner, { filter: { provider: 'aws' } })).toEqual([]);
      expect(await names(subject.store, subject.owner, { filter: { provider: 'gcp' } })).toEqual(['n']);
    });

    it('may keep its own name and placeholder without a conflict', async () => {
      const record = await subject.stored();
      await subject.store.commit([update(record)]);
      expect(await subject.store.find(record.id)).toMatchObject({ version: 2, name: record.name });
    });

    it('leaves the count as it is', async () => {
      await subject.store.commit([update(await subject.stored())]);
      expect(await countOf(subject.store, subject.owner)).toBe(1);
    });
  });

  describe('a delete', () => {
    it('removes the secret from every result, frees its name and placeholder at once, and its id never', async () => {
      const record = await subject.stored({ tags: ['t'] });
      await subject.store.commit([remove(record)]);
      expect(await subject.store.findRecord(record.id)).toBeUndefined();
      expect(await names(subject.store, subject.owner)).toEqual([]);
      expect(await names(subject.store, subject.owner, { filter: { tags: ['t'] } })).toEqual([]);
      expect(await countOf(subject.store, subject.owner)).toBe(0);
      await subject.expectConflict([insert(record)], { index: 0, on: 'id' });
      await subject.expectConflict([insert(newRecord(newOwner(), { id: record.id }))], { index: 0, on: 'id' });
      const { name, placeholder } = record;
      const heir = await subject.stored({ name, placeholder });
      expect(await subject.store.findRecord(heir.id)).toEqual(heir);
    });

    it('and an insert of the same id in one commit are refused', async () => {
      const record = await subject.stored();
      await subject.expectConflict([remove(record), insert(record)], { index: 1, on: 'id' });
    });
  });
}
