import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { macOfEvent } from '../../src/crypto/event-mac.ts';
import { parseKeyring } from '../../src/crypto/keyring-file.ts';
import { countKids } from '../../src/keyring/count.ts';
import type { Sealed, WrappedKey } from '../../src/model/envelope.ts';
import type { Keyed } from '../../src/store/kid-counts.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { insertApiKey, newApiKeyRecord } from '../contract/api-keys.ts';
import { insert, newOwner, newRecord, purge, sealed, update } from '../contract/fixtures.ts';
import { newDatabaseUrl, storeNames } from '../support/gateway.ts';
import { keyringText } from '../support/keyring.ts';

/** The keys of the envelope (null: no value), the record and the event of each secret. */
const kids: [envelope: string | null, record: string, event: string][] = [
  ['one', 'mac-a', 'mac-a'],
  ['two', 'mac-a', 'mac-a'],
  [null, 'mac-a', 'mac-b'],
  ['one', 'mac-b', 'mac-b'],
  ['three', 'mac-b', 'mac-b'],
  ['one', 'mac-c', 'mac-b'],
  [null, 'mac-c', 'mac-b'],
  ['two', 'mac-a', 'mac-b'],
  ['one', 'mac-a', 'mac-c'],
];

/** A sealed value under this key. */
function under(kid: string, version = 1): Sealed {
  const { envelope, ...mark } = sealed(version);
  const digest = kid === 'one' && { digest: { kid: 'equality-a', digest: 'digest', mac: 'mac' } };
  return { ...mark, envelope: { ...envelope, header: { alg: 'A256KW', kid } }, ...digest };
}

describe.each(storeNames)('the counts of keys, on %s', (name) => {
  let directory: string;
  let store: Store;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'count-'));
    let ring = await parseKeyring(keyringText([]), 'keyring.json');
    store = await openStore(newDatabaseUrl(name, directory), {
      macOfEvent: (owner, event) => macOfEvent(owner, event, ring),
    });
    for (const of of ['envelopes', 'records', 'apiKeys', 'events', 'digests'] as const) {
      expect(await store.countKids(of, '', 10)).toEqual({ counts: new Map(), last: null });
    }
    const owners = [newOwner(), newOwner(), newOwner()];
    for (const [index, [envelopeKid, recordKid, eventKid]] of kids.entries()) {
      const value = envelopeKid === null ? null : under(envelopeKid);
      const record = newRecord(owners[index % 3] ?? newOwner(), { sealed: value });
      ring = await parseKeyring(keyringText([{ use: 'mac', kid: eventKid, state: 'active' }]), 'keyring.json');
      await store.commit([insert({ ...record, mac: { ...record.mac, kid: recordKid } })]);
    }
    // What a value replaced is counted where it is kept.
    const replaced = newRecord(newOwner());
    const write = update(replaced, {}, under('three', 2));
    const kept = write.replaced && { ...write.replaced, mac: { kid: 'mac-c', tag: 'tag' } };
    await store.commit([
      insert(replaced),
      { ...write, mac: { ...write.mac, kid: 'mac-b' }, ...(kept && { replaced: kept }) },
    ]);
    // Of a purged secret there is nothing but its events.
    const gone = newRecord(newOwner());
    await store.commit([insert(gone), purge(gone)]);
    for (const [index, kid] of ['mac-a', 'mac-b', 'mac-a'].entries()) {
      ring = await parseKeyring(keyringText([{ use: 'mac', kid: 'mac-b', state: 'active' }]), 'keyring.json');
      const record = newApiKeyRecord(`team ${index}`);
      await store.commit([insertApiKey({ ...record, mac: { ...record.mac, kid } })]);
    }
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  const expected: Record<Keyed, Map<string, number>> = {
    envelopes: new Map([
      ['one', 4],
      ['two', 2],
      ['three', 2],
      ['kek-1', 1],
    ]),
    records: new Map([
      ['mac-a', 5],
      ['mac-b', 3],
      ['mac-c', 3],
    ]),
    apiKeys: new Map([
      ['mac-a', 2],
      ['mac-b', 1],
    ]),
    events: new Map([
      ['mac-a', 2],
      ['mac-b', 9],
      ['mac-c', 5],
    ]),
    digests: new Map([
      ['equality-a', 4],
      // Values without a digest.
      ['', 4],
    ]),
  };

  it.each(Object.entries(expected) as [Keyed, Map<string, number>][])(
    'of %s are by key, over all owners, and without what needs none',
    async (of, counts) => {
      expect(await countKids(store, of)).toEqual(counts);
    },
  );

  it.each([1, 2, 3, 7, 8, 9, 11, 12])('add up over ranges of %i', async (size) => {
    for (const [of, counts] of Object.entries(expected) as [Keyed, Map<string, number>][]) {
      const total = new Map<string, number>();
      const ends = new Set<string>();
      for (let after = ''; ; ) {
        const range = await store.countKids(of, after, size);
        if (range.last === null) break;
        const inRange = [...range.counts.values()].reduce((sum, count) => sum + count, 0);
        expect(inRange).toBeGreaterThan(0);
        expect(inRange).toBeLessThanOrEqual(size);
        for (const [kid, count] of range.counts) total.set(kid, (total.get(kid) ?? 0) + count);
        expect(ends.has(range.last)).toBe(false);
        ends.add(range.last);
        after = range.last;
      }
      expect(total).toEqual(counts);
    }
  });

  it('match the pages of wrapped keys', async () => {
    const all: WrappedKey[] = [];
    for (let after = ''; ; after = all.at(-1)?.position ?? '') {
      const page = await store.wrappedKeys(after, 100);
      if (page.length === 0) break;
      all.push(...page);
    }
    const byKid = Map.groupBy(all, ({ kid }) => kid);
    const counts = new Map([...byKid].map(([kid, keys]) => [kid, keys.length]));
    expect(await countKids(store, 'envelopes')).toEqual(counts);
  });
});
