import { MongoClient } from 'mongodb';
import { describe, expect, inject, it } from 'vitest';
import { requireShards, scattered, shardKeys, valuesOf, watchShards } from './mongos.ts';

// The controls of the test that plays mongos: what it passes and refuses.

describe('the router of a sharded cluster', () => {
  it('has the shard keys that operators are told to set', () => {
    expect(Object.fromEntries(shardKeys)).toEqual({
      secrets: 'owner',
      secretIds: '_id',
      secretVersions: 'owner',
      deletedSecrets: 'owner',
      owners: '_id',
      audit: 'owner',
      apiKeys: '_id',
      nonces: '_id',
      keptResults: 'principal',
      rateLimits: 'key',
    });
  });

  it.each<[string, object, unknown[] | null]>([
    ['its value', { owner: 'a', name: 'n' }, ['a']],
    ['some values', { owner: { $in: ['a', 'b'] } }, ['a', 'b']],
    ['every branch', { $or: [{ owner: 'a', name: 'n' }, { owner: { $eq: 'b' } }] }, ['a', 'b']],
    ['one of several conditions', { $and: [{ name: 'n' }, { owner: 'a' }] }, ['a']],
    ['a branch alone', { $or: [{ owner: 'a' }, { name: 'n' }] }, null],
    ['a range', { owner: { $gt: 'a' } }, null],
    ['nothing', { _id: 'a' }, null],
  ])('is told the shard key by %s', (_, filter, values) => {
    expect(valuesOf(filter, 'owner')).toEqual(values);
  });

  it.each<[string, string, object]>([
    ['a find by an id alone', 'find', { find: 'secrets', filter: { _id: 'a' } }],
    ['a find by an id range', 'find', { find: 'secretIds', filter: { _id: { $gt: 'a' } } }],
    [
      'an update by an id alone',
      'update',
      { update: 'secrets', updates: [{ q: { owner: 'a' } }, { q: { _id: 'a' } }] },
    ],
    ['a delete of all', 'delete', { delete: 'audit', deletes: [{ q: {} }] }],
    ['an insert without an owner', 'insert', { insert: 'secrets', documents: [{ owner: 'a' }, { _id: 'b' }] }],
    ['a list of all', 'aggregate', { aggregate: 'secrets', pipeline: [{ $match: { name: 'n' } }] }],
    [
      'a list that is joined by one of all',
      'aggregate',
      {
        aggregate: 'secrets',
        pipeline: [
          { $match: { owner: 'a' } },
          { $unionWith: { coll: 'owners', pipeline: [{ $match: { count: 1 } }] } },
        ],
      },
    ],
    ['a command that is not known', 'mapReduce', { mapReduce: 'secrets' }],
  ])('refuses %s', (_, name, command) => {
    expect(scattered(name, command)).toHaveLength(1);
  });

  it('passes what is on one shard whole', () => {
    expect(scattered('find', { find: 'schema', filter: {} })).toEqual([]);
  });
});

describe.skipIf(!inject('mongodbUri'))('a gateway that asks every shard', () => {
  it('is told of when it is closed', async () => {
    watchShards();
    const client = new MongoClient(inject('mongodbUri') ?? '', { appName: 'secrets-gateway' });
    try {
      const secrets = client.db('test-mongos').collection('secrets');
      await secrets.findOne({ owner: 'a' });
      expect(requireShards()).toBeGreaterThan(0);
      await secrets.findOne({ name: 'n' });
      expect(() => requireShards()).toThrow('find secrets by name');
    } finally {
      await client.close();
    }
  });
});
