import { LRUCache } from 'lru-cache';
import type { Counter } from '../store.ts';

/** Beyond this, the keys that were used least recently are forgotten: memory is bounded, and the number of addresses is not. */
const maxKeys = 100_000;

/** Counts in this process's memory. */
export function countInMemory(windowSeconds: number): Counter {
  // With `max` the cache would fill 4 MB at once for keys that most gateways never see.
  const windows = new LRUCache<string, { count: number }>({
    maxSize: maxKeys,
    sizeCalculation: () => 1,
    ttl: windowSeconds * 1000,
  });
  return {
    async add(key, points) {
      const window = windows.get(key) ?? { count: 0 };
      if (window.count === 0) windows.set(key, window);
      window.count += points;
      return { count: window.count, resetsInMs: windows.getRemainingTTL(key) };
    },
  };
}
