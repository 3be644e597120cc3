import { LRUCache } from 'lru-cache';
import { traced } from '../../runtime/trace.ts';
import type { Counter } from '../../store/store.ts';

export interface RateLimit {
  readonly points: number;
  readonly windowSeconds: number;
}

export interface RateLimitState {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly exceeded: boolean;
}

export interface RateLimiter {
  consume(key: string, points: number): Promise<RateLimitState>;
}

interface Window {
  /** As the shared counter last said, all gateways together, and what it was told since. */
  counted: number;
  /** Not told to the shared counter yet. */
  pending: number;
  resetsAt: number;
  /** Null before the shared counter has been told for the first time. */
  toldAt: number | null;
  /** Ends with the shared counter's last answer. */
  telling: Promise<unknown>;
  /** The next telling, while it waits for the one before. */
  next: Promise<number> | null;
}

const maxKeys = 10_000;
const tellMilliseconds = 2000;
/** Of a limit this wide, what others have used may be learnt while the first requests are let through. */
const wide = 100;
/** What is less of a limit is told when more comes, or not at all: most callers come seldom, and telling costs a command. */
const worthTelling = 1 / 100;

/**
 * A limit that all gateways on one store share, without a round trip to it for each request: what is counted here is told
 * to the shared counter once it makes a tenth of what is left, and every two seconds if it makes a hundredth of the limit. Who alone
 * takes a tenth of what is left waits for the shared counter; so near the limit everyone does, and exactly the limit is let
 * through.
 */
export function createRateLimiter(limit: RateLimit, counter: Counter): RateLimiter {
  // Not the time of day: that may be set back, and a caller would be kept out for as long.
  const now = () => performance.now();
  const windows = new LRUCache<string, Window>({ max: maxKeys });

  /** Tells the shared counter what is pending, one telling after another. @returns what it had counted before that */
  function tell(key: string, window: Window): Promise<number> {
    if (!window.next) {
      window.next = window.telling.then(() => {
        window.next = null;
        return tellNow(key, window);
      });
      window.telling = window.next;
    }
    return window.next;
  }

  async function tellNow(key: string, window: Window): Promise<number> {
    const points = window.pending;
    window.pending = 0;
    window.counted += points;
    window.toldAt = now();
    try {
      const { count, resetsInMilliseconds } = await traced('limiter.count', () => counter.add(key, points));
      window.counted = count;
      // Clocks differ: a window is never longer than a window.
      window.resetsAt = now() + Math.min(resetsInMilliseconds, limit.windowSeconds * 1000);
    } catch {
      // Without the shared counter this gateway counts alone; what the caller came for will tell that the store is away.
    }
    return window.counted - points;
  }

  function windowOf(key: string): Window {
    const known = windows.get(key);
    if (known && now() < known.resetsAt) return known;
    const resetsAt = now() + limit.windowSeconds * 1000;
    const window: Window = { counted: 0, pending: 0, resetsAt, toldAt: null, telling: Promise.resolve(), next: null };
    windows.set(key, window);
    return window;
  }

  /** @returns what is used of the window, up to and including these points */
  async function take(key: string, points: number, window: Window): Promise<number> {
    const left = limit.points - window.counted;
    // Over the limit, nothing more is counted: the window ends when it would have ended.
    if (left < 0) return window.counted;
    window.pending += points;
    const place = window.pending;
    const isFirst = window.toldAt === null;
    // While one telling is under way and another waits, a slow counter would leave everything to this gateway's own count.
    const isBehind = place >= left / 10 && window.next !== null;
    if (points >= left / 10 || isBehind || (isFirst && limit.points < wide)) return (await tell(key, window)) + place;
    const used = window.counted + place;
    const isDue = now() - (window.toldAt ?? 0) >= tellMilliseconds && place >= limit.points * worthTelling;
    if (place >= left / 10 || isDue) void tell(key, window);
    return used;
  }

  return {
    async consume(key, points) {
      const window = windowOf(key);
      const used = await take(key, points, window);
      return {
        limit: limit.points,
        remaining: Math.max(0, limit.points - used),
        resetSeconds: Math.max(1, Math.ceil(Math.min(window.resetsAt - now(), limit.windowSeconds * 1000) / 1000)),
        exceeded: used > limit.points,
      };
    },
  };
}
