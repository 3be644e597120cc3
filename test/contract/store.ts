import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import type { WrappedKey } from '../../src/model/envelope.ts';
import type { Owner } from '../../src/model/owner.ts';
import type { SecretFilter, SecretRecord } from '../../src/model/secret.ts';
import type { Store, StoreConflict } from '../../src/store/store.ts';
import {
  breakOf,
  byBytes,
  chain,
  countOf,
  insert,
  names,
  newOwner,
  newRecord,
  query,
  remove,
  sealed,
  update,
  withoutEnvelope,
} from './fixtures.ts';

/** What every store promises; an adapter's test is one call of this, and its own oddities. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`${name} as a store`, () => {
    let store: Store;
    let owner: Owner;

    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store?.close());

    async function stored(fields: Partial<SecretRecord> = {}): Promise<SecretRecord> {
      const record = newRecord(owner, fields);
      await store.commit([insert(record)]);
      return record;
    }

    /** The promise that nothing was written, whatever went before in the same commit. */
    async function expectConflict(changes: Parameters<Store['commit']>[0], expected: Partial<StoreConflict>) {
      const before = await snapshot();
      await expect(store.commit(changes)).rejects.toMatchObject({ name: 'StoreConflict', ...expected });
      expect(await snapshot()).toEqual(before);
    }

    async function snapshot() {
      const list = await store.list(query(owner));
      const records = await Promise.all(list.secrets.map(({ id }) => store.findRecord(id)));
      return { list, records, audit: await chain(store, owner) };
    }

    describe('a secret', () => {
      it.each<[string, Owner]>([
        ['user', { type: 'user', userId: `auth0|${randomUUID()}/ü` }],
        ['team', { type: 'team', teamId: `${randomUUID()} 𝒯` }],
        ['connector', { type: 'connector', teamId: randomUUID(), connectorId: 'a/b:c%' }],
      ])('of a %s comes back with every field as it went in', async (_, of) => {
        owner = of;
        const record = await stored({
          name: 'Ключ 鍵 🔑',
          provider: 'Ünïcode\u{1F600}',
          notes: 'two\nlines',
          tags: ['zeta', 'alpha', '標籤'],
        });
        expect(await store.findRecord(record.id)).toEqual(record);
        expect(await store.find(record.id)).toEqual(withoutEnvelope(record));
        expect((await store.list(query(owner))).secrets).toEqual([withoutEnvelope(record)]);
      });

      it('without a value, a provider, notes and tags comes back so', async () => {
        owner = newOwner();
        const record = await stored({ provider: null, notes: null, tags: [], maskedValue: null, sealed: null });
        expect(await store.findRecord(record.id)).toEqual(record);
      });

      it.each(['a\0b', '\0', 'ends with \0', ''])('keeps notes %j as they are', async (notes) => {
        owner = newOwner();
        const record = await stored({ notes });
        expect((await store.find(record.id))?.notes).toBe(notes);
        expect((await store.list(query(owner))).secrets[0]?.notes).toBe(notes);
      });

      it('shows no envelope in a find or a list', async () => {
        owner = newOwner();
        const { id } = await stored();
        expect(await store.find(id)).not.toHaveProperty('sealed');
        expect((await store.list(query(owner))).secrets[0]).not.toHaveProperty('sealed');
      });

      it('that is not there is undefined, also beside one that is', async () => {
        owner = newOwner();
        const { id } = await stored();
        const found = await Promise.all([store.find(randomUUID()), store.find(id), store.find(id)]);
        expect(found.map((secret) => secret?.id)).toEqual([undefined, id, id]);
        expect(await store.findRecord(randomUUID())).toBeUndefined();
      });
    });

    describe('an update', () => {
      it('replaces every field, and with a value the envelope', async () => {
        owner = newOwner();
        const record = await stored({ tags: ['old'] });
        const newSealed = sealed(2, 'second');
        const change = update(
          record,
          {
            name: 'renamed',
            provider: null,
            notes: 'n',
            tags: ['new', 'tags'],
            maskedValue: '••••',
            updatedAt: new Date(1),
          },
          newSealed,
        );
        await store.commit([change]);
        const expected = { ...(change as { secret: object }).secret, sealed: newSealed };
        expect(await store.findRecord(record.id)).toEqual(expected);
      });

      it('without a value keeps the envelope, and the version that it was sealed for', async () => {
        owner = newOwner();
        const record = await stored();
        await store.commit([update(record, { notes: 'only the notes' })]);
        const found = await store.findRecord(record.id);
        expect(found).toMatchObject({ version: 2, notes: 'only the notes', sealed: record.sealed });
      });

      it('gives a secret without a value its first one', async () => {
        owner = newOwner();
        const record = await stored({ sealed: null });
        const first = sealed(2);
        await store.commit([update(record, {}, first)]);
        expect((await store.findRecord(record.id))?.sealed).toEqual(first);
      });

      it('frees the old name and finds the secret by the new one', async () => {
        owner = newOwner();
        const record = await stored({ name: 'old', tags: ['t'] });
        await store.commit([update(record, { name: 'new' })]);
        await stored({ name: 'old', tags: ['t'] });
        expect(await names(store, owner, { filter: { tags: ['t'] } })).toEqual(['new', 'old']);
        expect(await names(store, owner, { filter: { name: 'new' } })).toEqual(['new']);
      });

      it('changes what tags and provider find it', async () => {
        owner = newOwner();
        const record = await stored({ name: 'n', tags: ['a', 'b'], provider: 'aws' });
        await store.commit([update(record, { tags: ['b', 'c'], provider: 'gcp' })]);
        expect(await names(store, owner, { filter: { tags: ['a'] } })).toEqual([]);
        expect(await names(store, owner, { filter: { tags: ['c', 'b'] } })).toEqual(['n']);
        expect(await names(store, owner, { filter: { provider: 'aws' } })).toEqual([]);
        expect(await names(store, owner, { filter: { provider: 'gcp' } })).toEqual(['n']);
      });

      it('keeps its own name and placeholder without a conflict', async () => {
        owner = newOwner();
        const record = await stored();
        await store.commit([update(record)]);
        expect(await store.find(record.id)).toMatchObject({ version: 2, name: record.name });
      });

      it('leaves the count as it is', async () => {
        owner = newOwner();
        await store.commit([update(await stored())]);
        expect(await countOf(store, owner)).toBe(1);
      });
    });

    describe('a delete', () => {
      it('takes the secret out of every answer and frees its id, name and placeholder', async () => {
        owner = newOwner();
        const record = await stored({ tags: ['t'] });
        await store.commit([remove(record)]);
        expect(await store.findRecord(record.id)).toBeUndefined();
        expect(await names(store, owner)).toEqual([]);
        expect(await names(store, owner, { filter: { tags: ['t'] } })).toEqual([]);
        expect(await countOf(store, owner)).toBe(0);
        await store.commit([insert(record)]);
        expect(await store.findRecord(record.id)).toEqual(record);
      });
    });

    describe('a conflict', () => {
      it('on the id is told, also when it is another owner who has it', async () => {
        owner = newOwner();
        const { id } = await stored();
        await expectConflict([insert(newRecord(owner, { id }))], { index: 0, on: 'id' });
        await expectConflict([insert(newRecord(newOwner(), { id }))], { index: 0, on: 'id' });
      });

      it('on the name is told for an insert and for an update', async () => {
        owner = newOwner();
        const { name } = await stored();
        const other = await stored();
        await expectConflict([insert(newRecord(owner, { name }))], { index: 0, on: 'name' });
        await expectConflict([update(other, { name })], { index: 0, on: 'name' });
      });

      it('on the placeholder is told for an insert and for an update', async () => {
        owner = newOwner();
        const { placeholder } = await stored();
        const other = await stored();
        await expectConflict([insert(newRecord(owner, { placeholder }))], { index: 0, on: 'placeholder' });
        await expectConflict([update(other, { placeholder })], { index: 0, on: 'placeholder' });
      });

      it('on several is told by id before name before placeholder', async () => {
        owner = newOwner();
        const { id, name, placeholder } = await stored();
        const other = await stored();
        await expectConflict([insert(newRecord(owner, { id, name, placeholder }))], { on: 'id' });
        await expectConflict([insert(newRecord(owner, { id: other.id, name, placeholder }))], { on: 'id' });
        await expectConflict([insert(newRecord(owner, { name, placeholder: other.placeholder }))], { on: 'name' });
        await expectConflict([update(other, { name, placeholder })], { on: 'name' });
        await expectConflict([update(other, { name, placeholder, version: 5 })], { on: 'version' });
      });

      it.each([1, 3])('on the version is told for an update to version %i of a secret at 1', async (version) => {
        owner = newOwner();
        const record = await stored();
        await expectConflict([update(record, { version })], { index: 0, on: 'version' });
      });

      it('on the version is told for a delete of another version', async () => {
        owner = newOwner();
        const record = await stored();
        await expectConflict([remove({ ...record, version: 2 })], { index: 0, on: 'version' });
      });

      it('on the version is told for a secret that is not there, or is another owner’s', async () => {
        owner = newOwner();
        const record = await stored();
        await expectConflict([update(newRecord(owner))], { on: 'version' });
        await expectConflict([remove(newRecord(owner))], { on: 'version' });
        await expectConflict([update(record, { owner: newOwner() })], { on: 'version' });
        await expectConflict([remove({ ...record, owner: newOwner() })], { on: 'version' });
      });

      it('does not arise between owners of one name and placeholder', async () => {
        owner = newOwner();
        const { name, placeholder } = await stored();
        const other = newRecord(newOwner(), { name, placeholder });
        await store.commit([insert(other)]);
        expect(await store.findRecord(other.id)).toEqual(other);
      });

      it('does not arise between names that differ in case, in an accent or after a NUL', async () => {
        owner = newOwner();
        const distinct = ['NAME', 'Name', 'Náme', 'Na\0me', 'Na\0mf'];
        await store.commit(distinct.map((name) => insert(newRecord(owner, { name }))));
        expect(await names(store, owner)).toEqual(distinct.toSorted(byBytes));
      });
    });

    describe('a commit of several changes', () => {
      it('writes all of them, each seeing those before it', async () => {
        owner = newOwner();
        const [kept, gone] = [await stored({ name: 'kept' }), await stored({ name: 'gone' })];
        const heir = newRecord(owner, { name: 'gone' });
        const renamed = update(kept, { name: 'renamed' });
        const newcomer = newRecord(owner, { name: 'kept' });
        await store.commit([
          remove(gone),
          insert(heir),
          renamed,
          insert(newcomer),
          update(newcomer, { notes: 'later' }),
        ]);
        const { secrets, totalCount } = await store.list(query(owner));
        expect(secrets.map(({ id, name, notes }) => ({ id, name, notes }))).toEqual([
          { id: heir.id, name: 'gone', notes: null },
          { id: newcomer.id, name: 'kept', notes: 'later' },
          { id: kept.id, name: 'renamed', notes: null },
        ]);
        expect(totalCount).toBe(3);
      });

      it('writes nothing when the last of them cannot be', async () => {
        owner = newOwner();
        const [first, second] = [await stored({ name: 'first', tags: ['t'] }), await stored({ name: 'second' })];
        const changes = [
          insert(newRecord(owner)),
          insert(newRecord(newOwner())),
          update(first, { name: 'moved', tags: [] }, sealed(2)),
          remove(second),
        ];
        await expectConflict([...changes, insert(newRecord(owner, { name: 'moved' }))], { index: 4, on: 'name' });
        await expectConflict([...changes, remove(second)], { index: 4, on: 'version' });
        await expectConflict([...changes, update(first)], { index: 4, on: 'version' });
      });

      it.each([0, 1, 2, 3])('tells the index of the one that cannot be: %i of 4', async (index) => {
        owner = newOwner();
        const { name } = await stored();
        const records = [0, 1, 2, 3].map((at) => newRecord(owner, at === index ? { name } : {}));
        await expectConflict(records.map(insert), { index, on: 'name' });
        const others = await Promise.all([0, 1, 2, 3].map(() => stored()));
        const stale = others.map((other, at) => update(other, at === index ? { version: 7 } : {}));
        await expectConflict(stale, { index, on: 'version' });
      });

      it('refuses two inserts of one name, and tells the second', async () => {
        owner = newOwner();
        const name = 'twice';
        const changes = [insert(newRecord(owner, { name })), insert(newRecord(owner, { name }))];
        await expectConflict(changes, { index: 1, on: 'name' });
      });

      it('moves the count and the chain of every owner in it', async () => {
        const [one, two] = [newOwner(), newOwner()];
        await store.commit([insert(newRecord(one)), insert(newRecord(two)), insert(newRecord(one))]);
        expect([await countOf(store, one), await countOf(store, two)]).toEqual([2, 1]);
        expect([(await chain(store, one)).length, (await chain(store, two)).length]).toEqual([2, 1]);
      });

      it('of 1,000 secrets is one', async () => {
        owner = newOwner();
        const records = Array.from({ length: 1000 }, () => newRecord(owner));
        await store.commit(records.map(insert));
        expect(await countOf(store, owner)).toBe(1000);
        expect(await names(store, owner)).toEqual(records.map((record) => record.name).toSorted(byBytes));
      });

      it('of none does nothing', async () => {
        await expect(store.commit([])).resolves.toBeUndefined();
      });
    });

    describe('commits at the same time', () => {
      it('of one owner are all written: 200 of them, with count and chain right', async () => {
        owner = newOwner();
        const records = Array.from({ length: 200 }, () => newRecord(owner));
        await Promise.all(records.map((record) => store.commit([insert(record)])));
        expect(await countOf(store, owner)).toBe(200);
        const events = await expectValidChain(store, owner);
        expect(events.map((event) => event.secretId).toSorted()).toEqual(records.map(({ id }) => id).toSorted());
      });

      it('to the same version: exactly one is written', async () => {
        owner = newOwner();
        const record = await stored();
        const changes = Array.from({ length: 20 }, (_, writer) => update(record, { notes: String(writer) }));
        const outcomes = await Promise.allSettled(changes.map((change) => store.commit([change])));
        const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
        expect(lost.map((outcome) => outcome.reason)).toEqual(
          lost.map(() => expect.objectContaining({ name: 'StoreConflict', index: 0, on: 'version' })),
        );
        expect(lost).toHaveLength(19);
        const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
        expect(await store.find(record.id)).toMatchObject({ version: 2, notes: String(winner) });
        expect((await expectValidChain(store, owner)).length).toBe(2);
      });

      it('with one name: exactly one is written', async () => {
        owner = newOwner();
        const records = Array.from({ length: 20 }, () => newRecord(owner, { name: 'wanted' }));
        const outcomes = await Promise.allSettled(records.map((record) => store.commit([insert(record)])));
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
        expect(await countOf(store, owner)).toBe(1);
      });

      it.each([1, 3])('are not affected by %i of 64 that cannot be', async (bad) => {
        owner = newOwner();
        const { name } = await stored();
        const owners = [owner, newOwner(), newOwner()];
        const records = Array.from({ length: 64 }, (_, index) => {
          const isBad = index % 21 === 20 && index / 21 < bad;
          return isBad ? newRecord(owner, { name }) : newRecord(owners[index % 3] ?? owner);
        });
        const outcomes = await Promise.allSettled(records.map((record) => store.commit([insert(record)])));
        for (const [index, outcome] of outcomes.entries()) {
          const isBad = records[index]?.name === name;
          expect(outcome.status).toBe(isBad ? 'rejected' : 'fulfilled');
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ index: 0, on: 'name' });
          const id = records[index]?.id ?? '';
          expect((await store.find(id))?.id).toBe(isBad ? undefined : id);
        }
        for (const one of owners) await expectValidChain(store, one);
      });

      it('of mixed kinds and owners all hold', async () => {
        const owners = [newOwner(), newOwner()];
        const before = owners.flatMap((of) => Array.from({ length: 10 }, () => newRecord(of)));
        await store.commit(before.map(insert));
        const after = owners.flatMap((of) => Array.from({ length: 10 }, () => newRecord(of)));
        await Promise.all([
          ...before.map((record, index) => store.commit([index % 2 ? remove(record) : update(record, { notes: 'x' })])),
          ...after.map((record) => store.commit([insert(record)])),
        ]);
        for (const of of owners) {
          expect(await countOf(store, of)).toBe(15);
          expect(await names(store, of)).toHaveLength(15);
          expect(await expectValidChain(store, of)).toHaveLength(30);
        }
      });
    });

    describe('the audit chain', () => {
      it('has one event per change, in order, that says what was done', async () => {
        owner = newOwner();
        const record = await stored();
        await store.commit([update(record)]);
        await store.commit([remove({ ...record, version: 2 })]);
        const events = await expectValidChain(store, owner);
        expect(
          events.map(({ sequence, type, secretId, version, actor, requestId }) => [
            sequence,
            type,
            secretId,
            version,
            actor.kind,
            actor.id,
            requestId,
          ]),
        ).toEqual([
          [1, 'secret.created', record.id, 1, 'user', 'ada', 'request-1'],
          [2, 'secret.updated', record.id, 2, 'user', 'ada', 'request-1'],
          [3, 'secret.deleted', record.id, 2, 'user', 'ada', 'request-1'],
        ]);
        expect(events[0]?.at).toEqual(record.createdAt);
      });

      it('is read from any place, as far as asked', async () => {
        owner = newOwner();
        await store.commit(Array.from({ length: 5 }, () => insert(newRecord(owner))));
        const sequences = async (after: number, limit: number) =>
          (await store.auditEvents(owner, after, limit)).map((event) => event.sequence);
        expect(await sequences(0, 2)).toEqual([1, 2]);
        expect(await sequences(2, 2)).toEqual([3, 4]);
        expect(await sequences(4, 2)).toEqual([5]);
        expect(await sequences(5, 2)).toEqual([]);
        expect(await sequences(0, 0)).toEqual([]);
      });

      it('of an owner without events is empty', async () => {
        expect(await chain(store, newOwner())).toEqual([]);
      });
    });

    describe('a list', () => {
      /** In the order of their UTF-8 bytes. JavaScript's `<` would put the emoji before U+FFFD and U+E000's kin. */
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
        owner = newOwner();
        await Promise.all(scripts.map((name) => stored({ name })));
        expect(await names(store, owner)).toEqual(scripts.toSorted(byBytes));
        expect((await names(store, owner)).indexOf('\uFFFD')).toBeLessThan(
          (await names(store, owner)).indexOf('\u{1F600}'),
        );
      });

      it.each(['start', 'end'] as const)('pages from the %s through all of them, each once', async (from) => {
        owner = newOwner();
        await store.commit(scripts.map((name) => insert(newRecord(owner, { name }))));
        const sorted = scripts.toSorted(byBytes);
        for (const limit of [1, 3, scripts.length]) {
          const pages: string[][] = [];
          for (let place = {}, hasMore = true; hasMore; ) {
            const page = await store.list(query(owner, { from, limit, ...place }));
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

      it('between two places leaves both out, and counts from the asked end', async () => {
        owner = newOwner();
        await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => stored({ name })));
        const range = { after: { name: 'a', id: '' }, before: { name: 'e', id: '' } };
        const asked = (from: 'start' | 'end', limit: number) => store.list(query(owner, { ...range, from, limit }));
        expect(await asked('start', 2)).toMatchObject({ hasMore: true, secrets: [{ name: 'b' }, { name: 'c' }] });
        expect(await asked('end', 2)).toMatchObject({ hasMore: true, secrets: [{ name: 'c' }, { name: 'd' }] });
        expect(await asked('start', 3)).toMatchObject({ hasMore: false, totalCount: 5 });
        expect(await names(store, owner, { ...range, before: { name: 'b', id: '' } })).toEqual([]);
      });

      it('goes on from a place where nothing is any more', async () => {
        owner = newOwner();
        await Promise.all(['a', 'c'].map((name) => stored({ name })));
        expect(await names(store, owner, { after: { name: 'b', id: randomUUID() } })).toEqual(['c']);
        expect(await names(store, owner, { before: { name: 'b', id: randomUUID() } })).toEqual(['a']);
      });

      it('with limit 0 reads no secrets, and still counts', async () => {
        owner = newOwner();
        await stored();
        expect(await store.list(query(owner, { limit: 0 }))).toEqual({ secrets: [], hasMore: false, totalCount: 1 });
        const nothing = { limit: 0, count: false };
        expect(await store.list(query(owner, nothing))).toEqual({ secrets: [], hasMore: false, totalCount: null });
      });

      it('counts only when asked', async () => {
        owner = newOwner();
        await stored();
        expect((await store.list(query(owner, { count: false }))).totalCount).toBeNull();
        expect((await store.list(query(owner, { count: false, filter: { provider: 'aws' } }))).totalCount).toBeNull();
      });

      it('of an owner without secrets is empty, with count 0', async () => {
        const empty = { secrets: [], hasMore: false, totalCount: 0 };
        expect(await store.list(query(newOwner()))).toEqual(empty);
        expect(await store.list(query(newOwner(), { filter: { provider: 'aws' } }))).toEqual(empty);
      });

      it('of a team holds nothing of its connectors, and theirs nothing of it', async () => {
        const teamId = randomUUID();
        const team: Owner = { type: 'team', teamId };
        const connector: Owner = { type: 'connector', teamId, connectorId: 'c' };
        await store.commit([insert(newRecord(team, { name: 'x' })), insert(newRecord(connector, { name: 'y' }))]);
        expect(await names(store, team)).toEqual(['x']);
        expect(await names(store, connector)).toEqual(['y']);
        expect(await countOf(store, team)).toBe(1);
      });

      it('asked for beside others answers as it would alone', async () => {
        const owners = [newOwner(), newOwner(), newOwner()];
        const records = owners.flatMap((of, index) =>
          Array.from({ length: index + 2 }, (_, nth) => newRecord(of, { provider: nth % 2 ? 'gcp' : 'aws' })),
        );
        await store.commit(records.map(insert));
        const queries = [...owners, newOwner()].flatMap((of) => [
          query(of),
          query(of, { limit: 1 }),
          query(of, { from: 'end', limit: 2, count: false }),
          query(of, { limit: 0 }),
          query(of, { limit: 0, count: false }),
          query(of, { filter: { provider: 'gcp' } }),
          query(of, { filter: { provider: 'none' }, limit: 0 }),
        ]);
        const together = await Promise.all(queries.map((one) => store.list(one)));
        for (const [index, one] of queries.entries()) expect(together[index]).toEqual(await store.list(one));
        expect(together[0]).toMatchObject({ totalCount: 2, secrets: { length: 2 } });
      });
    });

    describe('a filter', () => {
      const filtered: Owner = newOwner();
      const secrets: readonly SecretRecord[] = [
        newRecord(filtered, { name: 'API_KEY', provider: 'aws', tags: ['prod', 'eu'] }),
        newRecord(filtered, { name: 'API_SECRET', provider: 'gcp', tags: ['prod', 'us'] }),
        newRecord(filtered, { name: 'API', provider: null, tags: [] }),
        newRecord(filtered, { name: 'api_key', provider: 'AWS', tags: ['Prod'] }),
        newRecord(filtered, { name: 'APJ', provider: 'aws', tags: ['eu', 'prod', 'blue'] }),
        newRecord(filtered, { name: '%_*.', provider: 'aws', tags: ['%'] }),
        newRecord(filtered, { name: '中文', provider: 'aws' }),
        newRecord(filtered, { name: '\uD7FF1', provider: 'aws' }),
        newRecord(filtered, { name: '\uFFFD', provider: 'aws' }),
        newRecord(filtered, { name: '\u{10FFFF}\u{10FFFF}', provider: 'aws' }),
      ];
      const placeholder = secrets[1]?.placeholder ?? '';

      beforeAll(() => store.commit(secrets.map(insert)));

      it.each<[string, SecretFilter, (secret: SecretRecord) => boolean]>([
        ['name', { name: 'API_KEY' }, ({ name }) => name === 'API_KEY'],
        ['name that is none', { name: 'API_KEY ' }, () => false],
        ['nameStartsWith', { nameStartsWith: 'API' }, ({ name }) => name.startsWith('API')],
        ['nameStartsWith of pattern characters', { nameStartsWith: '%_' }, ({ name }) => name.startsWith('%_')],
        ['nameStartsWith of the whole name', { nameStartsWith: '中文' }, ({ name }) => name === '中文'],
        ['nameStartsWith before the surrogates', { nameStartsWith: '\uD7FF' }, ({ name }) => name === '\uD7FF1'],
        [
          'nameStartsWith of the last character',
          { nameStartsWith: '\u{10FFFF}' },
          ({ name }) => name.startsWith('\u{10FFFF}'),
        ],
        ['nameStartsWith of nothing', { nameStartsWith: '' }, () => true],
        ['provider', { provider: 'aws' }, ({ provider }) => provider === 'aws'],
        ['one tag', { tags: ['prod'] }, ({ tags }) => tags.includes('prod')],
        [
          'several tags, all of them',
          { tags: ['prod', 'eu'] },
          ({ tags }) => tags.includes('eu') && tags.includes('prod'),
        ],
        ['tags that nothing has together', { tags: ['us', 'eu'] }, () => false],
        ['one tag twice', { tags: ['us', 'us'] }, ({ tags }) => tags.includes('us')],
        ['no tags', { tags: [] }, () => true],
        ['placeholder', { placeholder }, (secret) => secret.placeholder === placeholder],
        ['nothing', {}, () => true],
        [
          'all at once',
          { name: 'API_SECRET', nameStartsWith: 'API_', provider: 'gcp', tags: ['us', 'prod'], placeholder },
          ({ name }) => name === 'API_SECRET',
        ],
        ['two that exclude each other', { name: 'API_KEY', nameStartsWith: 'API_S' }, () => false],
      ])('by %s lets through those and counts them', async (_, filter, matches) => {
        const expected = secrets
          .filter(matches)
          .map((secret) => secret.name)
          .toSorted(byBytes);
        const { secrets: found, totalCount } = await store.list(query(filtered, { filter }));
        expect(found.map((secret) => secret.name)).toEqual(expected);
        expect(totalCount).toBe(expected.length);
        expect(await names(store, filtered, { filter, from: 'end' })).toEqual(expected);
        const paged = await store.list(query(filtered, { filter, limit: 1, after: { name: 'API_KEY', id: '' } }));
        const rest = expected.filter((name) => byBytes(name, 'API_KEY') > 0);
        expect(paged.secrets.map((secret) => secret.name)).toEqual(rest.slice(0, 1));
        expect(paged).toMatchObject({ hasMore: rest.length > 1, totalCount: expected.length });
      });

      it('finds nothing of another owner', async () => {
        expect(await names(store, newOwner(), { filter: { placeholder } })).toEqual([]);
      });
    });

    describe('a counter', () => {
      it('adds up what each key has in its window, and tells when that ends', async () => {
        const counter = store.counter(60);
        const key = randomUUID();
        expect((await counter.add(key, 3)).count).toBe(3);
        const second = await counter.add(key, 4);
        expect(second.count).toBe(7);
        expect(second.resetsInMs).toBeLessThanOrEqual(60_000);
        expect(second.resetsInMs).toBeGreaterThan(50_000);
        expect((await counter.add(randomUUID(), 1)).count).toBe(1);
        expect((await store.counter(30).add(key, 1)).count).toBe(1);
      });

      it('loses no point of many that come at once', async () => {
        const counter = store.counter(60);
        const key = randomUUID();
        await Promise.all(Array.from({ length: 50 }, () => counter.add(key, 2)));
        expect((await counter.add(key, 1)).count).toBe(101);
      });

      it('begins anew when its window has ended', async () => {
        const counter = store.counter(1);
        const key = randomUUID();
        await counter.add(key, 100);
        const once = { timeout: 5000, interval: 50 };
        await expect.poll(async () => (await counter.add(key, 1)).count, once).toBeLessThan(100);
      });
    });

    describe('wrapped keys', () => {
      const rewrapped = (key: WrappedKey): WrappedKey => ({
        ...key,
        kid: 'kek-2',
        encryptedKey: `${key.encryptedKey}2`,
      });
      let fresh: Store;
      let records: SecretRecord[];

      beforeEach(async () => {
        fresh = await open();
        records = [newOwner(), newOwner()]
          .flatMap((of) => [newRecord(of), newRecord(of), newRecord(of, { sealed: null })])
          .toSorted((a, b) => byBytes(a.id, b.id));
        for (const record of records) await fresh.commit([insert(record)]);
      });
      afterEach(() => fresh.close());

      it('are those of every value of every owner, in the order of ids, in pages that leave none out', async () => {
        const all = await fresh.wrappedKeys('', 100);
        const { header, encrypted_key } = sealed().envelope;
        expect(all).toEqual(
          records
            .filter((record) => record.sealed)
            .map(({ id }) => ({ secretId: id, kid: header.kid, encryptedKey: encrypted_key })),
        );
        const pages: WrappedKey[] = [];
        for (let page = await fresh.wrappedKeys('', 1); page[0]; page = await fresh.wrappedKeys(page[0].secretId, 1)) {
          expect(page).toHaveLength(1);
          pages.push(...page);
        }
        expect(pages).toEqual(all);
      });

      it('are replaced, and nothing else of their secrets', async () => {
        const [from, other] = await fresh.wrappedKeys('', 100);
        if (!from || !other) throw new Error('there are four');
        const before = await fresh.findRecord(from.secretId);
        const untouched = await fresh.findRecord(other.secretId);
        expect(await fresh.replaceWrappedKeys([{ from, to: rewrapped(from) }])).toBe(1);
        const after = await fresh.findRecord(from.secretId);
        const envelope = before?.sealed && {
          ...before.sealed.envelope,
          header: { alg: 'A256KW', kid: 'kek-2' },
          encrypted_key: 'encryptedKey2',
        };
        expect(after).toEqual({ ...before, sealed: { ...before?.sealed, envelope } });
        expect(await fresh.findRecord(other.secretId)).toEqual(untouched);
        expect(await fresh.wrappedKeys('', 1)).toEqual([rewrapped(from)]);
      });

      it('are left as they are where they changed meanwhile, and where their secret is gone', async () => {
        const all = await fresh.wrappedKeys('', 100);
        const [changed, gone] = records.filter((record) => record.sealed);
        if (!changed || !gone) throw new Error('there are four');
        const anew = { ...sealed(2), envelope: { ...sealed().envelope, encrypted_key: 'anew' } };
        await fresh.commit([update(changed, {}, anew), remove(gone)]);
        expect(await fresh.replaceWrappedKeys(all.map((from) => ({ from, to: rewrapped(from) })))).toBe(2);
        expect((await fresh.findRecord(changed.id))?.sealed).toEqual(anew);
        expect(await fresh.findRecord(gone.id)).toBeUndefined();
      });

      it('of none are none', async () => {
        expect(await fresh.replaceWrappedKeys([])).toBe(0);
      });
    });

    describe('as a whole', () => {
      it('is empty until its first secret, and never again, though that is deleted', async () => {
        const fresh = await open();
        try {
          expect(await fresh.isEmpty()).toBe(true);
          const record = newRecord(newOwner());
          await fresh.commit([insert(record)]);
          expect(await fresh.isEmpty()).toBe(false);
          await fresh.commit([remove(record)]);
          expect(await fresh.isEmpty()).toBe(false);
        } finally {
          await fresh.close();
        }
      });

      it('writes what was asked for before it closes, and is unavailable after', async () => {
        const fresh = await open();
        const record = newRecord(newOwner());
        expect(await fresh.check()).toBeUndefined();
        const written = fresh.commit([insert(record)]);
        await fresh.close();
        await expect(written).resolves.toBeUndefined();
        const unavailable = expect.objectContaining({ name: 'DomainError', code: 'SERVICE_UNAVAILABLE' });
        await expect(fresh.check()).rejects.toEqual(unavailable);
        await expect(fresh.find(record.id)).rejects.toEqual(unavailable);
        await expect(fresh.findRecord(record.id)).rejects.toEqual(unavailable);
        await expect(fresh.list(query(record.owner))).rejects.toEqual(unavailable);
        await expect(fresh.auditEvents(record.owner, 0, 1)).rejects.toEqual(unavailable);
        await expect(fresh.wrappedKeys('', 1)).rejects.toEqual(unavailable);
        const wrapped = { secretId: record.id, kid: 'kek-1', encryptedKey: 'encryptedKey' };
        await expect(fresh.replaceWrappedKeys([{ from: wrapped, to: wrapped }])).rejects.toEqual(unavailable);
        const refused = await fresh.commit([insert(newRecord(newOwner()))]).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(DomainError);
        expect(refused).toMatchObject({
          code: 'SERVICE_UNAVAILABLE',
          details: { retryAfterSeconds: expect.any(Number) },
        });
        await expect(fresh.close()).resolves.toBeUndefined();
      });
    });
  });
}

/** Whole: contiguous from 1 on, each link naming the one before, each hash the one that the event's own words give. */
async function expectValidChain(store: Store, owner: Owner) {
  const events = await chain(store, owner);
  expect(breakOf(events, owner)).toBeNull();
  return events;
}
