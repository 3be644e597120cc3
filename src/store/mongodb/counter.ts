import type { Collection } from 'mongodb';
import type { Counter } from '../store.ts';

export interface CounterDocument {
  /** The length of the window and the key. */
  readonly _id: string;
  readonly count: number;
  readonly endsAt: Date;
  /** When it was last added to. Both times are the server's, so that the gateways' clocks do not matter. */
  readonly at: Date;
}

/** One command per addition. A window that has ended begins anew, whether the TTL index has removed it yet or not. */
export function createMongodbCounter(
  counters: Collection<CounterDocument>,
  windowSeconds: number,
  maxTimeMS: number,
): Counter {
  // Written by the primary alone: that a failover forgets some points costs less than a majority for each.
  const options = { upsert: true, returnDocument: 'after', writeConcern: { w: 1 }, maxTimeMS } as const;
  const goesOn = { $gt: ['$endsAt', '$$NOW'] };
  const end = { $dateAdd: { startDate: '$$NOW', unit: 'second', amount: windowSeconds } };
  return {
    async add(key, points) {
      const set = {
        count: { $cond: [goesOn, { $add: ['$count', points] }, points] },
        endsAt: { $cond: [goesOn, '$endsAt', end] },
        at: '$$NOW',
      };
      const window = await counters.findOneAndUpdate({ _id: `${windowSeconds}:${key}` }, [{ $set: set }], options);
      if (window === null) throw new Error('an upsert returned nothing');
      return { count: window.count, resetsInMilliseconds: window.endsAt.getTime() - window.at.getTime() };
    },
  };
}
