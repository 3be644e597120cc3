import type { MongoClient } from 'mongodb';
import { RateLimiterMongo } from 'rate-limiter-flexible';
import type { Counter } from '../store.ts';
import { rateLimitCollection } from './migrations.ts';

/** Counts that all gateways on the database share. It only counts: the rate limiter decides what is too much. */
export function countTogether(client: MongoClient, database: string, windowSeconds: number): Counter {
  const limiter = new RateLimiterMongo({
    // A count may be lost with its primary, so that it does not wait for a majority.
    storeClient: client.db(database, { writeConcern: { w: 1 } }),
    tableName: rateLimitCollection,
    // Windows of different lengths are counted apart.
    keyPrefix: String(windowSeconds),
    disableIndexesCreation: true,
    points: 0,
    duration: windowSeconds,
  });
  return {
    async add(key, points) {
      const { consumedPoints, msBeforeNext } = await limiter.penalty(key, points);
      return { count: consumedPoints, resetsInMs: msBeforeNext };
    },
  };
}
