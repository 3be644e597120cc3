import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { largeEnvelope, type NamedSecrets } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, sealed, withoutEnvelope } from './fixtures.ts';
import type { Subject } from './subject.ts';

const none: NamedSecrets = { names: [], placeholders: [], ids: [] };

/** Reads of secrets whose values are to be opened. */
export function selectionContract(subject: Subject): void {
  describe('a selection', () => {
    const select = async (named: Partial<NamedSecrets> | null, limit = 1000) =>
      subject.store.select(subject.owner, named && { ...none, ...named }, limit);
    const names = async (...args: Parameters<typeof select>) =>
      (await select(...args)).map(({ secret }) => secret.name);

    it('has each secret with its envelope, and without one where no value is set', async () => {
      const record = await subject.stored({ name: 'b' });
      const empty = await subject.stored({ name: 'a', sealed: null, maskedValue: null });
      expect(await select(null)).toEqual([
        { secret: empty, envelope: null, envelopeBytes: 0 },
        { secret: withoutEnvelope(record), envelope: record.sealed?.envelope, envelopeBytes: expect.any(Number) },
      ]);
    });

    it('leaves out a large envelope and tells its size, and the record has it', async () => {
      const small = await subject.stored({ name: 'small', sealed: sealed(1, 'x'.repeat(largeEnvelope / 2)) });
      const large = await subject.stored({ name: 'large', sealed: sealed(1, 'x'.repeat(80_000)) });
      const [first, second] = await select({ names: ['small', 'large'] });
      expect(first).toMatchObject({ secret: withoutEnvelope(large), envelope: null });
      expect(first?.envelopeBytes).toBeGreaterThan(80_000);
      expect(first?.envelopeBytes).toBeLessThan(81_000);
      expect(second?.envelope).toEqual(small.sealed?.envelope);
      const records = await subject.store.findRecords(subject.owner, [large.id, small.id, randomUUID()]);
      expect(records.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([large, small]);
    });

    it('is in the order of the names, byte by byte, up to its limit', async () => {
      const inOrder = ['B', 'Z', 'a', 'b', 'é', '\uFFFD', '😀'];
      for (const name of inOrder.toReversed()) await subject.stored({ name });
      expect(await names(null)).toEqual(inOrder);
      expect(await names(null, 3)).toEqual(['B', 'Z', 'a']);
      expect(await names({ names: inOrder.toReversed() })).toEqual(inOrder);
    });

    it('finds by name, placeholder and id, each secret once, and none of another owner', async () => {
      const [a, b, c] = [
        await subject.stored({ name: 'a' }),
        await subject.stored({ name: 'b' }),
        await subject.stored({ name: 'c' }),
      ];
      await subject.stored({ name: 'd' });
      const foreign = newRecord(newOwner(), { name: 'a' });
      await subject.store.commit([insert(foreign)]);
      const named = {
        names: ['a', 'nobody'],
        placeholders: [b.placeholder, a.placeholder, foreign.placeholder],
        ids: [c.id, a.id, foreign.id, randomUUID()],
      };
      expect(await names(named)).toEqual(['a', 'b', 'c']);
      for (const [list, texts] of Object.entries(named)) {
        expect((await names({ [list]: texts })).length, list).toBeGreaterThan(0);
      }
      expect(await names({ ids: [foreign.id] })).toEqual([]);
    });

    it('of one name, placeholder or id alone is that secret, or none of another owner', async () => {
      const record = await subject.stored({ name: 'a' });
      await subject.stored({ name: 'b' });
      const foreign = newRecord(newOwner(), { name: 'c' });
      await subject.store.commit([insert(foreign)]);
      const oneOf = ({ name, placeholder, id }: typeof record) => [
        { names: [name] },
        { placeholders: [placeholder] },
        { ids: [id] },
      ];
      for (const named of oneOf(record)) {
        expect(await select(named)).toMatchObject([
          { secret: withoutEnvelope(record), envelope: record.sealed?.envelope },
        ]);
      }
      for (const named of oneOf(foreign)) expect(await select(named)).toEqual([]);
    });

    it('has every secret once, however many there are', async () => {
      const named = Array.from({ length: 450 }, (_, index) => `name ${String(index).padStart(3, '0')}`);
      await subject.store.commit(named.map((name) => insert(newRecord(subject.owner, { name }))));
      expect(await names(null)).toEqual(named);
      expect(await names(null, 400)).toEqual(named.slice(0, 400));
      expect(await names({ names: named.toReversed() })).toEqual(named);
      expect(await names({ names: named.slice(0, 200) })).toEqual(named.slice(0, 200));
    });

    it('is empty where nothing is named, and where nothing is there', async () => {
      await subject.stored();
      expect(await select({})).toEqual([]);
      expect(await subject.store.findRecords(subject.owner, [])).toEqual([]);
      expect(await subject.store.select(newOwner(), null, 10)).toEqual([]);
    });

    it('takes names that no secret can have for what they are', async () => {
      await subject.stored({ name: 'a' });
      expect(await names({ names: ["a' OR 1=1 --", '["a"]', 'a\0', '$a', '"a"', 'A', ''] })).toEqual([]);
    });
  });
}
