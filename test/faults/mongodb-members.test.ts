import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { mongodPath } from '../support/mongod.ts';
import { MongodbWay, mongodbKinds } from './load/mongodb-way.ts';
import { nothingWrong } from './load/way.ts';

const canRun = inject('mongodbUri') !== null && !process.env.MONGODB_URI && (await mongodPath()) !== undefined;

describe.skipIf(!canRun)('two gateways on three MongoDB members, while clients write and read', () => {
  let way: MongodbWay;
  beforeAll(async () => {
    way = await MongodbWay.open();
  }, 120_000);
  afterAll(() => way?.close());

  it.each(mongodbKinds)(
    '%s: nothing is lost, doubled or half-written, and it heals',
    async (kind) => expect(await way.inject(kind)).toMatchObject(nothingWrong),
    120_000,
  );
});
