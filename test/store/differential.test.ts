import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import type { RecordMac, Secret } from '../../src/model/secret.ts';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import {
  type ListQuery,
  type NamedSecrets,
  type SelectedSecret,
  type Store,
  StoreConflict,
  type Write,
} from '../../src/store/store.ts';
import { chain, insert, newRecord, query, remove, sealed, update, use } from '../contract/fixtures.ts';
import { newNonce, withNonce } from '../contract/nonces.ts';
import { withTestMac } from '../support/keyring.ts';
import { withDatabase } from '../support/mongod.ts';
import { requireShards, watchShards } from '../support/mongos.ts';

const uri = inject('mongodbUri');

/** Few of everything, so that random operations conflict: the same ids, names, placeholders and versions. */
const owners = fc.nat(1);
const ids = fc.nat(3);
const names = fc.constantFrom('a', 'A', 'ab', 'a\0', '\uFFFD', '\u{1F600}');
const tags = fc.subarray(['t', 'T', '標籤']).chain((some) => fc.shuffledSubarray(some, { minLength: some.length }));
const optionalText = fc.option(fc.constantFrom('', 'x', 'x\0y'));

const changes = fc.record({
  // Most random updates and deletes name a secret that does not exist.
  type: fc.constantFrom('insert', 'insert', 'insert', 'update', 'update', 'delete', 'use'),
  owner: owners,
  id: ids,
  name: names,
  placeholder: fc.constantFrom('p0', 'p1', 'p2', 'p3'),
  version: fc.integer({ min: 1, max: 3 }),
  provider: optionalText,
  notes: optionalText,
  maskedValue: optionalText,
  tags,
  isSealed: fc.boolean(),
  isOnStored: fc.nat(3).map((one) => one > 0),
  nonce: fc.option(fc.nat(5)),
});

const places = fc.option(
  names.map((name) => ({ name, id: '' })),
  { nil: undefined },
);
const queries = fc.record(
  {
    filter: fc.record(
      {
        name: names,
        nameStartsWith: fc.constantFrom('', 'a', 'A', '\u{1F600}'),
        provider: fc.constantFrom('', 'x', 'x\0y'),
        tags,
        placeholder: fc.constantFrom('p0', 'p1'),
      },
      { requiredKeys: [] },
    ),
    after: places,
    before: places,
    from: fc.constantFrom('start', 'end'),
    limit: fc.nat(3),
    count: fc.boolean(),
  },
  { requiredKeys: ['filter', 'from', 'limit', 'count'] },
);

const operations = fc.oneof(
  { weight: 3, arbitrary: fc.record({ commit: fc.tuple(changes) }) },
  { weight: 3, arbitrary: fc.record({ commit: fc.array(changes, { minLength: 1, maxLength: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ owner: owners, query: queries }) },
);

type Fields = typeof changes extends fc.Arbitrary<infer T> ? T : never;
type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never;

const everyVerdict: Operation[] = [
  { commit: [newChange({ id: 0, name: 'a', placeholder: 'p0' }), newChange({ id: 1, name: 'ab', placeholder: 'p1' })] },
  { commit: [newChange({ id: 0, name: 'A', placeholder: 'p2' })] },
  { commit: [newChange({ id: 2, name: 'a', placeholder: 'p2' })] },
  {
    commit: [newChange({ id: 2, name: 'A', placeholder: 'p2' }), newChange({ id: 3, name: 'a\0', placeholder: 'p0' })],
  },
  // The id is taken before the name is looked at, and the change before it is reported all the same.
  { commit: [newChange({ id: 2, name: 'a', placeholder: 'p2' }), newChange({ id: 0, name: 'A', placeholder: 'p3' })] },
  { commit: [newChange({ type: 'update', id: 1, name: 'ab', placeholder: 'p0' })] },
  { commit: [newChange({ type: 'update', id: 0, version: 3 })] },
  { commit: [newChange({ type: 'update', id: 0 }), newChange({ type: 'delete', id: 0 })] },
  { commit: [newChange({ type: 'update', id: 0, nonce: 0 })] },
  { commit: [newChange({ id: 0 }), newChange({ type: 'update', id: 0, version: 2, nonce: 0 })] },
  { commit: [newChange({ type: 'delete', id: 0, version: 2 })] },
  { commit: [newChange({ id: 0, name: 'A', placeholder: 'p2' })] },
  { commit: [newChange({ id: 2, name: 'A', placeholder: 'p2' }), newChange({ id: 0, name: 'a', placeholder: 'p0' })] },
];

function newChange(fields: Partial<Fields>): Fields {
  return {
    type: 'insert',
    owner: 0,
    id: 0,
    name: 'a',
    placeholder: 'p0',
    version: 1,
    provider: null,
    notes: null,
    maskedValue: null,
    tags: [],
    isSealed: true,
    isOnStored: true,
    nonce: null,
    ...fields,
  };
}

/** The owners of one run: every run has its own, so that all runs share a database and still begin empty. */
class Run {
  readonly owners: readonly Owner[] = [0, 1].map(() => ({ type: 'team', teamId: randomUUID() }));
  readonly ids: readonly string[] = [0, 1, 2, 3].map(() => randomUUID());
  readonly nonces = Array.from({ length: 6 }, () => newNonce());

  owner(index: number): Owner {
    return this.owners[index] ?? { type: 'team', teamId: 'none' };
  }

  /** @param macs of what is stored by then: most changes are made on that, the others on another secret of the same id */
  change({ nonce, isOnStored, ...fields }: Fields, macs: Map<string, RecordMac>): Write {
    const id = this.ids[fields.id] ?? '';
    const stored = macs.get(id);
    const write = stored && isOnStored ? withMac(this.#write(fields), stored) : this.#write(fields);
    if (write.type === 'insertSecret') macs.set(id, write.record.mac);
    else if (write.type === 'updateSecret') macs.set(id, write.mac);
    const spent = nonce === null ? undefined : this.nonces[nonce];
    return spent && (write.type === 'insertSecret' || write.type === 'updateSecret') ? withNonce(write, spent) : write;
  }

  #write({ type, owner, id, isSealed, ...fields }: Omit<Fields, 'nonce' | 'isOnStored'>): Write {
    const secret: Partial<Secret> = { ...fields, id: this.ids[id] ?? '' };
    const record = newRecord(this.owner(owner), {
      ...secret,
      sealed: isSealed ? sealed(fields.version, 'marker') : null,
    });
    if (type === 'insert') return insert(record);
    if (type === 'delete') return remove(record);
    if (type === 'use') return use(record, fields.notes || undefined);
    return update(record, {}, record.sealed ?? undefined);
  }

  query(owner: number, fields: object): ListQuery {
    return query(this.owner(owner), JSON.parse(JSON.stringify(fields)) as Partial<ListQuery>);
  }

  async macs(store: Store): Promise<Map<string, RecordMac>> {
    const secrets = await Promise.all(this.ids.map((id) => store.find(id)));
    return new Map(secrets.flatMap((secret) => (secret ? [[secret.id, secret.mac]] : [])));
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
      chains: await Promise.all(this.owners.map((owner) => chain(store, owner))),
    };
  }
}

function withoutSizes(selected: readonly SelectedSecret[]) {
  return selected.map(({ secret, envelope }) => ({ secret, envelope }));
}

function withMac(write: Write, mac: RecordMac): Write {
  if (write.type === 'updateSecret') return { ...write, from: mac };
  const isOfSecret = write.type === 'deleteSecret' || write.type === 'useSecret';
  return isOfSecret ? { ...write, secret: { ...write.secret, mac } } : write;
}

async function verdict(commit: Promise<void>): Promise<string> {
  return commit.then(
    () => 'written',
    (error: unknown) => {
      if (error instanceof StoreConflict) return `change ${error.index} on its ${error.on}`;
      throw error;
    },
  );
}

describe.skipIf(uri === null)('the two stores', () => {
  let stores: [Store, Store];
  beforeAll(async () => {
    watchShards();
    stores = [
      await openSqliteStore(':memory:', withTestMac),
      await openMongodbStore(withDatabase(uri ?? '', `test-${randomUUID()}`), withTestMac),
    ];
  });
  afterAll(async () => {
    await Promise.all((stores ?? []).map((store) => store.close()));
    requireShards();
  });

  /** @returns the verdicts of both */
  async function compare(sequence: readonly Operation[]): Promise<string[]> {
    const run = new Run();
    const verdicts: string[] = [];
    for (const operation of sequence) {
      if ('commit' in operation) {
        const macs = await run.macs(stores[0]);
        const commit = operation.commit.map((change) => run.change(change, macs));
        const [one = '', other] = await Promise.all(stores.map((store) => verdict(store.commit(commit))));
        expect(other).toEqual(one);
        verdicts.push(one);
      } else {
        const list = run.query(operation.owner, operation.query);
        const [one, other] = await Promise.all(stores.map((store) => store.list(list)));
        expect(other).toEqual(one);
      }
    }
    const [one, other] = await Promise.all(stores.map((store) => run.stateOf(store)));
    expect(other).toEqual(one);
    return verdicts;
  }

  it('give every possible verdict when it applies', async () => {
    expect(await compare(everyVerdict)).toEqual([
      'written',
      'change 0 on its id',
      'change 0 on its name',
      'change 1 on its placeholder',
      'change 0 on its name',
      'change 0 on its placeholder',
      'change 0 on its version',
      'change 1 on its version',
      'written',
      'change 1 on its nonce',
      'written',
      'change 0 on its id',
      'change 1 on its id',
    ]);
  });

  it('give the same verdict on every operation, and have the same content in the end', {
    timeout: 120_000,
  }, async () => {
    const verdicts: string[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(operations, { minLength: 1, maxLength: 25 }), async (sequence) => {
        verdicts.push(...(await compare(sequence)));
      }),
      { numRuns: 60 },
    );
    // Sequences without conflicts would have compared nothing.
    const written = verdicts.filter((one) => one === 'written').length;
    expect(written).toBeGreaterThan(20);
    expect(verdicts.length - written).toBeGreaterThan(20);
  });
});
