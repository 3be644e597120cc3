import { withDeadline } from './deadline.ts';

/**
 * Runs work on one key after earlier work on the same key has ended, in the order of the calls. The work is told whether it
 * waited: what was read before may have changed then.
 */
export type KeyedMutex = <T>(key: string, work: (waited: boolean) => Promise<T>) => Promise<T>;

/**
 * @param timeoutMs how long a call waits for the calls before it
 * @param lateError makes the error of a call that has waited for too long; its work is not begun
 */
export function createKeyedMutex(timeoutMs: number, lateError: () => Error): KeyedMutex {
  const last = new Map<string, Promise<unknown>>();

  return async (key, work) => {
    const before = last.get(key);
    const mine = Promise.withResolvers<void>();
    // A call that gives up must not let later calls pass the one that still runs.
    const done = Promise.all([before, mine.promise]);
    last.set(key, done);
    try {
      if (before) await withDeadline(before, timeoutMs, lateError);
      return await work(before !== undefined);
    } finally {
      mine.resolve();
      if (last.get(key) === done) last.delete(key);
    }
  };
}
