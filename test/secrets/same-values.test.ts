import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOfValue } from '../../src/crypto/equality.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { DomainError } from '../../src/errors.ts';
import type { Caller } from '../../src/model/caller.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { Scope } from '../../src/model/principal.ts';
import type { StoredSecret } from '../../src/model/secret.ts';
import { Answer } from '../../src/runtime/answer.ts';
import { createKeyedMutex } from '../../src/runtime/keyed-mutex.ts';
import { LargeWork } from '../../src/runtime/large-work.ts';
import { createTrace } from '../../src/runtime/trace.ts';
import { tooMuchContention } from '../../src/secrets/conflicts.ts';
import { matchesSecret } from '../../src/secrets/matches-secret.ts';
import { sameValues } from '../../src/secrets/same-values.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insert, marked, newRecord, withoutEnvelope } from '../contract/fixtures.ts';
import { ada, ofDestinations } from '../support/documents.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { testKeyring, withTestMac } from '../support/keyring.ts';

const owner: Owner = { type: 'team', teamId: 'red' };

/** What was done, one word each: the HMACs under the keys of a use, and the calls of a store. */
let work: string[] = [];

/** The store, and the keyring, that write down what is asked of them. */
function watched<T extends object>(prefix: string, target: T): T {
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property, object);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        work.push(`${prefix}.${String(property)}`);
        return Reflect.apply(member, object, args);
      };
    },
  });
}

function watchedKey<K extends object>(use: string, key: K): K {
  return new Proxy(key, {
    get(object, property) {
      if (property === 'key') work.push(`hmac ${use}`);
      return Reflect.get(object, property, object);
    },
  });
}

function watchedRing({ mac, equality, ...ring }: Keyring): Keyring {
  const macKey = watchedKey('mac', mac.active);
  const equalityKey = watchedKey('equality', equality.active);
  return {
    ...ring,
    mac: { active: macKey, keys: new Map([[macKey.kid, macKey]]) },
    equality: { active: equalityKey, keys: new Map([[equalityKey.kid, equalityKey]]) },
  };
}

describe.each(storeNames)('the comparison of values with stored ones, on %s', (name) => {
  let directory: string;
  let store: Store;
  let secrets: StoredSecret[];
  let spent = 0;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'same-values-'));
    store = await openStore(newDatabaseUrl(name, directory), withTestMac);
    const records = ['one', 'two', 'two', null].map((value) => {
      const record = marked(newRecord(owner, value === null ? { sealed: null } : {}));
      const digest = value !== null && record.sealed && digestOfValue(value, record, record.sealed, testKeyring);
      return { ...record, sealed: record.sealed && { ...record.sealed, ...(digest && { digest }) } };
    });
    await store.commit(records.map(insert));
    secrets = records.map(withoutEnvelope);
  });
  afterAll(async () => {
    await store?.close();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    work = [];
    spent = 0;
  });

  const dependencies = () => ({
    store: { ...watched('store', store), digests: watched('digests', store.digests) } as Store,
    keyring: () => watchedRing(testKeyring),
    now: () => new Date(),
    mutex: createKeyedMutex(5000, tooMuchContention),
    running: new Set<string>(),
    largeWork: new LargeWork(),
    spendMatch() {
      spent += 1;
      if (spent > 1) throw new DomainError('TOO_MANY_REQUESTS');
    },
    spendCheck() {},
    askProvider: async () => 'UNSUPPORTED' as const,
    deletedRetentionMs: 1000,
    trace: createTrace(),
    ...ofDestinations,
  });
  const caller = (...scopes: Scope[]): Caller => ({
    principal: { ...ada, scopes: new Set(scopes) },
    requestId: 'request-1',
    secureTransport: true,
    answer: new Answer(),
    writeDeadlineMs: Number.POSITIVE_INFINITY,
  });
  const compared = (...values: string[]) => secrets.map((secret, index) => ({ secret, value: values[index] ?? '' }));

  it('tells which values their secrets have, and spends once for a call', async () => {
    const same = sameValues(dependencies(), caller('secrets:match'));
    expect(await same(owner, [])).toEqual([]);
    expect(spent).toBe(0);
    expect(await same(owner, compared('one', 'one', 'two', 'one'))).toEqual([true, false, true, false]);
    expect(await same(owner, [{ secret: secrets[0] as StoredSecret, value: Buffer.from('one') }])).toEqual([true]);
    expect(spent).toBe(1);
    expect(work.filter((one) => one === 'digests.of')).toHaveLength(2);
  });

  it('tells nothing of secrets that are not this owner’s', async () => {
    const same = sameValues(dependencies(), caller('secrets:match'));
    const other: Owner = { type: 'team', teamId: 'blue' };
    expect(await same(other, compared('one', 'two', 'two'))).toEqual([false, false, false, false]);
  });

  it('without secrets:match says of none that it is the same, and does nothing, whatever the values are', async () => {
    for (const values of [
      ['one', 'two', 'two', 'x'],
      ['a', 'b', 'c', 'd'],
    ]) {
      const same = sameValues(
        dependencies(),
        caller('secrets:read', 'secrets:write', 'secrets:resolve', 'keys:manage'),
      );
      expect(await same(owner, compared(...values))).toEqual([false, false, false, false]);
    }
    expect([work, spent]).toEqual([[], 0]);
  });

  it('takes as much work for equal values as for others', async () => {
    const doing = async (...values: string[]) => {
      work = [];
      spent = 0;
      await sameValues(dependencies(), caller('secrets:match'))(owner, compared(...values));
      return work;
    };
    const equal = await doing('one', 'two', 'two', 'x');
    expect(equal.filter((one) => one === 'hmac equality')).toHaveLength(6);
    expect(await doing('abc', 'def', 'ghi', 'x')).toEqual(equal);
  });

  it('looks a value up with one digest and one query, whatever is found', async () => {
    const looking = async (value: string) => {
      work = [];
      spent = 0;
      const found = await matchesSecret(dependencies(), caller('secrets:match', 'secrets:read'), {
        owner: { teamId: 'red' },
        value,
      });
      return { found: found.length, lookUp: work.slice(0, 2), checks: work.slice(2) };
    };
    const lookUp = ['hmac equality', 'digests.match'];
    expect(await looking('never seen')).toEqual({ found: 0, lookUp, checks: [] });
    // What the answer shows is checked: nobody learns from it what the answer does not show.
    const check = ['hmac mac', 'hmac equality'];
    expect(await looking('one')).toEqual({ found: 1, lookUp, checks: check });
    expect(await looking('two')).toEqual({ found: 2, lookUp, checks: [...check, ...check] });
  });

  it('is refused when the budget is spent, before anything is looked up', async () => {
    const shared = dependencies();
    await sameValues(shared, caller('secrets:match'))(owner, compared('one'));
    work = [];
    const again = sameValues(shared, caller('secrets:match'))(owner, compared('one'));
    await expect(again).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(work).toEqual([]);
  });
});
