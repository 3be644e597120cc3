import { LRUCache } from 'lru-cache';
import type { Trace } from '../../runtime/trace.ts';
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
  readonly limit: RateLimit;
  /** @returns a promise only where the shared counter is waited for */
  consume(key: string, points: number): RateLimitState | Promise<RateLimitState>;
}

interface Window {
  /** The shared counter's last answer, for all gateways together, and what was reported since. */
  counted: number;
  /** Not reported to the shared counter yet. */
  pending: number;
  resetsAt: number;
  startedAt: number;
  /** Null before the first report. */
  reportedAt: number | null;
  /** Ends with the shared counter's last answer. */
  reporting: Promise<unknown>;
  /** The next report, while it waits for the one before. */
  next: Promise<number> | null;
}

const maxKeys = 10_000;
const reportMs = 2000;
/** With a limit this wide, most requests are let through before the shared counter has answered. */
const wideLimit = 100;
/** Less than this part of the limit is not reported every two seconds: most callers come seldom, and a report costs a command. */
const worthReporting = 1 / 100;

/**
 * A limit that all gateways on one store share, without a round trip to the store for each request. Points are counted here,
 * and reported to the shared counter once they are a tenth of what is left, or every two seconds if they are a hundredth of
 * the limit. A request that takes a tenth of what is left waits for the shared counter. Near the limit every request does, and
 * with a narrow limit each one: a tenth for each gateway would be too much of it. So exactly the limit is let through.
 */
export function createRateLimiter(limit: RateLimit, counter: Counter, trace: Trace): RateLimiter {
  // Not the time of day: when that is set back, a caller would be refused for as long.
  const now = () => performance.now();
  const windows = new LRUCache<string, Window>({ max: maxKeys });

  /** Reports what is pending, one report after another. @returns what the shared counter had counted before */
  function report(key: string, window: Window): Promise<number> {
    if (!window.next) {
      window.next = window.reporting.then(() => {
        window.next = null;
        return reportNow(key, window);
      });
      window.reporting = window.next;
    }
    return window.next;
  }

  async function reportNow(key: string, window: Window): Promise<number> {
    const points = window.pending;
    window.pending = 0;
    window.counted += points;
    window.reportedAt = now();
    try {
      const { count, resetsInMs } = await trace('limiter.count', () => counter.add(key, points));
      window.counted = count;
      // Clocks differ, but no window is longer than the setting says.
      window.resetsAt = now() + Math.min(resetsInMs, limit.windowSeconds * 1000);
    } catch {
      // Without the shared counter this gateway counts alone. The operation itself will report that the store is away.
    }
    return window.counted - points;
  }

  function windowOf(key: string): Window {
    const known = windows.get(key);
    if (known && now() < known.resetsAt) return known;
    const startedAt = now();
    const resetsAt = startedAt + limit.windowSeconds * 1000;
    const window: Window = {
      counted: 0,
      pending: 0,
      startedAt,
      resetsAt,
      reportedAt: null,
      reporting: Promise.resolve(),
      next: null,
    };
    windows.set(key, window);
    return window;
  }

  /** @returns what is used of the window, up to and including these points */
  function take(key: string, points: number, window: Window): number | Promise<number> {
    const left = limit.points - window.counted;
    // Over the limit nothing more is counted, so that refused requests do not prolong the window.
    if (left < 0) return window.counted;
    window.pending += points;
    const pending = window.pending;
    // While one report runs and another waits, a slow counter would leave all counting to this gateway alone.
    const isBehind = pending >= left / 10 && window.next !== null;
    if (points >= left / 10 || isBehind || limit.points < wideLimit)
      return report(key, window).then((before) => before + pending);
    const used = window.counted + pending;
    const isDue =
      now() - (window.reportedAt ?? window.startedAt) >= reportMs && pending >= limit.points * worthReporting;
    if (pending >= left / 10 || isDue) void report(key, window);
    return used;
  }

  function stateOf(window: Window, used: number): RateLimitState {
    return {
      limit: limit.points,
      remaining: Math.max(0, limit.points - used),
      resetSeconds: Math.max(1, Math.ceil(Math.min(window.resetsAt - now(), limit.windowSeconds * 1000) / 1000)),
      exceeded: used > limit.points,
    };
  }

  return {
    limit,
    consume(key, points) {
      const window = windowOf(key);
      const used = take(key, points, window);
      return typeof used === 'number' ? stateOf(window, used) : used.then((counted) => stateOf(window, counted));
    },
  };
}
