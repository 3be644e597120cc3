import { LRUCache } from 'lru-cache';
import type { Counter } from '../store.ts';

/** Who came least lately is forgotten first, and may begin anew: memory has an end, and addresses have none. */
const maxKeys = 100_000;

/** Counts in this process's memory. */
export function countInMemory(windowSeconds: number): Counter {
  const windows = new LRUCache<string, { count: number }>({ max: maxKeys, ttl: windowSeconds * 1000 });
  return {
    async add(key, points) {
      const window = windows.get(key) ?? { count: 0 };
      if (window.count === 0) windows.set(key, window);
      window.count += points;
      return { count: window.count, resetsInMs: windows.getRemainingTTL(key) };
    },
  };
}
