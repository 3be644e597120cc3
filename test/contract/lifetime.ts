import { describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, newOwner, newRecord, query, remove, wrappedKeyOf } from './fixtures.ts';

/** How a store begins empty and is closed. */
export function lifetimeContract(open: () => Promise<Store>): void {
  describe('as a whole', () => {
    it('is empty until its first secret, and is not empty again after that one was deleted', async () => {
      const fresh = await open();
      try {
        expect(await fresh.isEmpty()).toBe(true);
        const record = newRecord(newOwner());
        await fresh.commit([insert(record)]);
        expect(await fresh.isEmpty()).toBe(false);
        await fresh.commit([remove(record)]);
        expect(await fresh.isEmpty()).toBe(false);
      } finally {
        await fresh.close();
      }
    });

    it('finishes the writes that began before it was closed, and is unavailable afterwards', async () => {
      const fresh = await open();
      const record = newRecord(newOwner());
      expect(await fresh.check()).toBeUndefined();
      const written = fresh.commit([insert(record)]);
      await fresh.close();
      await expect(written).resolves.toBeUndefined();
      const unavailable = expect.objectContaining({ name: 'DomainError', code: 'SERVICE_UNAVAILABLE' });
      await expect(fresh.check()).rejects.toEqual(unavailable);
      await expect(fresh.find(record.id)).rejects.toEqual(unavailable);
      await expect(fresh.findRecord(record.id)).rejects.toEqual(unavailable);
      await expect(fresh.list(query(record.owner))).rejects.toEqual(unavailable);
      await expect(fresh.auditEvents(record.owner, 0, 1)).rejects.toEqual(unavailable);
      const { apiKeys } = fresh;
      await expect(apiKeys.findByHash('')).rejects.toEqual(unavailable);
      await expect(apiKeys.find(record.id, ['red'])).rejects.toEqual(unavailable);
      await expect(apiKeys.list({ teamId: 'red', limit: 1, count: true })).rejects.toEqual(unavailable);
      await expect(apiKeys.markUsed('', new Date(), 0)).rejects.toEqual(unavailable);
      await expect(fresh.wrappedKeys('', 1)).rejects.toEqual(unavailable);
      const wrapped = wrappedKeyOf(record);
      await expect(fresh.replaceWrappedKeys([{ from: wrapped, to: wrapped }])).rejects.toEqual(unavailable);
      const refused = await fresh.commit([insert(newRecord(newOwner()))]).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(DomainError);
      expect(refused).toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
        details: { retryAfterSeconds: expect.any(Number) },
      });
      await expect(fresh.close()).resolves.toBeUndefined();
    });
  });
}
