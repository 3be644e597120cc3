import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeFeeds } from '../../src/audit/change-feeds.ts';
import type { Caller } from '../../src/model/caller.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import { Operations } from '../../src/operations.ts';
import { Answer } from '../../src/runtime/answer.ts';
import { createKeyedMutex, type KeyedMutex } from '../../src/runtime/keyed-mutex.ts';
import { LargeWork } from '../../src/runtime/large-work.ts';
import { createTrace } from '../../src/runtime/trace.ts';
import { tooMuchContention } from '../../src/secrets/conflicts.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { chain, insert, newRecord, seen } from '../contract/fixtures.ts';
import { ada, ofDestinations } from '../support/documents.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { testKeyring, withTestMac } from '../support/keyring.ts';

type Change = [name: string, run: (operations: Operations, id: string) => Promise<unknown>];
const changes: Change[] = [
  ['an update', (operations, id) => operations.updateSecret({ id, notes: 'mine' })],
  ['an update of nothing', (operations, id) => operations.updateSecret({ id })],
  ['an update that breaks a rule', (operations, id) => operations.updateSecret({ id, name: '', tags: null })],
  ['an update of another version', (operations, id) => operations.updateSecret({ id, expectedVersion: 7 })],
  ['a delete', (operations, id) => operations.deleteSecret({ id })],
  ['a delete of another version', (operations, id) => operations.deleteSecret({ id, expectedVersion: 7 })],
  ['an update that is verified', (operations, id) => operations.updateSecret({ id, value: 'a value', verify: true })],
  ['a check', (operations, id) => operations.checkSecret({ id })],
];
const foreign: Owner[] = [
  { type: 'user', userId: 'eve' },
  { type: 'team', teamId: 'blue' },
  { type: 'connector', teamId: 'blue', connectorId: 'c' },
];

describe.each(storeNames)('a secret beyond the caller’s reach, on %s', (storeName) => {
  let directory: string;
  let store: Store;
  /** The calls to the store, and those for the mutex, in their order. */
  let calls: string[];
  let mutex: KeyedMutex;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-'));
    store = await openStore(newDatabaseUrl(storeName, directory), withTestMac);
    calls = [];
    const real = createKeyedMutex(5000, tooMuchContention);
    mutex = (key, work) => {
      calls.push('mutex');
      return real(key, work);
    };
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function stored(owner: Owner): Promise<SecretRecord> {
    const record = newRecord(owner);
    await store.commit([insert(record)]);
    return record;
  }

  async function operationsOf(caller: Partial<Caller> = {}): Promise<Operations> {
    const counted = new Proxy(store, {
      get(target, name: keyof Store) {
        const method = target[name] as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          calls.push(name);
          return method.apply(target, args);
        };
      },
    });
    return new Operations(
      {
        store: counted,
        changes: new ChangeFeeds({ store: counted, keyring: () => testKeyring }),
        apiKeys: store.apiKeys,
        forgetApiKey: () => {},
        keyring: () => testKeyring,
        now: () => new Date(),
        mutex,
        running: new Set<string>(),
        largeWork: new LargeWork(),
        spendMatch() {},
        spendCheck() {},
        askProvider: async () => 'UNSUPPORTED' as const,
        spendUse() {},
        deletedRetentionMs: 30 * 24 * 3_600_000,
        trace: createTrace(),
        ...ofDestinations,
      },
      {
        principal: { ...ada, scopes: new Set([...ada.scopes, 'secrets:use']) },
        requestId: 'r',
        answer: new Answer(),
        secureTransport: true,
        writeDeadlineMs: Number.POSITIVE_INFINITY,
        ...caller,
      },
    );
  }

  async function outcomeOf(work: () => Promise<unknown>) {
    calls.length = 0;
    const outcome = await work().then(
      () => 'done',
      ({ name, code, message, details }) => ({ name, code, message, details }),
    );
    return { outcome, calls: [...calls] };
  }

  it.each(changes)('takes %s the same calls to the store as a missing one, and no mutex', async (name, run) => {
    const stranger = await operationsOf();
    const missing = await outcomeOf(() => run(stranger, randomUUID()));
    // What is deleted is read with its value, which is kept, and what is checked with the value that is sent.
    const read = /^a (?:delete|check)/.test(name) ? 'findRecord' : 'find';
    expect(missing).toMatchObject({ outcome: { code: 'NOT_FOUND' }, calls: [read] });
    for (const owner of foreign) {
      const record = await stored(owner);
      expect(await outcomeOf(() => run(stranger, record.id))).toEqual(missing);
      expect(await store.findRecord(record.id)).toEqual(record);
    }
  });

  it('is answered while its owner changes it, and the owner waits for no stranger', async () => {
    const record = await stored({ type: 'user', userId: 'eve' });
    const stranger = await operationsOf();
    const owner = await operationsOf({ principal: { ...ada, subject: 'eve' } });
    const commit = store.commit.bind(store);
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    vi.spyOn(store, 'commit').mockImplementationOnce(async (writes) => {
      begun.resolve();
      await release.promise;
      await commit(writes);
    });
    const first = owner.updateSecret({ id: record.id, notes: 'first' });
    await begun.promise;
    // The mutex is held: whoever waits for it waits until the end of this test.
    for (const [, run] of changes) {
      const missing = await outcomeOf(() => run(stranger, randomUUID()));
      expect(await outcomeOf(() => run(stranger, record.id))).toEqual(missing);
    }
    const strangers = Array.from({ length: 30 }, (_, n) => changes[n % changes.length]?.[1](stranger, record.id));
    const second = owner.updateSecret({ id: record.id, notes: 'second' });
    for (const refused of await Promise.allSettled(strangers)) {
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'NOT_FOUND' } });
    }
    calls.length = 0;
    release.resolve();
    await Promise.all([first, second]);
    // The second update looks again after it has waited, and nothing stands between the two.
    expect(calls).toEqual(['find', 'commit']);
    expect((await chain(store, record.owner)).map(({ version }) => version)).toEqual([1, 2, 3]);
  });

  it('is looked up once by a change that does not wait, and again by one that did', async () => {
    const record = await stored({ type: 'team', teamId: 'red' });
    const operations = await operationsOf();
    expect((await outcomeOf(() => operations.updateSecret({ id: record.id, notes: 'n' }))).calls).toEqual([
      'find',
      'mutex',
      'commit',
    ]);
    const current = await store.find(record.id);
    await outcomeOf(() =>
      Promise.all([
        operations.updateSecret({ id: record.id, notes: 'a' }),
        operations.updateSecret({ id: record.id, tags: ['b'] }),
      ]),
    );
    expect(calls.filter((name) => name === 'find')).toHaveLength(3);
    expect(calls.filter((name) => name === 'commit')).toHaveLength(2);
    expect(await store.find(record.id)).toMatchObject({
      ...seen(record),
      version: 4,
      notes: 'a',
      tags: ['b'],
      updatedAt: expect.any(Date),
    });
    expect(current?.version).toBe(2);
  });

  it('is beyond reach for a change that waited until the secret was deleted', async () => {
    const record = await stored({ type: 'team', teamId: 'red' });
    const operations = await operationsOf();
    const commit = store.commit.bind(store);
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    vi.spyOn(store, 'commit').mockImplementationOnce(async (writes) => {
      begun.resolve();
      await release.promise;
      await commit(writes);
    });
    const deleting = operations.deleteSecret({ id: record.id });
    await begun.promise;
    const waiting = operations.updateSecret({ id: record.id, notes: 'mine' });
    const refused = expect(waiting).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // It has looked, and waits.
    await expect.poll(() => calls.filter((name) => name === 'mutex')).toHaveLength(2);
    release.resolve();
    await deleting;
    await refused;
    expect(await store.findRecord(record.id)).toBeUndefined();
  });
});
