import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Subject } from './subject.ts';

/** The counter of a rate limit. */
export function counterContract(subject: Subject): void {
  describe('a counter', () => {
    it('adds up the points of each key in its window, and reports when the window ends', async () => {
      const counter = subject.store.counter(60);
      const key = randomUUID();
      expect((await counter.add(key, 3)).count).toBe(3);
      const second = await counter.add(key, 4);
      expect(second.count).toBe(7);
      expect(second.resetsInMs).toBeLessThanOrEqual(60_000);
      expect(second.resetsInMs).toBeGreaterThan(50_000);
      expect((await counter.add(randomUUID(), 1)).count).toBe(1);
      expect((await subject.store.counter(30).add(key, 1)).count).toBe(1);
    });

    it('loses no point of many that are added at once', async () => {
      const counter = subject.store.counter(60);
      const key = randomUUID();
      await Promise.all(Array.from({ length: 50 }, () => counter.add(key, 2)));
      expect((await counter.add(key, 1)).count).toBe(101);
    });

    it('starts again when its window has ended', async () => {
      const counter = subject.store.counter(1);
      const key = randomUUID();
      await counter.add(key, 100);
      const once = { timeout: 5000, interval: 50 };
      await expect.poll(async () => (await counter.add(key, 1)).count, once).toBeLessThan(100);
    });
  });
}
