import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { DeletedRecord } from '../../src/model/deleted-secret.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { Secret, SecretRecord } from '../../src/model/secret.ts';
import type { ListQuery, NamedSecrets, SelectedSecret, Store, Write } from '../../src/store/store.ts';
import {
  chain,
  deletedBy,
  destination,
  insert,
  newRecord,
  purge,
  query,
  rejected,
  remove,
  restore,
  sealed,
  update,
  use,
  useAt,
} from '../contract/fixtures.ts';
import { newNonce, withNonce } from '../contract/nonces.ts';

/** Few of everything, so that random operations conflict: the same ids, names, placeholders and versions. */
export const owners = fc.nat(1);
const ids = fc.nat(3);
export const names = fc.constantFrom('a', 'A', 'ab', 'a\0', '\uFFFD', '\u{1F600}');
export const tags = fc
  .subarray(['t', 'T', '標籤'])
  .chain((some) => fc.shuffledSubarray(some, { minLength: some.length }));
export const times = fc.constantFrom(0, 1, 2 ** 32, 253_402_300_799_999).map((time) => new Date(time));
const healths = fc.record({
  status: fc.constantFrom('VALID', 'REJECTED'),
  checkedAt: times,
  source: fc.constantFrom('CHECK', 'USE'),
});
const optionalText = fc.option(fc.constantFrom('', 'x', 'x\0y'));

export const changes = fc.record({
  // Most random updates and deletes name a secret that does not exist.
  type: fc.constantFrom(
    ...([
      'insert',
      'insert',
      'insert',
      'update',
      'update',
      'delete',
      'delete',
      'restore',
      'restore',
      'purge',
      'use',
      'send',
      'send',
      'reject',
      'reject',
    ] as const),
  ),
  owner: owners,
  id: ids,
  name: names,
  placeholder: fc.constantFrom('p0', 'p1', 'p2', 'p3'),
  version: fc.integer({ min: 1, max: 3 }),
  provider: optionalText,
  notes: optionalText,
  maskedValue: optionalText,
  tags,
  expiresAt: fc.option(times),
  destination: fc.option(fc.constantFrom(destination, { ...destination, paths: null, byHand: false })),
  health: fc.option(healths),
  updatedAt: times,
  isSealed: fc.boolean(),
  isOnStored: fc.nat(3).map((one) => one > 0),
  nonce: fc.option(fc.nat(5)),
});

const valid = { status: 'VALID', checkedAt: new Date(5), source: 'CHECK' } as const;

export type Fields = typeof changes extends fc.Arbitrary<infer T> ? T : never;

/** The owners of one run: every run has its own, so that all runs share a database and still begin empty. */
export class Run {
  readonly owners: readonly Owner[] = [0, 1].map(() => ({ type: 'team', teamId: randomUUID() }));
  readonly ids: readonly string[] = [0, 1, 2, 3].map(() => randomUUID());
  readonly nonces = Array.from({ length: 6 }, () => newNonce());

  owner(index: number): Owner {
    return this.owners[index] ?? { type: 'team', teamId: 'none' };
  }

  /** @param stored by then: most changes are made on that, the others on another secret of the same id */
  change({ nonce, isOnStored, ...fields }: Fields, stored: Stored): Write {
    const id = this.ids[fields.id] ?? '';
    const write = this.#write(fields, isOnStored ? stored.live.get(id) : undefined, stored.deleted.get(id));
    follow(stored, write);
    const spent = nonce === null ? undefined : this.nonces[nonce];
    return spent && (write.type === 'insertSecret' || write.type === 'updateSecret') ? withNonce(write, spent) : write;
  }

  #write(
    { type, owner, id, isSealed, ...fields }: Omit<Fields, 'nonce' | 'isOnStored'>,
    live: SecretRecord | undefined,
    gone: DeletedRecord | undefined,
  ): Write {
    const secret: Partial<Secret> = { ...fields, id: this.ids[id] ?? '' };
    const record = newRecord(this.owner(owner), {
      ...secret,
      sealed: isSealed ? sealed(fields.version, 'marker') : null,
    });
    const { name, placeholder, version } = fields;
    switch (type) {
      case 'insert':
        return insert(record);
      case 'delete':
        return live ? { ...remove(live), secret: { ...live, version } } : remove(record);
      case 'restore':
        return restore(gone ? { ...gone, version } : deletedBy(remove(record)), { name, placeholder });
      case 'purge':
        return purge({ ...(live ?? gone ?? record), version });
      case 'use':
        return usedAs(use(record, fields.notes || undefined), live);
      case 'send':
        return usedAs(useAt(record, fields.updatedAt), live);
      case 'reject':
        return usedAs(
          rejected({ ...record, health: (isSealed && live?.health) || null }, fields.health ?? valid),
          live,
        );
      default: {
        const write = update(record, {}, record.sealed ?? undefined);
        return live ? { ...write, from: live.mac } : write;
      }
    }
  }

  query(owner: number, fields: object): ListQuery {
    // Arbitraries make objects without a prototype.
    return query(this.owner(owner), structuredClone(fields) as Partial<ListQuery>);
  }

  async stored(store: Store): Promise<Stored> {
    const [live, deleted] = await Promise.all([
      Promise.all(this.ids.map((id) => store.findRecord(id))),
      Promise.all(this.ids.map((id) => store.deletedSecrets.find(id))),
    ]);
    return {
      live: new Map(live.flatMap((record) => (record ? [[record.id, record]] : []))),
      deleted: new Map(deleted.flatMap((record) => (record ? [[record.id, record]] : []))),
    };
  }

  get named(): NamedSecrets {
    return { names: ['a', 'ab'], placeholders: ['p0', 'p1'], ids: this.ids.slice(0, 2) };
  }

  async stateOf(store: Store) {
    return {
      records: await Promise.all(this.ids.map((id) => store.findRecord(id))),
      secrets: await Promise.all(this.ids.map((id) => store.find(id))),
      lists: await Promise.all(this.owners.map((owner) => store.list(query(owner)))),
      // What an envelope takes is counted in the store's own form.
      selected: await Promise.all(this.owners.map(async (owner) => withoutSizes(await store.select(owner, null, 10)))),
      named: await Promise.all(
        this.owners.map(async (owner) => withoutSizes(await store.select(owner, this.named, 10))),
      ),
      versions: await Promise.all(this.owners.flatMap((owner) => this.ids.map((id) => store.versions.list(owner, id)))),
      earlier: await Promise.all(
        this.owners.flatMap((owner) =>
          this.ids.flatMap((id) => [1, 2, 3].map((version) => store.versions.find(owner, id, version))),
        ),
      ),
      tagged: await Promise.all(this.owners.map((owner) => store.list(query(owner, { filter: { tags: ['t'] } })))),
      deleted: await Promise.all(this.ids.map((id) => store.deletedSecrets.find(id))),
      deletedLists: await Promise.all(
        this.owners.map((owner) => store.deletedSecrets.list({ owner, since: new Date(0), limit: 3, count: true })),
      ),
      chains: await Promise.all(this.owners.map((owner) => chain(store, owner))),
    };
  }
}

function usedAs(write: ReturnType<typeof use>, live: SecretRecord | undefined): Write {
  return live ? { ...write, secret: { ...write.secret, mac: live.mac } } : write;
}

function withoutSizes(selected: readonly SelectedSecret[]) {
  return selected.map(({ secret, envelope }) => ({ secret, envelope }));
}

/** What is stored, as far as the ids of a run go. */
interface Stored {
  readonly live: Map<string, SecretRecord>;
  readonly deleted: Map<string, DeletedRecord>;
}

/** What a write makes of it, where it can be made. */
function follow({ live, deleted }: Stored, write: Write): void {
  switch (write.type) {
    case 'insertSecret':
      live.set(write.record.id, write.record);
      return;
    case 'updateSecret': {
      const { secret, mac } = write;
      const before = live.get(secret.id);
      const health = write.sealed ? secret.health : (before?.health ?? null);
      live.set(secret.id, { ...secret, health, sealed: write.sealed ?? before?.sealed ?? null, mac });
      return;
    }
    case 'useSecret': {
      const used = live.get(write.secret.id);
      if (used && write.health) live.set(used.id, { ...used, health: write.health });
      return;
    }
    case 'deleteSecret':
      live.delete(write.secret.id);
      deleted.set(write.secret.id, deletedBy(write));
      return;
    case 'restoreSecret':
      deleted.delete(write.secret.id);
      live.set(write.secret.id, { ...write.secret, sealed: write.from.sealed, mac: write.mac });
      return;
    case 'purgeSecret':
    case 'purgeDeletedSecret':
      live.delete(write.secret.id);
      deleted.delete(write.secret.id);
  }
}
