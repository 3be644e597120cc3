import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openMongodbStore } from '../../src/store/mongodb/mongodb-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Store, StoreConflict } from '../../src/store/store.ts';
import { withTestMac } from '../support/keyring.ts';
import { withDatabase } from '../support/mongod.ts';
import { requireShards, watchShards } from '../support/mongos.ts';
import { changes, type Fields, names, owners, Run, tags, times } from './random-writes.ts';

const uri = inject('mongodbUri');

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
        expiresBefore: times,
        notUpdatedSince: times,
        hasValue: fc.boolean(),
        health: fc.constantFrom('VALID', 'REJECTED'),
        notUsedSince: times,
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

type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never;

const rejectedOnce = { status: 'REJECTED', checkedAt: new Date(1), source: 'USE' } as const;

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
  { commit: [newChange({ type: 'restore', id: 0, version: 2, name: 'a', placeholder: 'p0' })] },
  { commit: [newChange({ type: 'restore', id: 0, version: 2, name: 'a', placeholder: 'p0' })] },
  { commit: [newChange({ type: 'delete', id: 0, version: 3 })] },
  { commit: [newChange({ type: 'restore', id: 0, version: 3, name: 'ab', placeholder: 'p1' })] },
  { commit: [newChange({ type: 'restore', id: 0, version: 3, name: 'a', placeholder: 'p1' })] },
  { commit: [newChange({ type: 'send', id: 0, version: 3 })] },
  { commit: [newChange({ type: 'send', id: 1, version: 1 })] },
  { commit: [newChange({ type: 'reject', id: 1, version: 1, health: rejectedOnce })] },
  { commit: [newChange({ type: 'reject', id: 1, version: 1, health: rejectedOnce, isSealed: false })] },
  {
    commit: [
      newChange({ type: 'update', id: 1, name: 'ab', placeholder: 'p1', version: 1 }),
      newChange({ type: 'reject', id: 1, version: 2, health: rejectedOnce }),
    ],
  },
  { commit: [newChange({ type: 'purge', id: 0, version: 3 })] },
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
    expiresAt: null,
    destination: null,
    health: null,
    updatedAt: new Date(0),
    isSealed: true,
    isOnStored: true,
    nonce: null,
    ...fields,
  };
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
        const stored = await run.stored(stores[0]);
        const commit = operation.commit.map((change) => run.change(change, stored));
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
      'written',
      'change 0 on its version',
      'written',
      'change 0 on its name',
      'change 0 on its placeholder',
      'change 0 on its version',
      'written',
      'written',
      'change 0 on its version',
      'written',
      'written',
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
    // Sequences without conflicts would have compared nothing. How many there are differs from run to run.
    const written = verdicts.filter((one) => one === 'written').length;
    expect(written).toBeGreaterThan(0);
    expect(verdicts.length - written).toBeGreaterThan(0);
  });
});
