import type { MongoClient } from 'mongodb';
import { RateLimiterMongo } from 'rate-limiter-flexible';
import type { Counter } from '../store.ts';
import { rateLimitCollection } from './migrations.ts';

/** Counts that all gateways on the database share. It only counts: what is too much is decided where points are spent. */
export function countTogether(client: MongoClient, database: string, windowSeconds: number): Counter {
  const limiter = new RateLimiterMongo({
    // A count that is lost with its primary costs nothing, so it does not wait for the others.
    storeClient: client.db(database, { writeConcern: { w: 1 } }),
    tableName: rateLimitCollection,
    // Windows of another length are other windows.
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
