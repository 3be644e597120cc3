import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { mongodPath } from '../support/mongod.ts';
import { SigtermWay, sigtermKinds } from './load/sigterm-way.ts';
import { nothingWrong } from './load/way.ts';

const canRun = inject('mongodbUri') !== null && !process.env.MONGODB_URI && (await mongodPath()) !== undefined;

describe.skipIf(!canRun)('a gateway that is told to end, while clients write and read', () => {
  let way: SigtermWay;
  beforeAll(async () => {
    way = await SigtermWay.open();
  }, 120_000);
  afterAll(() => way?.close());

  it.each(sigtermKinds)(
    '%s: every request is answered, nothing is lost, doubled or half-written, and it ends with 0',
    async (kind) => expect(await way.inject(kind)).toMatchObject(nothingWrong),
    60_000,
  );
});
