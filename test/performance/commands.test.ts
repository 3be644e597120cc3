import { jwtVerify } from 'jose/jwt/verify';
import type { CommandStartedEvent } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { type GraphQLAnswer, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';

// Counts what a request costs, since counts are the same on every machine. benchmark/ measures how long it takes.

const observed = vi.hoisted(() => ({ commands: [] as string[] }));

// Spies on the real store and the real jose: neither the configuration nor the log of the gateway shows each command.
vi.mock('../../src/store/open-store.ts', async () => {
  const { openMongodbStore } = await import('../../src/store/mongodb/mongodb-store.ts');
  const onCommand = ({ commandName }: CommandStartedEvent) => observed.commands.push(commandName);
  const openStore: typeof import('../../src/store/open-store.ts').openStore = (databaseUrl, options) =>
    openMongodbStore(databaseUrl, { ...options, onCommand });
  return { openStore };
});
vi.mock('jose/jwt/verify', async (original) => {
  const jose = await original<typeof import('jose/jwt/verify')>();
  return { ...jose, jwtVerify: vi.fn(jose.jwtVerify) };
});

const fields = 'id name placeholder maskedValue tags version createdAt updatedAt';
const list = `{ secrets(owner: { teamId: "red" }, first: 20) { totalCount nodes { ${fields} } } }`;
const create = createSecret(fields);
const update = updateSecret(fields);
const owner = { teamId: 'red' };
const aTransaction = { create: ['find', 'insert', 'insert', 'insert', 'update', 'commitTransaction'] };

describe.skipIf(!inject('mongodbUri'))('what a request costs', () => {
  let gateway: TestGateway;
  let ids: string[] = [];

  beforeAll(async () => {
    gateway = await TestGateway.start('mongodb', { RATE_LIMIT: 'off' });
    const created = await Promise.all(Array.from({ length: 100 }, (_, n) => createNamed(`there before ${n}`)));
    ids = created.map(({ data }) => data.createSecret.secret.id);
  });
  afterAll(() => gateway.close());
  beforeEach(() => {
    observed.commands = [];
  });

  const createNamed = (name: string, more = {}) => gateway.run(create, { input: { owner, name, ...more } });
  const countOf = (command: string) => observed.commands.filter((name) => name === command).length;

  function expectData(answers: readonly GraphQLAnswer[]): void {
    for (const { status, errors } of answers) expect([status, errors]).toEqual([200, []]);
  }

  describe('in commands to MongoDB', () => {
    it.each<[string, string, string[]]>([
      ['a list with totalCount', list, ['aggregate']],
      ['a list without it', '{ secrets { nodes { id } } }', ['aggregate']],
      ['a count alone', '{ secrets { totalCount } }', ['aggregate']],
      [
        'a filtered list and its count',
        '{ secrets(filter: { tags: ["a"] }) { totalCount nodes { id } } }',
        ['aggregate'],
      ],
      ['the viewer', '{ viewer { subject teams { id } } }', []],
      ['a team without its secrets', '{ viewer { teams { team { id } } } }', []],
    ])('%s', async (_, query, commands) => {
      expectData([await gateway.run(query)]);
      expect(observed.commands).toEqual(commands);
    });

    const tenLists = Array.from({ length: 10 }, (_, n) => {
      return `secrets(owner: { teamId: "red", connectorId: "c${n}" }, first: 20) { totalCount nodes { ${fields} } }`;
    });

    it('10 aliased lists are at most two', async () => {
      expectData([await gateway.run(`{ ${tenLists.map((one, n) => `l${n}: ${one}`).join(' ')} }`)]);
      expect(observed.commands.length).toBe(countOf('aggregate'));
      expect(observed.commands.length).toBeLessThanOrEqual(2);
    });

    it('10 lists in one batch of operations are at most two as well', async () => {
      const query = `query ($owner: OwnerInput!) { secrets(owner: $owner, first: 20) { totalCount nodes { ${fields} } } }`;
      const variables = (n: number) => ({ owner: { teamId: 'red', connectorId: `c${n}` } });
      // The document must be cached first: new documents are queued.
      expectData([await gateway.run(query, variables(0))]);
      observed.commands = [];
      const body = JSON.stringify(Array.from({ length: 10 }, (_, n) => ({ query, variables: variables(n) })));
      expect((await gateway.send({ body })).status).toBe(200);
      expect(observed.commands.length).toBe(countOf('aggregate'));
      expect(observed.commands.length).toBeLessThanOrEqual(2);
    });

    it('one secret is one', async () => {
      expectData([await gateway.run(`query ($id: ID!) { secret(id: $id) { ${fields} } }`, { id: ids[0] })]);
      expect(observed.commands).toEqual(['find']);
    });

    it('_entities of 100 secrets are one', async () => {
      const query = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Secret { ${fields} } } }`;
      const answer = await gateway.run(query, { of: ids.map((id) => ({ __typename: 'Secret', id })) });
      expectData([answer]);
      expect(answer.data._entities).toHaveLength(100);
      expect(observed.commands).toEqual(['find']);
    });

    it('_entities of 8 owners and their lists are one', async () => {
      const query = `query ($of: [_Any!]!) {
        _entities(representations: $of) { ... on Connector { secrets(first: 20) { totalCount nodes { ${fields} } } } }
      }`;
      expectData([
        await gateway.run(query, {
          of: Array.from({ length: 8 }, (_, n) => ({ __typename: 'Connector', teamId: 'red', id: `c${n}` })),
        }),
      ]);
      expect(observed.commands).toEqual(['aggregate']);
    });

    it('a create is six, one transaction', async () => {
      expectData([await createNamed('counted', { value: 'a value that is sealed' })]);
      expect(observed.commands).toEqual(aTransaction.create);
    });

    it('a create that returns the list is one more', async () => {
      const query = createSecret('id', 'secrets { totalCount }');
      expectData([await gateway.run(query, { input: { owner, name: 'counted with its list' } })]);
      expect(observed.commands).toEqual([...aTransaction.create, 'aggregate']);
    });

    it('an update is six: a read, and one transaction', async () => {
      expectData([await gateway.run(update, { input: { id: ids[0], notes: 'new', value: 'a new value' } })]);
      expect(observed.commands).toEqual(['find', 'find', 'update', 'insert', 'update', 'commitTransaction']);
    });

    it('an update that changes nothing is its read', async () => {
      expectData([await gateway.run(update, { input: { id: ids[1], tags: [] } })]);
      expect(observed.commands).toEqual(['find']);
    });

    it('an update that sets a value is one more in its transaction: the value before it is kept', async () => {
      expectData([await gateway.run(update, { input: { id: ids[1], value: 'a first value' } })]);
      observed.commands = [];
      expectData([await gateway.run(update, { input: { id: ids[1], value: 'another value' } })]);
      expect(observed.commands).toEqual(['find', 'find', 'update', 'update', 'insert', 'update', 'commitTransaction']);
    });

    it('the versions of 100 secrets of one owner are one', async () => {
      const query =
        '{ secrets(owner: { teamId: "red" }, first: 100) { nodes { id versions { version maskedValue } } } }';
      expectData([await gateway.run(query)]);
      expect(observed.commands).toEqual(['aggregate', 'aggregate']);
    });

    it('a delete is eight: a read, and one transaction, which reads when it was last used', async () => {
      expectData([await gateway.run(deleteSecret, { input: { id: ids[2] } })]);
      const moved = ['find', 'insert', 'delete', 'insert', 'update', 'commitTransaction'];
      expect(observed.commands).toEqual(['find', 'find', ...moved]);
    });

    it.each<[string, () => Promise<GraphQLAnswer>, number]>([
      ['without credentials', () => gateway.run(list, {}, { token: null }), 401],
      ['with wrong ones', () => gateway.run(list, {}, { token: 'nonsense' }), 401],
      [
        'for a team that is not the caller’s',
        () => gateway.run('{ secrets(owner: { teamId: "blue" }) { totalCount } }'),
        403,
      ],
      ['for a field that is not in the schema', () => gateway.run('{ nothing }'), 400],
      ['for a field that breaks its rule', () => createNamed(' padded'), 422],
    ])('a refusal %s is none', async (_, ask, status) => {
      expect((await ask()).status).toBe(status);
      expect(observed.commands).toEqual([]);
    });

    it('the rate limit is none for callers with few requests', async () => {
      await gateway.stop();
      await gateway.launch({ RATE_LIMIT: '600/60s' });
      const subjects = Array.from({ length: 20 }, (_, n) => `seldom-${n}`);
      const tokens = await Promise.all(subjects.map((sub) => gateway.issuer.token({ sub })));
      observed.commands = [];
      for (const token of tokens) expectData([await gateway.run(list, {}, { token })]);
      expect(observed.commands).toEqual(tokens.map(() => 'aggregate'));
    });

    it('the rate limit that gateways share is far less than one for each request', async () => {
      await gateway.stop();
      await gateway.launch({ RATE_LIMIT: '600/60s' });
      observed.commands = [];
      for (let request = 0; request < 50; request += 1) expectData([await gateway.run(list)]);
      expect(countOf('aggregate')).toBe(50);
      expect(observed.commands.length - 50).toBeLessThanOrEqual(10);
      await gateway.stop();
      await gateway.launch({ RATE_LIMIT: 'off' });
    });
  });

  describe('in signature checks', () => {
    it('one for each distinct token', async () => {
      const tokens = await Promise.all(['ada', 'grace', 'edsger'].map((sub) => gateway.issuer.token({ sub })));
      vi.mocked(jwtVerify).mockClear();
      const ask = () => tokens.map((token) => gateway.run('{ viewer { subject } }', {}, { token }));
      expectData(await Promise.all(Array.from({ length: 20 }, ask).flat()));
      expectData(await Promise.all(ask()));
      expect(jwtVerify).toHaveBeenCalledTimes(3);
    });
  });

  describe('in transactions', () => {
    /** Creates that wait for the transaction in flight share the next one. */
    const few = 16;

    it(`64 creates at once take at most ${few}`, async () => {
      expectData(await Promise.all(Array.from({ length: 64 }, (_, n) => createNamed(`at once ${n}`))));
      expect(countOf('commitTransaction')).toBeLessThanOrEqual(few);
    });

    it.each<[string, () => object, string]>([
      ['name', () => ({ name: 'there before 50' }), 'name'],
      ['id', () => ({ id: ids[50] }), 'id'],
    ])('one whose %s is taken among 64 fails alone', async (what, poison, field) => {
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, n) => createNamed(`beside a poisoned ${what} ${n}`, n === 40 ? poison() : {})),
      );
      const [poisoned] = answers.splice(40, 1);
      expect(poisoned?.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', errors: [{ field }] });
      expectData(answers);
      const prefix = `beside a poisoned ${what} `;
      const query = `{ secrets(owner: { teamId: "red" }, filter: { nameStartsWith: "${prefix}" }) { totalCount } }`;
      expect((await gateway.run(query)).data.secrets.totalCount).toBe(63);
    });

    it('one whose version is stale among 64 updates fails alone', async () => {
      const answers = await Promise.all(
        ids
          .slice(10, 74)
          .map((id, n) => gateway.run(update, { input: { id, notes: 'at once', expectedVersion: n === 40 ? 7 : 1 } })),
      );
      const [poisoned] = answers.splice(40, 1);
      expect(poisoned?.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', currentVersion: 1 });
      expectData(answers);
      expect(answers.map(({ data }) => data.updateSecret.secret.version)).toEqual(Array.from({ length: 63 }, () => 2));
    });

    it('one of two updates of the same version among 64 succeeds, and no other is affected', async () => {
      const targets = [...ids.slice(10, 73), ids[10]];
      const answers = await Promise.all(
        targets.map((id, n) => gateway.run(update, { input: { id, notes: `met ${n}`, expectedVersion: 2 } })),
      );
      const [first] = answers;
      const last = answers[63];
      expect([first?.status, last?.status].toSorted()).toEqual([200, 409]);
      // Secret 40 of the previous test is still at version 1.
      expect(answers[40]?.status).toBe(409);
      expectData(answers.filter((_, n) => ![0, 40, 63].includes(n)));
    });
  });

  describe('lists that share a command', () => {
    it('one that is refused among 64 fails alone', async () => {
      const ask = (n: number) => {
        if (n === 20) return gateway.run('{ secrets(owner: { teamId: "blue" }) { totalCount } }');
        if (n === 40) return gateway.run('{ secrets(after: "forged") { totalCount } }');
        return gateway.run(list);
      };
      const answers = await Promise.all(Array.from({ length: 64 }, (_, n) => ask(n)));
      expect([answers[20]?.status, answers[40]?.status]).toEqual([403, 400]);
      const others = answers.filter((_, n) => n !== 20 && n !== 40);
      expectData(others);
      expect(new Set(others.map(({ text }) => text)).size).toBe(1);
    });

    it('a filter is compared as text, even if it looks like a MongoDB operator', async () => {
      const names = ['$where', '$$ROOT', '{"$gt":""}', '.', 'a.b', 'a\u0000b'];
      const query = `query ($filter: SecretFilter) {
        odd: secrets(owner: { teamId: "red" }, filter: $filter) { totalCount nodes { id } }
        plain: secrets(owner: { teamId: "red" }, first: 20) { nodes { id } }
      }`;
      const filters = names.flatMap((text) => [
        { name: text },
        { nameStartsWith: text },
        { provider: text },
        { tags: [text] },
        { placeholder: text },
      ]);
      const answers = await Promise.all(filters.map((filter) => gateway.run(query, { filter })));
      expectData(answers);
      for (const { data } of answers) {
        expect(data.odd).toEqual({ totalCount: 0, nodes: [] });
        expect(data.plain.nodes).toHaveLength(20);
      }
    });
  });
});
