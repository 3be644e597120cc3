import { expect } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { Store, StoreConflict } from '../../src/store/store.ts';
import { breakOf, chain, insert, newOwner, newRecord, query } from './fixtures.ts';

/** The store under test, and the owner of the current test. */
export class Subject {
  store!: Store;
  owner: Owner = newOwner();

  async stored(fields: Partial<SecretRecord> = {}): Promise<SecretRecord> {
    const record = newRecord(this.owner, fields);
    await this.store.commit([insert(record)]);
    return record;
  }

  /** Expects that nothing was written, whatever else was in the same commit. */
  async expectConflict(changes: Parameters<Store['commit']>[0], expected: Partial<StoreConflict>): Promise<void> {
    const before = await this.#snapshot();
    await expect(this.store.commit(changes)).rejects.toMatchObject({ name: 'StoreConflict', ...expected });
    expect(await this.#snapshot()).toEqual(before);
  }

  async #snapshot() {
    const list = await this.store.list(query(this.owner));
    const records = await Promise.all(list.secrets.map(({ id }) => this.store.findRecord(id)));
    return { list, records, audit: await chain(this.store, this.owner) };
  }
}

/** Valid: contiguous from 1, each link has the hash of the one before, and each hash matches the fields of its event. */
export async function expectValidChain(store: Store, owner: Owner) {
  const events = await chain(store, owner);
  expect(breakOf(events, owner)).toBeNull();
  return events;
}
