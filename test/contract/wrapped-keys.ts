import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WrappedKey } from '../../src/model/envelope.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { Store } from '../../src/store/store.ts';
import { byBytes, insert, newOwner, newRecord, remove, sealed, update, wrappedKeyOf } from './fixtures.ts';

/** What a rewrap reads and replaces. */
export function wrappedKeysContract(open: () => Promise<Store>): void {
  describe('wrapped keys', () => {
    const rewrapped = (key: WrappedKey): WrappedKey => ({
      ...key,
      kid: 'kek-2',
      encryptedKey: `${key.encryptedKey}2`,
    });
    let fresh: Store;
    let records: SecretRecord[];

    beforeEach(async () => {
      fresh = await open();
      records = [newOwner(), newOwner()]
        .flatMap((of) => [newRecord(of), newRecord(of), newRecord(of, { sealed: null })])
        .toSorted((a, b) => byBytes(a.id, b.id));
      for (const record of records) await fresh.commit([insert(record)]);
    });
    afterEach(() => fresh.close());

    it('are listed for every value of every owner, in the order of ids, in pages that leave none out', async () => {
      const all = await fresh.wrappedKeys('', 100);
      expect(all).toEqual(records.filter((record) => record.sealed).map(wrappedKeyOf));
      const pages: WrappedKey[] = [];
      for (let page = await fresh.wrappedKeys('', 1); page[0]; page = await fresh.wrappedKeys(page[0].position, 1)) {
        expect(page).toHaveLength(1);
        pages.push(...page);
      }
      expect(pages).toEqual(all);
    });

    it('are replaced, and nothing else of their secrets changes', async () => {
      const [from, other] = await fresh.wrappedKeys('', 100);
      if (!from || !other) throw new Error('there are four');
      const before = await fresh.findRecord(from.secretId);
      const untouched = await fresh.findRecord(other.secretId);
      expect(await fresh.replaceWrappedKeys([{ from, to: rewrapped(from) }])).toBe(1);
      const after = await fresh.findRecord(from.secretId);
      const envelope = before?.sealed && {
        ...before.sealed.envelope,
        header: { alg: 'A256KW', kid: 'kek-2' },
        encrypted_key: 'encryptedKey2',
      };
      expect(after).toEqual({ ...before, sealed: { ...before?.sealed, envelope } });
      expect(await fresh.findRecord(other.secretId)).toEqual(untouched);
      expect(await fresh.wrappedKeys('', 1)).toEqual([rewrapped(from)]);
    });

    it('are read and replaced wherever values are kept: those of earlier values, too', async () => {
      const [record] = records.filter(({ sealed }) => sealed);
      if (!record) throw new Error('there are four');
      await fresh.commit([update(record, {}, sealed(2))]);
      const all = await fresh.wrappedKeys('', 100);
      const rest = await fresh.wrappedKeys(all.at(-1)?.position ?? '', 100);
      const of = [...all, ...rest].filter(({ secretId }) => secretId === record.id);
      expect([all.length + rest.length, of.length]).toEqual([5, 2]);
      expect(new Set(of.map(({ position }) => position)).size).toBe(2);
      expect(await fresh.wrappedKeys(rest.at(-1)?.position ?? '', 100)).toEqual([]);
      expect(await fresh.replaceWrappedKeys(of.map((from) => ({ from, to: rewrapped(from) })))).toBe(2);
      const current = await fresh.findRecord(record.id);
      const earlier = await fresh.versions.find(record.owner, record.id, 1);
      for (const one of [current, earlier]) expect(one?.sealed?.envelope.header.kid).toBe('kek-2');
    });

    it('are not replaced if they have changed in the meantime, or if their secret was deleted', async () => {
      const all = await fresh.wrappedKeys('', 100);
      const [changed, gone] = records.filter((record) => record.sealed);
      if (!changed || !gone) throw new Error('there are four');
      const newSealed = { ...sealed(2), envelope: { ...sealed().envelope, encrypted_key: 'another' } };
      await fresh.commit([update(changed, {}, newSealed), remove(gone)]);
      expect(await fresh.replaceWrappedKeys(all.map((from) => ({ from, to: rewrapped(from) })))).toBe(2);
      expect((await fresh.findRecord(changed.id))?.sealed).toEqual(newSealed);
      expect(await fresh.findRecord(gone.id)).toBeUndefined();
    });

    it('are an empty list when there is no value', async () => {
      expect(await fresh.replaceWrappedKeys([])).toBe(0);
    });
  });
}
