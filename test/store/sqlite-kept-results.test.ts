import { afterEach, expect, it, vi } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { insert, newOwner, newRecord } from '../contract/fixtures.ts';
import { newKept } from '../contract/kept-results.ts';
import { withTestMac } from '../support/keyring.ts';

const hourMs = 3_600_000;

afterEach(() => void vi.restoreAllMocks());

it('what is kept of a call is removed when its time is over, also where no later call keeps anything', async () => {
  const store = await openSqliteStore(':memory:', withTestMac);
  try {
    const now = Date.now();
    const [day, week] = [24, 168].map((hours) => newKept({ keptUntil: new Date(now + hours * hourMs) }));
    for (const write of [day, week]) if (write) await store.commit([write]);
    const isThere = async (write: typeof day) =>
      write !== undefined && (await store.keptResults(write.kept.principal, [write.kept.id])).length > 0;
    const commitAfter = async (hours: number) => {
      vi.spyOn(Date, 'now').mockReturnValue(now + hours * hourMs);
      await store.commit([insert(newRecord(newOwner()))]);
    };
    await commitAfter(23);
    expect(await isThere(day)).toBe(true);
    await commitAfter(25);
    expect(await isThere(day)).toBe(false);
    expect(await isThere(week)).toBe(true);
  } finally {
    await store.close();
  }
});
