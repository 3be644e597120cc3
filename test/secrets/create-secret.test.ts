import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Operations } from '../../src/operations.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Store, StoreConflict, type Write } from '../../src/store/store.ts';
import { chain } from '../contract/fixtures.ts';
import { operationsOn } from '../support/documents.ts';
import { withTestMac } from '../support/keyring.ts';

const owner = { type: 'team', teamId: 'red' } as const;
const input = { owner, name: 'a name', value: 'a value' };

describe('creating a secret', () => {
  let store: Store;
  let operations: Operations;
  beforeEach(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
    operations = await operationsOn(store);
  });
  afterEach(() => store.close());

  /** The records of all attempts to write, in order. */
  function recordsOf(commit: { mock: { calls: [readonly Write[]][] } }) {
    return commit.mock.calls.map(([[change]]) => {
      if (change?.type !== 'insertSecret') throw new Error('a commit is of one insert');
      return change.record;
    });
  }

  it('uses another placeholder when the first is taken, and changes nothing else', async () => {
    const commit = vi.spyOn(store, 'commit').mockRejectedValueOnce(new StoreConflict(0, 'placeholder'));
    const created = await operations.createSecret(input);
    const [refused, written] = recordsOf(commit);
    expect(commit).toHaveBeenCalledTimes(2);
    expect(written?.placeholder).not.toBe(refused?.placeholder);
    expect(written).toEqual({ ...refused, placeholder: written?.placeholder, mac: written?.mac });
    expect(written?.mac).not.toEqual(refused?.mac);
    const { digest, ...sealed } = written?.sealed ?? {};
    expect(digest).toEqual((await store.digests.of(owner, [created.id])).get(created.id));
    expect(await store.findRecord(created.id)).toEqual({ ...written, sealed });
    expect(created.placeholder).toBe(written?.placeholder);
    expect(await chain(store, owner)).toHaveLength(1);
  });

  it('fails with an internal error after five placeholders that were taken', async () => {
    const taken = new StoreConflict(0, 'placeholder');
    const commit = vi.spyOn(store, 'commit').mockRejectedValue(taken);
    await expect(operations.createSecret(input)).rejects.toBe(taken);
    const placeholders = recordsOf(commit).map(({ placeholder }) => placeholder);
    expect(placeholders).toHaveLength(5);
    expect(new Set(placeholders).size).toBe(5);
  });

  it.each(['name', 'id'] as const)('does not retry when its %s is taken', async (on) => {
    const commit = vi.spyOn(store, 'commit').mockRejectedValue(new StoreConflict(0, on));
    await expect(operations.createSecret(input)).rejects.toMatchObject({
      code: 'CONFLICT_ERROR',
      details: { errors: [{ field: on, loc: [on], type: 'taken' }] },
    });
    expect(commit).toHaveBeenCalledTimes(1);
  });

  it('does not retry when the store is unavailable', async () => {
    const away = new Error('away');
    const commit = vi.spyOn(store, 'commit').mockRejectedValue(away);
    await expect(operations.createSecret(input)).rejects.toBe(away);
    expect(commit).toHaveBeenCalledTimes(1);
  });
});
