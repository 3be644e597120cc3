import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEvent, AuditFilter } from '../../src/model/audit-event.ts';
import { type Owner, ownerKey } from '../../src/model/owner.ts';
import type { AuditQuery } from '../../src/store/audit.ts';
import type { Store, Write } from '../../src/store/store.ts';
import { chain, eventAlone, insert, newOwner, newRecord, useAt } from './fixtures.ts';
import type { Subject } from './subject.ts';

const [types, actors] = [['secret.updated', 'secret.resolved', 'secret.used'] as const, ['ada', 'bob'] as const];
const secrets = Array.from({ length: 3 }, () => randomUUID());
/** One gateway is behind by up to a minute: times are not in the order of the chain. */
const from = Date.parse('2026-03-04T00:00:00Z');

function events(owner: Owner, count: number, random: () => number): Write[] {
  const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
  return Array.from({ length: count }, (_, index) => {
    const { event } = eventAlone(newRecord(owner, { id: pick(secrets) }));
    const at = new Date(from + index * 1000 - Math.floor(random() * random() * 60) * 1000);
    return {
      type: 'appendEvent',
      owner,
      event: { ...event, type: pick(types), actor: { kind: 'user', id: pick(actors) }, at },
    };
  });
}

function expected(all: readonly AuditEvent[], query: Omit<AuditQuery, 'owner'>) {
  const { filter, after = 0, before = Number.POSITIVE_INFINITY, limit } = query;
  const matching = all.filter(
    ({ type, secretId, actor, at }) =>
      (!filter.types || filter.types.includes(type)) &&
      (filter.secretId === undefined || secretId === filter.secretId) &&
      (filter.actor === undefined || actor.id === filter.actor) &&
      (!filter.since || at >= filter.since) &&
      (!filter.until || at < filter.until),
  );
  const inRange = matching.filter(({ sequence }) => sequence > after && sequence < before);
  const page = query.from === 'start' ? inRange.slice(0, limit) : inRange.slice(Math.max(0, inRange.length - limit));
  return {
    events: limit === 0 ? [] : page,
    hasMore: limit > 0 && inRange.length > limit,
    totalCount: query.count ? matching.length : null,
  };
}

/** Lists of audit events, and the chains of all owners. */
export function auditListsContract(subject: Subject): void {
  const count = 300;
  const times = fc.integer({ min: -70, max: count + 10 }).map((seconds) => new Date(from + seconds * 1000));
  const sequences = fc.integer({ min: 0, max: count + 1 });
  const queries = fc.record(
    {
      filter: fc.record<AuditFilter>(
        {
          types: fc.subarray([...types, 'secret.purged' as const], { minLength: 1 }),
          secretId: fc.constantFrom(...secrets, randomUUID()),
          actor: fc.constantFrom(...actors, 'nobody'),
          since: times,
          until: times,
        },
        { requiredKeys: [] },
      ),
      after: sequences,
      before: sequences,
      from: fc.constantFrom('start' as const, 'end' as const),
      limit: fc.constantFrom(0, 1, 3, 50, 1000),
      count: fc.boolean(),
    },
    { requiredKeys: ['filter', 'from', 'limit', 'count'] },
  );

  describe('a list of audit events', () => {
    it('has what its filter and its range ask for, from either end, in the order of the chain', async () => {
      const { store, owner } = subject;
      let seed = 7;
      const random = () => {
        seed = (seed * 48271) % 2147483647;
        return seed / 2147483647;
      };
      await store.commit(events(newOwner(), 5, random));
      await store.commit(events(owner, count, random));
      const all = await chain(store, owner);
      expect(all).toHaveLength(count);
      await fc.assert(
        fc.asyncProperty(queries, async (query) => {
          expect(await store.audit.list({ owner, ...query })).toEqual(expected(all, query));
        }),
        { numRuns: 80 },
      );
    });

    it('of an owner without events is empty', async () => {
      const query = { owner: newOwner(), from: 'end', limit: 10, count: true } as const;
      const empty = { events: [], hasMore: false, totalCount: 0 };
      expect(await subject.store.audit.list({ ...query, filter: {} })).toEqual(empty);
      const filter = { types: ['secret.created'], since: new Date(0), until: new Date() } as const;
      expect(await subject.store.audit.list({ ...query, filter })).toEqual(empty);
      expect(await subject.store.audit.list({ ...query, filter: { secretId: randomUUID() } })).toEqual(empty);
    });

    it('tells how many events a filter looks at, and ends when it is told to', async () => {
      const { store, owner } = subject;
      const record = await subject.stored();
      await store.commit(Array.from({ length: 2500 }, () => useAt(record, new Date())));
      const scanned = async (filter: AuditFilter, fields: Partial<AuditQuery> = {}) => {
        let events = 0;
        const onScan = (more: number) => {
          events += more;
        };
        await store.audit.list({ owner, filter, from: 'start', limit: 10, count: false, onScan, ...fields });
        return events;
      };
      expect(await scanned({})).toBe(0);
      expect(await scanned({ secretId: record.id })).toBe(0);
      expect(await scanned({ secretId: randomUUID(), types: ['secret.resolved'] })).toBe(0);
      expect(await scanned({ secretId: record.id, types: ['secret.used'] }, { limit: 2500 })).toBe(2501);
      // Of a secret that is used again and again, what was done to it besides is found at once.
      const besides = ['secret.created', 'secret.updated', 'secret.resolved', 'secret.rejected'] as const;
      expect(await scanned({ secretId: record.id, types: besides })).toBe(0);
      expect(await scanned({ secretId: record.id, types: besides }, { count: true })).toBe(1);
      expect(await scanned({ secretId: record.id, types: besides, since: new Date(0), actor: 'nobody' })).toBe(1);
      expect(await scanned({ types: ['secret.updated'] })).toBe(2501);
      expect(await scanned({ types: ['secret.updated'] }, { count: true, limit: 0 })).toBe(2501);
      expect(await scanned({ secretId: record.id, actor: 'nobody' })).toBe(2501);
      expect(await scanned({ since: new Date() })).toBe(0);
      const onScan = () => {
        throw new Error('enough');
      };
      const scan = { owner, filter: { types: ['secret.updated'] }, from: 'end', limit: 1, count: false } as const;
      await expect(store.audit.list({ ...scan, onScan })).rejects.toThrow('enough');
    });
  });

  describe('the chains of all owners', () => {
    it('are walked in the order of owners and sequences, in pages, and their heads too', async () => {
      const { store } = subject;
      const prefix = randomUUID();
      const before = `team:${prefix}`;
      const owners: Owner[] = ['a', 'A', 'ä', 'b/c', 'b'].map((id) => ({ type: 'team', teamId: `${prefix} ${id}` }));
      const keys = owners.map(ownerKey).sort();
      for (const owner of owners) await store.commit([insert(newRecord(owner)), insert(newRecord(owner))]);
      const isOurs = (key: string) => keys.includes(key);
      for (const limit of [1, 2, 3, 1000]) {
        const walked: string[] = [];
        // Before ours: other tests have many events in this store.
        let position: readonly [string, number] = [before, 0];
        for (;;) {
          const page = await store.audit.walk(position, null, limit);
          walked.push(
            ...page.filter(([owner]) => isOurs(owner)).map(([owner, { sequence }]) => `${owner} ${sequence}`),
          );
          const last = page.at(-1);
          if (!last || page.length < limit || !isOurs(last[0])) break;
          position = [last[0], last[1].sequence];
        }
        expect(walked).toEqual(keys.flatMap((key) => [`${key} 1`, `${key} 2`]));
      }
      expect((await headsOf(store, before, keys.length)).slice(0, keys.length)).toEqual(keys);
      const [first = '', second = ''] = keys;
      const range = await store.audit.walk([first, 1], second, 100);
      expect(range.map(([owner, { sequence }]) => [owner, sequence])).toEqual([
        [first, 2],
        [second, 1],
        [second, 2],
      ]);
      expect(range[0]?.[1]).toEqual((await chain(store, ownerOf(owners, first)))[1]);
    });

    it('are as long together as their heads say', async () => {
      const before = await subject.store.audit.size();
      await subject.store.commit([insert(newRecord(subject.owner)), insert(newRecord(newOwner()))]);
      expect(await subject.store.audit.size()).toBe(before + 2);
    });
  });
}

async function headsOf(store: Store, after: string, count: number): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const page = await store.audit.heads(keys.at(-1) ?? after, 2);
    keys.push(...page.map(([owner]) => owner));
    if (page.length < 2 || keys.length >= count) return keys;
  }
}

function ownerOf(owners: readonly Owner[], key: string): Owner {
  return owners.find((owner) => ownerKey(owner) === key) ?? newOwner();
}
