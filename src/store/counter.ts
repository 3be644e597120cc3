import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Counter } from './store.ts';

/** A counter over one of rate-limiter-flexible's. It only counts: what is too much is decided where points are spent. */
export function countWith(limiter: RateLimiterAbstract): Counter {
  return {
    async add(key, points) {
      const { consumedPoints, msBeforeNext } = await limiter.penalty(key, points);
      return { count: consumedPoints, resetsInMilliseconds: msBeforeNext };
    },
  };
}
