import type { Counter } from '../store/store.ts';

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
  /** As the shared counter last said, all gateways together. */
  counted: number;
  /** Not told to the shared counter yet. */
  pending: number;
  resetsAt: number;
  syncedAt: number;
  syncing: Promise<void> | null;
}

const maxKeys = 10_000;
const syncMilliseconds = 500;

/**
 * A limit that all gateways on one store share, without a round trip to it for each request: what is counted here is told
 * to the shared counter once it makes a tenth of what is left, and at least twice a second; near the limit, each time.
 */
export function createRateLimiter(limit: RateLimit, counter: Counter, now: () => number = Date.now): RateLimiter {
  const windows = new Map<string, Window>();

  async function sync(key: string, window: Window): Promise<void> {
    const points = window.pending;
    window.pending = 0;
    window.syncedAt = now();
    try {
      const { count, resetsInMilliseconds } = await counter.add(key, points);
      window.counted = count;
      window.resetsAt = now() + resetsInMilliseconds;
    } catch {
      // Without the shared counter this gateway counts alone; what the caller came for will tell that the store is away.
      window.counted += points;
      window.resetsAt = Math.min(window.resetsAt, now() + limit.windowSeconds * 1000);
    }
  }

  function windowOf(key: string): Window {
    const known = windows.get(key);
    if (known && now() < known.resetsAt) return known;
    windows.delete(key);
    const oldest = windows.keys().next();
    if (windows.size >= maxKeys && !oldest.done) windows.delete(oldest.value);
    const window = { counted: 0, pending: 0, resetsAt: Number.POSITIVE_INFINITY, syncedAt: 0, syncing: null };
    windows.set(key, window);
    return window;
  }

  return {
    async consume(key, points) {
      const window = windowOf(key);
      // Over the limit, nothing more is counted: the window ends when it would have ended.
      if (window.counted <= limit.points) {
        window.pending += points;
        const left = limit.points - window.counted;
        const near = left < 10 || window.syncedAt === 0;
        if (near || window.pending >= left / 10 || now() - window.syncedAt >= syncMilliseconds) {
          window.syncing ??= sync(key, window).finally(() => {
            window.syncing = null;
          });
          if (near) await window.syncing;
        }
      }
      const used = window.counted + window.pending;
      return {
        limit: limit.points,
        remaining: Math.max(0, limit.points - used),
        resetSeconds: Math.max(1, Math.ceil((window.resetsAt - now()) / 1000)),
        exceeded: used > limit.points,
      };
    },
  };
}
