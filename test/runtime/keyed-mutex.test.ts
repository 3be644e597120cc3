import { afterEach, describe, expect, it, vi } from 'vitest';
import { createKeyedMutex } from '../../src/runtime/keyed-mutex.ts';

const late = () => new Error('too late');

describe('a keyed mutex', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('runs the calls for one key one at a time in order, and calls for other keys at the same time', async () => {
    const mutex = createKeyedMutex(5000, late);
    const steps: string[] = [];
    const work = (name: string) => async () => {
      steps.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(`${name} ends`);
      return name;
    };
    const asked = [mutex('a', work('first')), mutex('a', work('second')), mutex('b', work('other'))];
    expect(await Promise.all(asked)).toEqual(['first', 'second', 'other']);
    expect(steps.indexOf('second begins')).toBeGreaterThan(steps.indexOf('first ends'));
    expect(steps.indexOf('other begins')).toBeLessThan(steps.indexOf('first ends'));
  });

  it('runs the next call after one that failed', async () => {
    const mutex = createKeyedMutex(5000, late);
    const failing = mutex('a', () => Promise.reject(new Error('failed')));
    const next = mutex('a', async () => 'next');
    await expect(failing).rejects.toThrow('failed');
    expect(await next).toBe('next');
  });

  it('lets no call wait longer than its time-out, and a call that timed out delays no later call', async () => {
    vi.useFakeTimers();
    const mutex = createKeyedMutex(5000, late);
    const blocking = Promise.withResolvers<void>();
    const first = mutex('a', () => blocking.promise);
    const impatient = mutex('a', async () => 'never');
    const refused = expect(impatient).rejects.toThrow('too late');
    await vi.advanceTimersByTimeAsync(5000);
    await refused;
    const patient = mutex('a', async () => 'done');
    blocking.resolve();
    await first;
    expect(await patient).toBe('done');
  });
});
