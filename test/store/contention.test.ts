import { expect, inject, it } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { insert, newOwner, newRecord } from '../contract/fixtures.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';

it.skipIf(!storeNames.includes('mongodb') || !inject('mongodbUri'))(
  'conflicts on one owner do not fail the commits of other owners in the same group',
  { timeout: 60_000 },
  async () => {
    const uri = newDatabaseUrl('mongodb', '');
    const [store, ...others] = await Promise.all(Array.from({ length: 3 }, () => openMongodbStore(uri, withTestMac)));
    if (!store) throw new Error('there are three');
    const hot = newOwner();
    let isDone = false;
    const hammering = others.map(async (other) => {
      while (!isDone) await other.commit([insert(newRecord(hot))]).catch(() => {});
    });
    const refused: unknown[] = [];
    for (let round = 0; round < 6; round += 1) {
      const innocents = Array.from({ length: 40 }, () => store.commit([insert(newRecord(newOwner()))]));
      const all = await Promise.allSettled([...innocents, store.commit([insert(newRecord(hot))]).catch(() => {})]);
      refused.push(
        ...all.filter(({ status }) => status === 'rejected').map((one) => (one as PromiseRejectedResult).reason),
      );
    }
    isDone = true;
    await Promise.all(hammering);
    await Promise.all([store, ...others].map((one) => one.close()));
    expect(refused.length).toBe(0);
  },
);
