import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRateLimiter, type RateLimiter } from '../../../src/http/rate-limit/rate-limiter.ts';
import { createTrace } from '../../../src/runtime/trace.ts';
import type { Counter } from '../../../src/store/store.ts';

const windowSeconds = 60;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A counter that gateways share, on the same clock, and the points of each call to it. */
class SharedCounter implements Counter {
  readonly calls: number[] = [];
  readonly #windows = new Map<string, { count: number; endsAt: number }>();

  async add(key: string, points: number) {
    this.calls.push(points);
    let window = this.#windows.get(key);
    if (!window || window.endsAt <= performance.now()) {
      window = { count: 0, endsAt: performance.now() + windowSeconds * 1000 };
      this.#windows.set(key, window);
    }
    window.count += points;
    return { count: window.count, resetsInMs: window.endsAt - performance.now() };
  }
}

const failing: Counter = { add: () => Promise.reject(new Error('the store is away')) };

function limiterOf(points: number, counter: Counter): RateLimiter {
  return createRateLimiter({ points, windowSeconds }, counter, createTrace());
}

/** Sends requests one after another. @returns how many were let through */
async function spend({ consume }: RateLimiter, requests: number, points = 1, key = 'ada'): Promise<number> {
  let through = 0;
  for (let sent = 0; sent < requests; sent += 1) {
    if (!(await consume(key, points)).exceeded) through += 1;
    await settled();
  }
  return through;
}

describe('a limit', () => {
  const waves = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 25 });

  it('lets exactly its points through, however many requests come at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), waves, async (points, sizes) => {
        const { consume } = limiterOf(points, new SharedCounter());
        let [sent, through] = [0, 0];
        for (const size of sizes) {
          const states = await Promise.all(Array.from({ length: size }, () => consume('ada', 1)));
          sent += size;
          through += states.filter(({ exceeded }) => !exceeded).length;
          expect(through).toBe(Math.min(sent, points));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is never exceeded by requests of several points', async () => {
    const costs = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), costs, async (points, requests) => {
        const { consume } = limiterOf(points, new SharedCounter());
        const states = await Promise.all(requests.map((cost) => consume('ada', cost)));
        const through = requests.filter((_cost, index) => !states[index]?.exceeded);
        expect(through.reduce((sum, cost) => sum + cost, 0)).toBeLessThanOrEqual(points);
      }),
      { numRuns: 50 },
    );
  });

  it('is counted separately for each key', async () => {
    const limiter = limiterOf(5, new SharedCounter());
    expect(await spend(limiter, 9, 1, 'ada')).toBe(5);
    expect(await spend(limiter, 9, 1, 'eve')).toBe(5);
  });

  it('reports with each request the points that are left, never less than 0', async () => {
    const { consume } = limiterOf(3, new SharedCounter());
    const states = [];
    for (let sent = 0; sent < 5; sent += 1) states.push(await consume('ada', 1));
    expect(states.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0, 0]);
    expect(states.map(({ exceeded }) => exceeded)).toEqual([false, false, false, true, true]);
    expect(states.every(({ limit }) => limit === 3)).toBe(true);
  });

  it.each([2, 3])(
    'that %i gateways share is exceeded by at most the points that the others have not reported; below 100 by none',
    async (gateways) => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 100, max: 400 })),
          fc.infiniteStream(fc.nat({ max: gateways - 1 })),
          async (points, choices) => {
            const counter = new SharedCounter();
            const limiters = Array.from({ length: gateways }, () => limiterOf(points, counter));
            let through = 0;
            for (const choice of choices.take(2 * points)) through += await spend(limiters[choice] as RateLimiter, 1);
            for (const limiter of limiters) through += await spend(limiter, points);
            expect(through).toBeGreaterThanOrEqual(points);
            // A report is due with the request that makes a tenth of what was left, and that request does not wait.
            const unreported = points < 100 ? 0 : (gateways - 1) * Math.ceil(points / 10);
            expect(through).toBeLessThanOrEqual(points + unreported);
          },
        ),
        { numRuns: 20 },
      );
    },
  );
});

describe('a gateway reports to the shared counter', () => {
  it('once a tenth of the remaining points has been used', async () => {
    const counter = new SharedCounter();
    await spend(limiterOf(1000, counter), 600);
    expect(counter.calls.slice(0, 6)).toEqual([100, 90, 81, 73, 66, 59]);
    let reported = 0;
    for (const points of counter.calls) {
      expect(points).toBe(Math.ceil((1000 - reported) / 10));
      reported += points;
    }
  });

  it('each request near the limit', async () => {
    const counter = new SharedCounter();
    const limiter = limiterOf(200, counter);
    await spend(limiter, 190);
    counter.calls.length = 0;
    await spend(limiter, 10);
    expect(counter.calls).toEqual(Array(10).fill(1));
  });

  it('immediately for a request that takes a tenth of the remaining points', async () => {
    const counter = new SharedCounter();
    const { consume } = limiterOf(1000, counter);
    await consume('ada', 99);
    expect(counter.calls).toEqual([]);
    await consume('ada', 100);
    expect(counter.calls).toEqual([199]);
  });

  it('every 2 s if a hundredth of the limit has been used', async () => {
    const counter = new SharedCounter();
    const limiter = limiterOf(1000, counter);
    await spend(limiter, 100);
    counter.calls.length = 0;
    await spend(limiter, 10);
    vi.advanceTimersByTime(1999);
    await spend(limiter, 1);
    expect(counter.calls).toEqual([]);
    vi.advanceTimersByTime(1);
    await spend(limiter, 1);
    expect(counter.calls).toEqual([12]);
  });

  it('nothing while less than a hundredth of the limit has been used, however much time has passed', async () => {
    const counter = new SharedCounter();
    const limiter = limiterOf(1000, counter);
    await spend(limiter, 100);
    counter.calls.length = 0;
    vi.advanceTimersByTime(30_000);
    await spend(limiter, 9);
    expect(counter.calls).toEqual([]);
    await spend(limiter, 1);
    expect(counter.calls).toEqual([10]);
  });

  it.each([
    [99, [1, 1, 1]],
    [100, []],
  ])('each request only where the limit is below 100: %i', async (points, calls) => {
    const counter = new SharedCounter();
    await spend(limiterOf(points, counter), 3);
    expect(counter.calls).toEqual(calls);
  });

  it('no request after the first refused one', async () => {
    const counter = new SharedCounter();
    const limiter = limiterOf(10, counter);
    expect(await spend(limiter, 11)).toBe(10);
    counter.calls.length = 0;
    expect(await spend(limiter, 50, 7)).toBe(0);
    expect(counter.calls).toEqual([]);
  });
});

describe('while the shared counter does not answer,', () => {
  it.each([20, 500])('a gateway counts alone, and lets exactly the limit through: %i', async (points) => {
    expect(await spend(limiterOf(points, failing), points + 50)).toBe(points);
  });

  it('a gateway starts to report again as soon as the counter answers', async () => {
    const counter = new SharedCounter();
    const flaky = { add: vi.fn<Counter['add']>().mockRejectedValueOnce(new Error('away')) };
    flaky.add.mockImplementation((key, points) => counter.add(key, points));
    const { consume } = limiterOf(20, flaky);
    await consume('ada', 4);
    await counter.add('ada', 10);
    expect((await consume('ada', 4)).remaining).toBe(6);
  });

  it('a gateway lets requests for a fifth of the remaining points through, and the others wait for the answer', async () => {
    const answer = Promise.withResolvers<void>();
    const counter = new SharedCounter();
    const slow: Counter = { add: (key, points) => answer.promise.then(() => counter.add(key, points)) };
    const { consume } = limiterOf(1000, slow);
    let answered = 0;
    const all = Array.from({ length: 1200 }, async () => {
      const { exceeded } = await consume('ada', 1);
      answered += 1;
      return exceeded;
    });
    await settled();
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThanOrEqual(200);
    answer.resolve();
    const refused = (await Promise.all(all)).filter(Boolean);
    expect(refused).toHaveLength(200);
  });
});

describe('a window', () => {
  it('ends its length after its first request, and then all points are available again', async () => {
    const limiter = limiterOf(5, new SharedCounter());
    expect(await spend(limiter, 6)).toBe(5);
    vi.advanceTimersByTime(windowSeconds * 1000 - 1);
    expect(await spend(limiter, 1)).toBe(0);
    vi.advanceTimersByTime(1);
    expect(await spend(limiter, 6)).toBe(5);
  });

  it('is not extended by refused requests', async () => {
    const limiter = limiterOf(5, new SharedCounter());
    await spend(limiter, 5);
    for (let second = 1; second < windowSeconds; second += 1) {
      vi.advanceTimersByTime(1000);
      const { exceeded, resetSeconds } = await limiter.consume('ada', 1);
      expect({ exceeded, resetSeconds }).toEqual({ exceeded: true, resetSeconds: windowSeconds - second });
    }
    vi.advanceTimersByTime(1000);
    expect(await spend(limiter, 1)).toBe(1);
  });

  it('ends with the window of the shared counter, which another gateway began', async () => {
    const counter = new SharedCounter();
    await spend(limiterOf(5, counter), 1);
    vi.advanceTimersByTime(20_000);
    expect((await limiterOf(5, counter).consume('ada', 1)).resetSeconds).toBe(40);
  });

  it('is never longer than configured, and reports at least one second until its end', async () => {
    const ahead: Counter = { add: async (_key, count) => ({ count, resetsInMs: 3_600_000 }) };
    expect((await limiterOf(5, ahead).consume('ada', 1)).resetSeconds).toBe(windowSeconds);
    const ending: Counter = { add: async (_key, count) => ({ count, resetsInMs: 0 }) };
    expect((await limiterOf(5, ending).consume('ada', 1)).resetSeconds).toBe(1);
  });

  it('ends on time even if the system clock is set back', async () => {
    const limiter = limiterOf(5, new SharedCounter());
    await spend(limiter, 6);
    vi.setSystemTime(0);
    vi.advanceTimersByTime(windowSeconds * 1000);
    expect(await spend(limiter, 1)).toBe(1);
  });
});

it('keeps the counts of 10,000 keys, and drops those that were used least recently', async () => {
  const { consume } = limiterOf(1000, failing);
  await consume('first', 5);
  await consume('second', 5);
  for (let key = 0; key < 9_998; key += 1) await consume(`caller ${key}`, 1);
  expect((await consume('first', 1)).remaining).toBe(994);
  await consume('one more', 1);
  expect((await consume('second', 1)).remaining).toBe(999);
  expect((await consume('first', 1)).remaining).toBe(993);
});
