import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { Operations } from '../../src/operations.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Store, StoreConflict } from '../../src/store/store.ts';
import { chain, insert, newRecord, remove, update } from '../contract/fixtures.ts';
import { operationsOn } from '../support/documents.ts';

const owner = { type: 'team', teamId: 'red' } as const;

/** Two gateways on one store take no turns with each other: the other one writes between this one's read and its write. */
describe('a change that another gateway comes before', () => {
  let store: Store;
  let operations: Operations;
  let record: SecretRecord;
  beforeEach(async () => {
    store = await openSqliteStore(':memory:');
    operations = await operationsOn(store);
    record = newRecord(owner);
    await store.commit([insert(record)]);
  });
  afterEach(() => store.close());

  function meanwhile(change: Parameters<Store['commit']>[0][number]) {
    const real = store.commit.bind(store);
    return vi.spyOn(store, 'commit').mockImplementationOnce(async (changes) => {
      await real([change]);
      await real(changes);
    });
  }

  it('is made on what that one left', async () => {
    meanwhile(update(record, { notes: 'theirs' }));
    const changed = await operations.updateSecret({ id: record.id, tags: ['mine'] });
    expect(changed).toMatchObject({ version: 3, notes: 'theirs', tags: ['mine'] });
    expect(await store.find(record.id)).toEqual(changed);
    expect((await chain(store, owner)).map(({ version }) => version)).toEqual([1, 2, 3]);
  });

  it('deletes what that one left', async () => {
    meanwhile(update(record, { notes: 'theirs' }));
    expect(await operations.deleteSecret({ id: record.id })).toMatchObject({ version: 2, notes: 'theirs' });
    expect(await store.find(record.id)).toBeUndefined();
  });

  it.each<[string, (expected: { id: string; expectedVersion: number }) => Promise<unknown>]>([
    ['an update', (expected) => operations.updateSecret({ ...expected, notes: 'mine' })],
    ['a delete', (expected) => operations.deleteSecret(expected)],
  ])('as %s is refused where it expects the version before', async (_kind, change) => {
    meanwhile(update(record, { notes: 'theirs' }));
    await expect(change({ id: record.id, expectedVersion: 1 })).rejects.toMatchObject({
      code: 'CONFLICT_ERROR',
      details: { currentVersion: 2 },
    });
    expect(await store.find(record.id)).toMatchObject({ version: 2, notes: 'theirs' });
  });

  it('is NOT_FOUND when that one deleted the secret', async () => {
    meanwhile(remove(record));
    await expect(operations.updateSecret({ id: record.id, notes: 'mine' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('is a CONFLICT_ERROR, and not tried again, when that one took its name', async () => {
    const commit = meanwhile(insert(newRecord(owner, { name: 'wanted' })));
    await expect(operations.updateSecret({ id: record.id, name: 'wanted' })).rejects.toMatchObject({
      code: 'CONFLICT_ERROR',
      details: { errors: [{ field: 'name' }] },
    });
    expect(commit).toHaveBeenCalledTimes(1);
  });

  it('gives up after ten times, and says when to come back', async () => {
    const commit = vi.spyOn(store, 'commit').mockRejectedValue(new StoreConflict(0, 'version'));
    await expect(operations.updateSecret({ id: record.id, notes: 'mine' })).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      details: { retryAfterSeconds: 1 },
    });
    expect(commit).toHaveBeenCalledTimes(10);
  });
});
