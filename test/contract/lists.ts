import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import type { SecretFilter, SecretRecord } from '../../src/model/secret.ts';
import type { HealthStatus, SecretHealth } from '../../src/model/secret-health.ts';
import { byBytes, countOf, insert, names, newOwner, newRecord, query } from './fixtures.ts';
import type { Subject } from './subject.ts';

/** Which secrets of an owner are listed, in what order, and how many there are. */
export function listsContract(subject: Subject): void {
  describe('a list', () => {
    /** In the order of their UTF-8 bytes. JavaScript's `<` would sort the emoji before U+E000 to U+FFFF. */
    const scripts = [
      'Z',
      '_',
      'a',
      'ab',
      'b',
      'é',
      'я',
      'א',
      'ع',
      'ก',
      '中',
      '中文',
      '한',
      '\uFB01',
      '\uFFFD',
      '\u{1F600}',
      '𠀀',
    ];

    it('is in the order of the UTF-8 bytes of the names', async () => {
      await Promise.all(scripts.map((name) => subject.stored({ name })));
      expect(await names(subject.store, subject.owner)).toEqual(scripts.toSorted(byBytes));
      expect((await names(subject.store, subject.owner)).indexOf('\uFFFD')).toBeLessThan(
        (await names(subject.store, subject.owner)).indexOf('\u{1F600}'),
      );
    });

    it.each(['start', 'end'] as const)('has every secret once in its pages from the %s', async (from) => {
      await subject.store.commit(scripts.map((name) => insert(newRecord(subject.owner, { name }))));
      const sorted = scripts.toSorted(byBytes);
      for (const limit of [1, 3, scripts.length]) {
        const pages: string[][] = [];
        for (let place = {}, hasMore = true; hasMore; ) {
          const page = await subject.store.list(query(subject.owner, { from, limit, ...place }));
          expect(page.totalCount).toBe(scripts.length);
          pages.push(page.secrets.map((secret) => secret.name));
          const edge = page.secrets.at(from === 'start' ? -1 : 0);
          place = from === 'start' ? { after: edge } : { before: edge };
          hasMore = page.hasMore;
        }
        expect(pages).toHaveLength(Math.ceil(scripts.length / limit));
        expect((from === 'start' ? pages : pages.reverse()).flat()).toEqual(sorted);
      }
    });

    it('between two positions leaves both out, and begins at the requested end', async () => {
      await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => subject.stored({ name })));
      const range = { after: { name: 'a', id: '' }, before: { name: 'e', id: '' } };
      const asked = (from: 'start' | 'end', limit: number) =>
        subject.store.list(query(subject.owner, { ...range, from, limit }));
      expect(await asked('start', 2)).toMatchObject({ hasMore: true, secrets: [{ name: 'b' }, { name: 'c' }] });
      expect(await asked('end', 2)).toMatchObject({ hasMore: true, secrets: [{ name: 'c' }, { name: 'd' }] });
      expect(await asked('start', 3)).toMatchObject({ hasMore: false, totalCount: 5 });
      expect(await names(subject.store, subject.owner, { ...range, before: { name: 'b', id: '' } })).toEqual([]);
    });

    it('continues from a position whose secret was deleted', async () => {
      await Promise.all(['a', 'c'].map((name) => subject.stored({ name })));
      expect(await names(subject.store, subject.owner, { after: { name: 'b', id: randomUUID() } })).toEqual(['c']);
      expect(await names(subject.store, subject.owner, { before: { name: 'b', id: randomUUID() } })).toEqual(['a']);
    });

    it('with limit 0 returns no secrets, and still counts', async () => {
      await subject.stored();
      expect(await subject.store.list(query(subject.owner, { limit: 0 }))).toEqual({
        secrets: [],
        hasMore: false,
        totalCount: 1,
      });
      const nothing = { limit: 0, count: false };
      expect(await subject.store.list(query(subject.owner, nothing))).toEqual({
        secrets: [],
        hasMore: false,
        totalCount: null,
      });
    });

    it('counts only when requested', async () => {
      await subject.stored();
      expect((await subject.store.list(query(subject.owner, { count: false }))).totalCount).toBeNull();
      expect(
        (await subject.store.list(query(subject.owner, { count: false, filter: { provider: 'aws' } }))).totalCount,
      ).toBeNull();
    });

    it('of an owner without secrets is empty, with count 0', async () => {
      const empty = { secrets: [], hasMore: false, totalCount: 0 };
      expect(await subject.store.list(query(newOwner()))).toEqual(empty);
      expect(await subject.store.list(query(newOwner(), { filter: { provider: 'aws' } }))).toEqual(empty);
    });

    it('of a team has no secrets of its connectors, and their lists have none of the team', async () => {
      const teamId = randomUUID();
      const team: Owner = { type: 'team', teamId };
      const connector: Owner = { type: 'connector', teamId, connectorId: 'c' };
      await subject.store.commit([insert(newRecord(team, { name: 'x' })), insert(newRecord(connector, { name: 'y' }))]);
      expect(await names(subject.store, team)).toEqual(['x']);
      expect(await names(subject.store, connector)).toEqual(['y']);
      expect(await countOf(subject.store, team)).toBe(1);
    });

    it('requested together with others returns the same as alone', async () => {
      const owners = [newOwner(), newOwner(), newOwner()];
      const records = owners.flatMap((of, index) =>
        Array.from({ length: index + 2 }, (_, nth) => newRecord(of, { provider: nth % 2 ? 'gcp' : 'aws' })),
      );
      await subject.store.commit(records.map(insert));
      const queries = [...owners, newOwner()].flatMap((of) => [
        query(of),
        query(of, { limit: 1 }),
        query(of, { from: 'end', limit: 2, count: false }),
        query(of, { limit: 0 }),
        query(of, { limit: 0, count: false }),
        query(of, { filter: { provider: 'gcp' } }),
        query(of, { filter: { provider: 'none' }, limit: 0 }),
      ]);
      const together = await Promise.all(queries.map((one) => subject.store.list(one)));
      for (const [index, one] of queries.entries()) expect(together[index]).toEqual(await subject.store.list(one));
      expect(together[0]).toMatchObject({ totalCount: 2, secrets: { length: 2 } });
    });
  });

  describe('a filter', () => {
    const filtered: Owner = newOwner();
    /** Each to the millisecond. */
    const day = (of: number) => new Date(`2031-01-0${of}T00:00:00.000Z`);
    const health = (status: HealthStatus): SecretHealth => ({ status, checkedAt: day(1), source: 'CHECK' });
    const rejected = (secret: SecretRecord) => secret.health?.status === 'REJECTED';
    const usedAt = ({ lastUsedAt }: SecretRecord) => lastUsedAt?.getTime() ?? -Infinity;
    const just = (after: Date, ms = 1) => new Date(after.getTime() + ms);
    const lasts = ({ expiresAt }: SecretRecord) => expiresAt?.getTime() ?? Infinity;
    const secrets: readonly SecretRecord[] = [
      newRecord(filtered, {
        ...{ name: 'API_KEY', provider: 'aws', tags: ['prod', 'eu'] },
        ...{ health: health('VALID'), lastUsedAt: day(1) },
      }),
      newRecord(filtered, {
        ...{ name: 'API_SECRET', provider: 'gcp', tags: ['prod', 'us'] },
        ...{ health: health('REJECTED'), lastUsedAt: day(2) },
      }),
      newRecord(filtered, { name: 'API', provider: null, tags: [], expiresAt: day(2), updatedAt: day(2) }),
      newRecord(filtered, { name: 'api_key', provider: 'AWS', tags: ['Prod'] }),
      newRecord(filtered, {
        name: 'APJ',
        provider: 'aws',
        tags: ['eu', 'prod', 'blue'],
        expiresAt: day(2),
        sealed: null,
      }),
      newRecord(filtered, {
        ...{ name: '%_*.', provider: 'aws', tags: ['%'], expiresAt: day(1), updatedAt: day(3) },
        ...{ health: health('REJECTED'), lastUsedAt: day(3) },
      }),
      newRecord(filtered, {
        ...{ name: '中文', provider: 'aws', expiresAt: day(3), updatedAt: day(1) },
        ...{ health: health('REJECTED'), lastUsedAt: new Date(0) },
      }),
      newRecord(filtered, { name: '\uD7FF1', provider: 'aws' }),
      newRecord(filtered, { name: '\uFFFD', provider: 'aws', sealed: null, expiresAt: new Date(0) }),
      newRecord(filtered, { name: '\u{10FFFF}\u{10FFFF}', provider: 'aws' }),
    ];
    const placeholder = secrets[1]?.placeholder ?? '';

    beforeAll(() => subject.store.commit(secrets.map(insert)));

    it.each<[string, SecretFilter, (secret: SecretRecord) => boolean]>([
      ['name', { name: 'API_KEY' }, ({ name }) => name === 'API_KEY'],
      ['a name that no secret has', { name: 'API_KEY ' }, () => false],
      ['nameStartsWith', { nameStartsWith: 'API' }, ({ name }) => name.startsWith('API')],
      ['nameStartsWith of pattern characters', { nameStartsWith: '%_' }, ({ name }) => name.startsWith('%_')],
      ['nameStartsWith of the whole name', { nameStartsWith: '中文' }, ({ name }) => name === '中文'],
      ['nameStartsWith before the surrogates', { nameStartsWith: '\uD7FF' }, ({ name }) => name === '\uD7FF1'],
      [
        'nameStartsWith of the last character',
        { nameStartsWith: '\u{10FFFF}' },
        ({ name }) => name.startsWith('\u{10FFFF}'),
      ],
      ['an empty nameStartsWith', { nameStartsWith: '' }, () => true],
      ['provider', { provider: 'aws' }, ({ provider }) => provider === 'aws'],
      ['one tag', { tags: ['prod'] }, ({ tags }) => tags.includes('prod')],
      [
        'several tags, all of them',
        { tags: ['prod', 'eu'] },
        ({ tags }) => tags.includes('eu') && tags.includes('prod'),
      ],
      ['tags that no secret has together', { tags: ['us', 'eu'] }, () => false],
      ['one tag twice', { tags: ['us', 'us'] }, ({ tags }) => tags.includes('us')],
      ['no tags', { tags: [] }, () => true],
      ['placeholder', { placeholder }, (secret) => secret.placeholder === placeholder],
      ['expiresBefore', { expiresBefore: day(3) }, (secret) => lasts(secret) < day(3).getTime()],
      ['expiresBefore, exclusive', { expiresBefore: day(2) }, (secret) => lasts(secret) < day(2).getTime()],
      [
        'expiresBefore, to the millisecond',
        { expiresBefore: just(day(2)) },
        (secret) => lasts(secret) <= day(2).getTime(),
      ],
      [
        'expiresBefore all that can expire',
        { expiresBefore: just(day(3), 1e12) },
        ({ expiresAt }) => expiresAt !== null,
      ],
      ['expiresBefore what expires first', { expiresBefore: new Date(0) }, () => false],
      ['notUpdatedSince, exclusive', { notUpdatedSince: day(2) }, ({ updatedAt }) => updatedAt < day(2)],
      ['notUpdatedSince', { notUpdatedSince: just(day(2)) }, ({ updatedAt }) => updatedAt <= day(2)],
      ['notUpdatedSince long ago', { notUpdatedSince: new Date(0) }, () => false],
      ['hasValue', { hasValue: true }, (secret) => secret.sealed !== null],
      ['no value', { hasValue: false }, (secret) => secret.sealed === null],
      ['health', { health: 'REJECTED' }, rejected],
      ['a health that no secret has', { health: 'UNREACHABLE' }, () => false],
      ['notUsedSince, exclusive', { notUsedSince: day(2) }, (secret) => usedAt(secret) < day(2).getTime()],
      ['notUsedSince', { notUsedSince: just(day(2)) }, (secret) => usedAt(secret) <= day(2).getTime()],
      ['notUsedSince the first use', { notUsedSince: new Date(0) }, ({ lastUsedAt }) => lastUsedAt === null],
      [
        'health and notUsedSince',
        { health: 'REJECTED', notUsedSince: day(3) },
        (secret) => rejected(secret) && usedAt(secret) < day(3).getTime(),
      ],
      [
        'health, notUsedSince, times and value',
        { health: 'REJECTED', notUsedSince: just(day(3)), expiresBefore: day(3), hasValue: true },
        ({ name }) => name === '%_*.',
      ],
      [
        'notUsedSince, notUpdatedSince and a prefix',
        { notUsedSince: day(2), notUpdatedSince: day(3), nameStartsWith: 'API' },
        (secret) => secret.name.startsWith('API') && usedAt(secret) < day(2).getTime(),
      ],
      [
        'health, notUsedSince and a provider',
        { health: 'REJECTED', notUsedSince: day(3), provider: 'aws' },
        ({ name }) => name === '中文',
      ],
      [
        'health, notUsedSince and tags',
        { health: 'REJECTED', notUsedSince: day(3), tags: ['us', 'prod'] },
        ({ name }) => name === 'API_SECRET',
      ],
      [
        'times, value and a prefix',
        { expiresBefore: day(3), notUpdatedSince: day(3), hasValue: false, nameStartsWith: 'AP' },
        ({ name }) => name === 'APJ',
      ],
      [
        'times, value, provider and tags',
        { expiresBefore: day(3), notUpdatedSince: day(3), hasValue: false, provider: 'aws', tags: ['eu', 'blue'] },
        ({ name }) => name === 'APJ',
      ],
      ['nothing', {}, () => true],
      [
        'all at once',
        { name: 'API_SECRET', nameStartsWith: 'API_', provider: 'gcp', tags: ['us', 'prod'], placeholder },
        ({ name }) => name === 'API_SECRET',
      ],
      ['two that exclude each other', { name: 'API_KEY', nameStartsWith: 'API_S' }, () => false],
    ])('by %s returns the matching secrets and counts them', async (_, filter, matches) => {
      const expected = secrets
        .filter(matches)
        .map((secret) => secret.name)
        .toSorted(byBytes);
      const { secrets: found, totalCount } = await subject.store.list(query(filtered, { filter }));
      expect(found.map((secret) => secret.name)).toEqual(expected);
      expect(totalCount).toBe(expected.length);
      expect(await names(subject.store, filtered, { filter, from: 'end' })).toEqual(expected);
      const paged = await subject.store.list(query(filtered, { filter, limit: 1, after: { name: 'API_KEY', id: '' } }));
      const rest = expected.filter((name) => byBytes(name, 'API_KEY') > 0);
      expect(paged.secrets.map((secret) => secret.name)).toEqual(rest.slice(0, 1));
      expect(paged).toMatchObject({ hasMore: rest.length > 1, totalCount: expected.length });
    });

    it('returns nothing of another owner', async () => {
      expect(await names(subject.store, newOwner(), { filter: { placeholder } })).toEqual([]);
    });
  });
}
