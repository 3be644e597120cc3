import { DomainError } from '../errors.ts';
import { withDeadline } from './deadline.ts';

/** Does work on one key after another's is done, in the order of asking. */
export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

const patienceMilliseconds = 5000;

/**
 * Writers of one secret take turns in this process. The store would let only one of them through at a time anyway, and
 * have all the others begin anew.
 */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();

  return async (key, work) => {
    const before = last.get(key);
    const mine = Promise.withResolvers<void>();
    const turn = Promise.all([before, mine.promise]);
    last.set(key, turn);
    try {
      if (before) await withDeadline(before, patienceMilliseconds, tooMuchContention);
      return await work();
    } finally {
      mine.resolve();
      if (last.get(key) === turn) last.delete(key);
    }
  };
}

export function tooMuchContention(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', {
    description: 'Too many others change this secret at once.',
    retryAfterSeconds: 1,
  });
}
