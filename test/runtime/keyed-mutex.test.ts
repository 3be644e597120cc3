import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTurns } from '../../src/runtime/keyed-mutex.ts';

describe('turns', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are taken in the order of asking, one at a time, and beside those of other keys', async () => {
    const inTurn = createTurns();
    const steps: string[] = [];
    const work = (name: string) => async () => {
      steps.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(`${name} ends`);
      return name;
    };
    const asked = [inTurn('a', work('first')), inTurn('a', work('second')), inTurn('b', work('other'))];
    expect(await Promise.all(asked)).toEqual(['first', 'second', 'other']);
    expect(steps.indexOf('second begins')).toBeGreaterThan(steps.indexOf('first ends'));
    expect(steps.indexOf('other begins')).toBeLessThan(steps.indexOf('first ends'));
  });

  it('go on after one that failed', async () => {
    const inTurn = createTurns();
    const failing = inTurn('a', () => Promise.reject(new Error('failed')));
    const next = inTurn('a', async () => 'next');
    await expect(failing).rejects.toThrow('failed');
    expect(await next).toBe('next');
  });

  it('are not waited for longer than five seconds, and who gave up holds nobody up', async () => {
    vi.useFakeTimers();
    const inTurn = createTurns();
    const blocking = Promise.withResolvers<void>();
    const first = inTurn('a', () => blocking.promise);
    const impatient = inTurn('a', async () => 'never');
    const refused = expect(impatient).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      details: { retryAfterSeconds: 1 },
    });
    await vi.advanceTimersByTimeAsync(5000);
    await refused;
    const patient = inTurn('a', async () => 'done');
    blocking.resolve();
    await first;
    expect(await patient).toBe('done');
  });
});
