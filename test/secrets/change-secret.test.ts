import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { Operations } from '../../src/operations.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Store, StoreConflict } from '../../src/store/store.ts';
import { chain, insert, newRecord, remove, update } from '../contract/fixtures.ts';
import { operationsOn } from '../support/documents.ts';
import { withTestMac } from '../support/keyring.ts';

const owner = { type: 'team', teamId: 'red' } as const;

/** Two gateways on one store share no mutex: the other one writes between this one's read and its write. */
describe('a change after another gateway has changed the same secret', () => {
  let store: Store;
  let operations: Operations;
  let record: SecretRecord;
  beforeEach(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
    operations = await operationsOn(store);
    record = newRecord(owner);
    await store.commit([insert(record)]);
  });
  afterEach(() => store.close());

  function anotherGatewayCommits(change: Parameters<Store['commit']>[0][number]) {
    const real = store.commit.bind(store);
    return vi.spyOn(store, 'commit').mockImplementationOnce(async (changes) => {
      await real([change]);
      await real(changes);
    });
  }

  it('is applied to the new version', async () => {
    anotherGatewayCommits(update(record, { notes: 'theirs' }));
    const { warnings, ...changed } = await operations.updateSecret({ id: record.id, tags: ['mine'] });
    expect(changed).toMatchObject({ version: 3, notes: 'theirs', tags: ['mine'] });
    expect(warnings).toEqual([]);
    expect(await store.find(record.id)).toMatchObject(changed);
    expect((await chain(store, owner)).map(({ version }) => version)).toEqual([1, 2, 3]);
  });

  it('deletes the new version', async () => {
    anotherGatewayCommits(update(record, { notes: 'theirs' }));
    expect(await operations.deleteSecret({ id: record.id })).toMatchObject({ version: 2, notes: 'theirs' });
    expect(await store.find(record.id)).toBeUndefined();
  });

  it.each<[string, (expected: { id: string; expectedVersion: number }) => Promise<unknown>]>([
    ['an update', (expected) => operations.updateSecret({ ...expected, notes: 'mine' })],
    ['a delete', (expected) => operations.deleteSecret(expected)],
  ])('as %s is refused when it expects the previous version', async (_kind, change) => {
    anotherGatewayCommits(update(record, { notes: 'theirs' }));
    await expect(change({ id: record.id, expectedVersion: 1 })).rejects.toMatchObject({
      code: 'CONFLICT_ERROR',
      details: { currentVersion: 2 },
    });
    expect(await store.find(record.id)).toMatchObject({ version: 2, notes: 'theirs' });
  });

  it('is NOT_FOUND when the other gateway deleted the secret', async () => {
    anotherGatewayCommits(remove(record));
    await expect(operations.updateSecret({ id: record.id, notes: 'mine' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('is a CONFLICT_ERROR without a retry when the other gateway took its name', async () => {
    const commit = anotherGatewayCommits(insert(newRecord(owner, { name: 'wanted' })));
    await expect(operations.updateSecret({ id: record.id, name: 'wanted' })).rejects.toMatchObject({
      code: 'CONFLICT_ERROR',
      details: { errors: [{ field: 'name' }] },
    });
    expect(commit).toHaveBeenCalledTimes(1);
  });

  it('fails after ten attempts, and says when to retry', async () => {
    const commit = vi.spyOn(store, 'commit').mockRejectedValue(new StoreConflict(0, 'version'));
    await expect(operations.updateSecret({ id: record.id, notes: 'mine' })).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      details: { retryAfterSeconds: 1 },
    });
    expect(commit).toHaveBeenCalledTimes(10);
  });
});
