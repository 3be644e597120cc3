import type { Counter } from '../store/store.ts';
import { traced } from '../trace.ts';

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
  /** Infinite before the shared counter has answered for the first time. */
  resetsAt: number;
  toldAt: number;
  /** Ends with the shared counter's last answer. */
  telling: Promise<unknown>;
  /** The next telling, while it waits for the one before. */
  next: Promise<number> | null;
}

const maxKeys = 10_000;
const tellMilliseconds = 2000;
/** Of a limit this wide, what others have used may be learnt while the first requests are let through. */
const wide = 100;

/**
 * A limit that all gateways on one store share, without a round trip to it for each request: what is counted here is told
 * to the shared counter once it makes a tenth of what is left, and at least every two seconds. Who alone takes a tenth of what
 * is left waits for the shared counter; so near the limit everyone does, and exactly the limit is let through.
 */
export function createRateLimiter(limit: RateLimit, counter: Counter, now: () => number = Date.now): RateLimiter {
  const windows = new Map<string, Window>();

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
      window.resetsAt = now() + resetsInMilliseconds;
    } catch {
      // Without the shared counter this gateway counts alone; what the caller came for will tell that the store is away.
      window.resetsAt = Math.min(window.resetsAt, now() + limit.windowSeconds * 1000);
    }
    return window.counted - points;
  }

  function windowOf(key: string): Window {
    const known = windows.get(key);
    if (known && now() < known.resetsAt) return known;
    windows.delete(key);
    const oldest = windows.keys().next();
    if (windows.size >= maxKeys && !oldest.done) windows.delete(oldest.value);
    const resetsAt = Number.POSITIVE_INFINITY;
    const window = { counted: 0, pending: 0, resetsAt, toldAt: 0, telling: Promise.resolve(), next: null };
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
    const isFirst = window.resetsAt === Number.POSITIVE_INFINITY;
    if (points >= left / 10 || (isFirst && limit.points < wide)) return (await tell(key, window)) + place;
    const used = window.counted + place;
    if (place >= left / 10 || now() - window.toldAt >= tellMilliseconds) void tell(key, window);
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
