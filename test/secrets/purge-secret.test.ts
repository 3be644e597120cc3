import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { Principal } from '../../src/model/principal.ts';
import type { Operations } from '../../src/operations.ts';
import { purgeExpired } from '../../src/secrets/purge-expired.ts';
import { expiredOf } from '../../src/store/deleted-secrets.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { deletedBy, insert, newRecord, remove, restore } from '../contract/fixtures.ts';
import { ada, operationsOn } from '../support/documents.ts';
import { withTestMac } from '../support/keyring.ts';

const own: Owner = { type: 'user', userId: ada.subject };
const foreign: Owner = { type: 'user', userId: 'eve' };

describe('a purge', () => {
  let store: Store;
  let operations: Operations;

  beforeAll(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
    const principal: Principal = { ...ada, scopes: new Set(['keys:manage']) };
    operations = await operationsOn(store, { principal });
  });
  afterAll(() => store.close());
  afterEach(() => void vi.restoreAllMocks());

  async function stored(owner: Owner) {
    const record = newRecord(owner);
    await store.commit([insert(record)]);
    return record;
  }
  async function gone(owner: Owner) {
    const removal = remove(await stored(owner));
    await store.commit([removal]);
    return deletedBy(removal);
  }

  it('finds a secret that is restored between its two looks', async () => {
    const deleted = await gone(own);
    const find = vi.spyOn(store.deletedSecrets, 'find').mockImplementationOnce(async () => {
      await store.commit([restore(deleted)]);
      return undefined;
    });
    expect(await operations.purgeSecret({ id: deleted.id })).toMatchObject({ id: deleted.id });
    expect(find).toHaveBeenCalled();
    expect(await store.find(deleted.id)).toBeUndefined();
  });

  it('of somebody else’s secret takes the same calls to the store as one of nothing', async () => {
    const calls: string[] = [];
    for (const [name, object] of [['live', store] as const, ['deleted', store.deletedSecrets] as const]) {
      const find = object.find.bind(object) as Store['find'];
      vi.spyOn(object as Store, 'find').mockImplementation((id) => {
        calls.push(name);
        return find(id);
      });
    }
    const [live, deleted] = [await stored(foreign), await gone(foreign)];
    const looks = [];
    for (const id of [randomUUID(), live.id, deleted.id]) {
      calls.length = 0;
      await expect(operations.purgeSecret({ id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      looks.push([...calls]);
    }
    expect(looks[1]).toEqual(looks[0]);
    expect(looks[2]).toEqual(looks[0]);
  });
});

describe('the purge in the background', () => {
  let store: Store;

  beforeAll(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
  });
  afterAll(() => store.close());
  afterEach(() => void vi.restoreAllMocks());

  async function gone() {
    const record = newRecord(own);
    await store.commit([insert(record)]);
    await store.commit([remove(record)]);
    return record.id;
  }
  const soon = () => new Date(Date.now() + 60_000);

  it('passes over a secret whose owner something else has damaged, and tells which', () => {
    const row = { name: 'a', version: 1, mac: { kid: 'k', tag: 't' } };
    const damaged = ['user:%zz', undefined as never].map((key, at) => ({ ...row, id: `bad ${at}`, key }));
    expect(expiredOf([...damaged, { ...row, id: 'good', key: 'user:ada' }])).toEqual({
      secrets: [{ ...row, id: 'good', owner: own }],
      damaged: ['bad 0', 'bad 1'],
    });
  });

  it('purges the others where one cannot be purged, and tells which', async () => {
    const [bad, good] = [await gone(), await gone()];
    const { expired } = store.deletedSecrets;
    vi.spyOn(store.deletedSecrets, 'expired').mockImplementation(async (...range) => {
      const { secrets, ...rest } = await expired.apply(store.deletedSecrets, range);
      return {
        ...rest,
        secrets: secrets.map((one) => (one.id === bad ? { ...one, name: Symbol('no text') as never } : one)),
      };
    });
    const failed: string[] = [];
    expect(await purgeExpired(store, soon(), { onFailure: ({ secretId }) => failed.push(secretId) })).toBe(1);
    expect(failed).toEqual([bad]);
    expect(await store.deletedSecrets.find(good)).toBeUndefined();
  });

  it('ends where the store cannot be reached', async () => {
    await gone();
    vi.spyOn(store, 'commit').mockRejectedValue(new DomainError('SERVICE_UNAVAILABLE'));
    await expect(purgeExpired(store, soon())).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });
});
