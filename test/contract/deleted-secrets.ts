import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { DeletedRecord } from '../../src/model/deleted-secret.ts';
import type { WrappedKey } from '../../src/model/envelope.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import {
  countOf,
  deletedBy,
  insert,
  names,
  newOwner,
  newRecord,
  purge,
  remove,
  restore,
  sealed,
  seen,
  update,
} from './fixtures.ts';
import { expectValidChain, type Subject } from './subject.ts';

const always = new Date(0);

function listed({ deletedAt: _, deletedBy: __, ...record }: DeletedRecord) {
  return seen(record);
}

/** What a store keeps of a secret that was deleted, until it is restored or purged. */
export function deletedSecretsContract(subject: Subject): void {
  async function deleted(fields: Partial<SecretRecord> = {}, deletedAt?: Date) {
    const record = await subject.stored(fields);
    const removal = remove(record, undefined, deletedAt && { deletedAt, deletedBy: { kind: 'apiKey', id: 'a:key' } });
    await subject.store.commit([removal]);
    return deletedBy(removal);
  }

  const list = (fields: object = {}) =>
    subject.store.deletedSecrets.list({ owner: subject.owner, since: always, limit: 100, count: true, ...fields });
  const find = (id: string) => subject.store.deletedSecrets.find(id);

  describe('a deleted secret', () => {
    it('is kept as it was, with its value, who deleted it and when', async () => {
      const one = await deleted(
        { name: 'Ключ 🔑', provider: null, notes: 'a\0b', tags: ['z', 'a'] },
        new Date(86_399_999),
      );
      expect(await find(one.id)).toEqual(one);
      const none = await deleted({ sealed: null, maskedValue: null });
      expect(await find(none.id)).toEqual(none);
      expect(await find(randomUUID())).toBeUndefined();
      expect(await find((await subject.stored()).id)).toBeUndefined();
    });

    it('frees its name and its placeholder, and is not counted', async () => {
      const { name, placeholder } = await deleted({ tags: ['t'] });
      await subject.stored({ name, placeholder, tags: ['t'] });
      expect(await countOf(subject.store, subject.owner)).toBe(1);
    });

    it('cannot be deleted, updated or used again', async () => {
      const record = await subject.stored();
      await subject.store.commit([remove(record)]);
      await subject.expectConflict([remove(record)], { index: 0, on: 'version' });
      await subject.expectConflict([update(record)], { index: 0, on: 'version' });
      await subject.expectConflict([insert(newRecord(subject.owner)), remove(record)], { index: 1, on: 'version' });
    });

    it('is listed by name and then by id, page by page, and counted', async () => {
      const made = [];
      for (const name of ['b', 'a', 'b', 'B', 'é', 'b']) made.push(await deleted({ name }));
      await subject.stored({ name: 'a' });
      const inOrder = made
        .map((one) => ({ name: one.name, id: one.id }))
        .toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) || (a.id < b.id ? -1 : 1));
      const all = await list();
      expect(all.secrets.map(({ name, id }) => ({ name, id }))).toEqual(inOrder);
      expect(all).toMatchObject({ hasMore: false, totalCount: 6 });
      const [{ id = '' } = {}] = inOrder;
      const first = made.find((one) => one.id === id);
      expect(all.secrets[0]).toEqual(first && listed(first));
      const paged = [];
      for (let after = inOrder[0]; after; ) {
        const page = await list({ after, limit: 2, count: false });
        expect(page.totalCount).toBeNull();
        paged.push(...page.secrets.map(({ name, id: of }) => ({ name, id: of })));
        after = page.hasMore ? paged.at(-1) : undefined;
      }
      expect(paged).toEqual(inOrder.slice(1));
      expect(await list({ limit: 0 })).toEqual({ secrets: [], hasMore: false, totalCount: 6 });
      expect((await list({ owner: newOwner() })).totalCount).toBe(0);
    });

    it('is listed while it was deleted after a time', async () => {
      const times = [new Date(1000), new Date(2000), new Date(3000)];
      for (const [index, at] of times.entries()) await deleted({ name: `n${index}` }, at);
      const since = await list({ since: new Date(2000) });
      expect([since.secrets.map(({ name }) => name), since.totalCount]).toEqual([['n2'], 1]);
    });
  });

  describe('a restoration', () => {
    it('brings the secret back in its next version, with its value, its tags and its events', async () => {
      const one = await deleted({ name: 'n', tags: ['t'], sealed: sealed(1, 'kept') });
      const back = restore(one);
      await subject.store.commit([back]);
      expect(await subject.store.findRecord(one.id)).toEqual({ ...back.secret, sealed: one.sealed, mac: back.mac });
      expect(await find(one.id)).toBeUndefined();
      expect(await names(subject.store, subject.owner, { filter: { tags: ['t'] } })).toEqual(['n']);
      expect(await countOf(subject.store, subject.owner)).toBe(1);
      const events = await expectValidChain(subject.store, subject.owner);
      expect(events.map(({ type, version }) => [type, version])).toEqual([
        ['secret.created', 1],
        ['secret.deleted', 1],
        ['secret.restored', 2],
      ]);
      expect(events.at(-1)?.recordMac).toBe(back.mac.tag);
    });

    it('of a secret without a value brings it back without one, which it can get', async () => {
      const one = await deleted({ sealed: null, maskedValue: null });
      const back = restore(one);
      await subject.store.commit([back]);
      const record = { ...back.secret, sealed: null, mac: back.mac };
      expect(await subject.store.findRecord(one.id)).toEqual(record);
      await subject.store.commit([update(record, {}, sealed(3))]);
    });

    it('conflicts on a name and on a placeholder that are taken by now, and takes others', async () => {
      const one = await deleted();
      const heir = await subject.stored({ name: one.name });
      await subject.expectConflict([restore(one)], { index: 0, on: 'name' });
      await subject.store.commit([update(heir, { name: 'another' })]);
      const other = await subject.stored({ placeholder: one.placeholder });
      await subject.expectConflict([restore(one)], { index: 0, on: 'placeholder' });
      await subject.expectConflict([restore(one, { name: other.name })], { index: 0, on: 'name' });
      await subject.store.commit([restore(one, { placeholder: 'sec_another' })]);
      expect((await subject.store.find(one.id))?.placeholder).toBe('sec_another');
    });

    it('requires the deleted secret that was read', async () => {
      const [one, gone] = [await deleted(), newRecord(subject.owner)];
      const refused = { index: 0, on: 'version' } as const;
      await subject.expectConflict([restore({ ...one, mac: { ...one.mac, tag: 'another' } })], refused);
      await subject.expectConflict([restore({ ...one, version: 2 })], refused);
      await subject.expectConflict([restore({ ...one, owner: newOwner() })], refused);
      await subject.expectConflict([restore(deletedBy(remove(gone)))], refused);
      await subject.store.commit([restore(one)]);
      await subject.expectConflict([restore(one)], refused);
    });

    it('of twenty at the same time is made once', async () => {
      const one = await deleted();
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => subject.store.commit([restore(one)])));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await countOf(subject.store, subject.owner)).toBe(1);
      await expectValidChain(subject.store, subject.owner);
    });

    it('brings back what a rewrap left of its value', async () => {
      const one = await deleted();
      let from: WrappedKey | undefined;
      for (let after = ''; !from; ) {
        const page = await subject.store.wrappedKeys(after, 1000);
        from = page.find(({ secretId }) => secretId === one.id);
        after = page.at(-1)?.position ?? expect.fail('the deleted secret is not among the wrapped keys');
      }
      const to = { ...from, kid: 'kek-2', encryptedKey: 'new' };
      expect(await subject.store.replaceWrappedKeys([{ from, to }])).toBe(1);
      const read = (await find(one.id)) ?? one;
      await subject.store.commit([restore(read)]);
      expect((await subject.store.findRecord(one.id))?.sealed?.envelope).toMatchObject({
        header: { kid: 'kek-2' },
        encrypted_key: 'new',
      });
    });

    it('sees the changes before it in its commit', async () => {
      const record = await subject.stored();
      const removal = remove(record);
      const again = restore(deletedBy(removal));
      await subject.store.commit([removal, again, update({ ...again.secret, sealed: record.sealed, mac: again.mac })]);
      expect((await subject.store.find(record.id))?.version).toBe(3);
    });
  });

  describe('a purge', () => {
    it.each([
      ['a secret', async () => subject.stored()],
      ['a deleted secret', async () => deleted()],
    ])('of %s leaves its events, and its id taken', async (_, make) => {
      const one = await make();
      const other = await subject.stored();
      await subject.store.commit([purge(one)]);
      expect(await subject.store.findRecord(one.id)).toBeUndefined();
      expect(await find(one.id)).toBeUndefined();
      expect(await names(subject.store, subject.owner)).toEqual([other.name]);
      expect(await countOf(subject.store, subject.owner)).toBe(1);
      await subject.expectConflict([insert(newRecord(subject.owner, { id: one.id }))], { index: 0, on: 'id' });
      await subject.expectConflict([purge(one)], { index: 0, on: 'version' });
      const events = await expectValidChain(subject.store, subject.owner);
      expect(events.at(-1)).toMatchObject({
        type: 'secret.purged',
        secretId: one.id,
        version: 1,
        recordMac: one.mac.tag,
      });
    });

    it('requires the version and the MAC that were read', async () => {
      const [live, gone] = [await subject.stored(), await deleted()];
      for (const one of [live, gone]) {
        const refused = { index: 0, on: 'version' } as const;
        await subject.expectConflict([purge({ ...one, version: 2 })], refused);
        await subject.expectConflict([purge({ ...one, mac: { ...one.mac, tag: 'another' } })], refused);
        await subject.expectConflict([purge({ ...one, owner: newOwner() })], refused);
      }
    });

    it('finds all that were deleted before a time, whoever had them, in ranges', async () => {
      const old: DeletedRecord[] = [];
      for (let at = 1; at <= 5; at += 1) {
        subject.owner = newOwner();
        old.push(await deleted({}, new Date(at)));
      }
      await deleted({}, new Date(1000));
      const found = [];
      for (let after: string | null = ''; after !== null; ) {
        const range = await subject.store.deletedSecrets.expired(new Date(6), after, 2);
        expect(range.secrets.length).toBeLessThanOrEqual(2);
        found.push(...range.secrets);
        after = range.next;
      }
      const ids = new Set(old.map(({ id }) => id));
      const ours = found.filter(({ id }) => ids.has(id)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const expected = old.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      expect(ours).toEqual(expected.map(({ id, owner, name, version, mac }) => ({ id, owner, name, version, mac })));
      await Promise.all(expected.map((one) => subject.store.commit([purge(one)])));
      const left = await subject.store.deletedSecrets.expired(new Date(6), '', 1000);
      expect(left.secrets.filter(({ id }) => ids.has(id))).toEqual([]);
    });
  });
}
