import { expect } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import type { Store, StoreConflict } from '../../src/store/store.ts';
import { breakOf, chain, insert, newOwner, newRecord, query } from './fixtures.ts';

/** The store that is held to the contract, and the owner of the test that runs. */
export class Subject {
  store!: Store;
  owner: Owner = newOwner();

  async stored(fields: Partial<SecretRecord> = {}): Promise<SecretRecord> {
    const record = newRecord(this.owner, fields);
    await this.store.commit([insert(record)]);
    return record;
  }

  /** The promise that nothing was written, whatever went before in the same commit. */
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

/** Whole: contiguous from 1 on, each link naming the one before, each hash the one that the event's own words give. */
export async function expectValidChain(store: Store, owner: Owner) {
  const events = await chain(store, owner);
  expect(breakOf(events, owner)).toBeNull();
  return events;
}
