import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Owner } from '../../src/model/owner.ts';
import type { SecretRecord } from '../../src/model/secret.ts';
import { openStore } from '../../src/store/open-store.ts';
import { insert, newRecord } from '../contract/fixtures.ts';
import { type AnswerError, storeNames, TestGateway } from '../support/gateway.ts';
import { withTestMac } from '../support/keyring.ts';

const entities = `
  query ($representations: [_Any!]!) {
    _entities(representations: $representations) {
      __typename
      ... on Secret { id name maskedValue owner { __typename } }
      ... on User { id secrets { totalCount nodes { name } } }
      ... on Team { id secrets { totalCount nodes { name } } }
      ... on Connector { teamId id secrets { totalCount nodes { name } } }
    }
  }`;

interface Representation {
  __typename: 'Secret' | 'User' | 'Team' | 'Connector';
  id: string;
  teamId?: string;
}

const secret = (id: string): Representation => ({ __typename: 'Secret', id });
const user = (id: string): Representation => ({ __typename: 'User', id });
const team = (id: string): Representation => ({ __typename: 'Team', id });
const connector = (teamId: string, id: string): Representation => ({ __typename: 'Connector', teamId, id });

/** An error without the parts that differ between requests and positions. */
const told = ({ message, extensions: { requestId: _, ...extensions } }: AnswerError) => ({ message, extensions });

describe.each(storeNames)('entities on %s', (store) => {
  const owners = {
    ada: { type: 'user', userId: 'ada' },
    grace: { type: 'user', userId: 'grace' },
    red: { type: 'team', teamId: 'red' },
    blue: { type: 'team', teamId: 'blue' },
    crm: { type: 'connector', teamId: 'red', connectorId: 'crm' },
  } as const satisfies Record<string, Owner>;
  const records = Object.fromEntries(
    Object.entries(owners).map(([name, owner]) => [name, newRecord(owner, { name: `SECRET_OF_${name}` })]),
  ) as Record<keyof typeof owners, SecretRecord>;
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    await put(Object.values(records));
  });
  afterAll(() => gateway.close());

  async function put(all: SecretRecord[]): Promise<void> {
    const direct = await openStore(gateway.databaseUrl, withTestMac);
    await direct.commit(all.map(insert));
    await direct.close();
  }

  const resolve = (representations: unknown, options = {}) => gateway.run(entities, { representations }, options);
  const listOf = (name: keyof typeof owners) => ({ totalCount: 1, nodes: [{ name: `SECRET_OF_${name}` }] });

  it('the SDL of _service is schema/subgraph.graphql, and needs no credentials', async () => {
    const { data } = await gateway.run('{ _service { sdl } }', {}, { token: null });
    expect(data._service.sdl).toBe(await readFile('schema/subgraph.graphql', 'utf8'));
  });

  it('a key that is slow to normalise fails quickly, and only for itself', async () => {
    const accents = `a${'\u0301\u0316'.repeat(150_000)}`;
    const startedAt = performance.now();
    const { data, errors } = await gateway.run(entities, {
      representations: [
        { __typename: 'Connector', teamId: 'red', id: accents },
        { __typename: 'User', id: 'ada' },
      ],
    });
    // To normalise it takes over 8 s.
    expect(performance.now() - startedAt).toBeLessThan(6000);
    expect(errors).toMatchObject([{ path: ['_entities', 0], extensions: { code: 'BAD_REQUEST' } }]);
    expect(data._entities[1]).toMatchObject({ id: 'ada' });
  });

  it('the SDL has the security directives with SECURITY_DIRECTIVES=on', async () => {
    const secured = await TestGateway.start('sqlite', { SECURITY_DIRECTIVES: 'on' });
    const { data } = await secured.run('{ _service { sdl } }', {}, { token: null });
    await secured.close();
    expect(data._service.sdl).toBe(await readFile('schema/subgraph-with-security.graphql', 'utf8'));
    expect(data._service.sdl).toContain('@requiresScopes(scopes: [["secrets:write"]])');
  });

  it('each type is resolved by its key', async () => {
    const { id } = records.ada;
    const { status, data, errors } = await resolve([
      user('ada'),
      connector('red', 'crm'),
      secret(id),
      team('red'),
      secret(id.toUpperCase()),
    ]);
    expect({ status, errors }).toEqual({ status: 200, errors: [] });
    const own = { name: 'SECRET_OF_ada', maskedValue: records.ada.maskedValue, owner: { __typename: 'User' } };
    expect(data._entities).toEqual([
      { __typename: 'User', id: 'ada', secrets: listOf('ada') },
      { __typename: 'Connector', teamId: 'red', id: 'crm', secrets: listOf('crm') },
      { __typename: 'Secret', id, ...own },
      { __typename: 'Team', id: 'red', secrets: listOf('red') },
      { __typename: 'Secret', id, ...own },
    ]);
  });

  it('the id of a connector matches in any Unicode composition', async () => {
    await put([newRecord({ type: 'connector', teamId: 'red', connectorId: 'caf\u00e9' })]);
    const { data } = await resolve([connector('red', 'cafe\u0301')]);
    expect(data._entities[0]).toMatchObject({ id: 'caf\u00e9', secrets: { totalCount: 1 } });
  });

  it('each representation is authorised on its own', async () => {
    const { status, data, errors } = await resolve([
      user('ada'),
      user('grace'),
      team('blue'),
      team('red'),
      connector('blue', 'crm'),
      secret(records.grace.id),
      secret(records.red.id),
    ]);
    expect(status).toBe(200);
    expect(data._entities).toEqual([
      { __typename: 'User', id: 'ada', secrets: listOf('ada') },
      { __typename: 'User', id: 'grace', secrets: null },
      { __typename: 'Team', id: 'blue', secrets: null },
      { __typename: 'Team', id: 'red', secrets: listOf('red') },
      { __typename: 'Connector', teamId: 'blue', id: 'crm', secrets: null },
      null,
      expect.objectContaining({ name: 'SECRET_OF_red' }),
    ]);
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual(
      [1, 2, 4].map((index) => [['_entities', index, 'secrets'], 'FORBIDDEN']),
    );
  });

  it('nothing is returned without the scope: PERMISSION_ERROR for owners that the caller may reach, FORBIDDEN for others', async () => {
    const token = await gateway.issuer.token({ scope: 'secrets:write' });
    const { data, errors } = await resolve([team('red'), team('blue'), secret(records.ada.id), secret(randomUUID())], {
      token,
    });
    expect(data._entities).toEqual([
      { __typename: 'Team', id: 'red', secrets: null },
      { __typename: 'Team', id: 'blue', secrets: null },
      null,
      null,
    ]);
    const codes = Object.fromEntries(errors.map(({ path, extensions }) => [path?.join('.'), extensions.code]));
    expect(codes).toEqual({
      '_entities.0.secrets': 'PERMISSION_ERROR',
      '_entities.1.secrets': 'FORBIDDEN',
      '_entities.2': 'PERMISSION_ERROR',
      '_entities.3': 'PERMISSION_ERROR',
    });
  });

  it.each([
    ['a secret', () => [secret(records.grace.id), secret(randomUUID())]],
    ['a user', () => [user('grace'), user('nobody')]],
    ['a team', () => [team('blue'), team('no-such-team')]],
    ['a connector', () => [connector('blue', 'crm'), connector('no-such-team', 'crm')]],
  ])('%s of another owner and one that does not exist get the same answer', async (_what, both) => {
    const [foreign, missing] = await Promise.all(both().map((representation) => resolve([representation])));
    const shape = ({ data }: { data: { _entities: ({ secrets?: unknown } | null)[] } }) =>
      data._entities.map((entity) => entity && { secrets: entity.secrets });
    expect(foreign && shape(foreign)).toEqual(missing && shape(missing));
    expect(foreign?.errors.map(told)).toEqual(missing?.errors.map(told));
    expect(foreign?.status).toBe(missing?.status);
  });

  it('a whole number is an id, as everywhere for the type ID', async () => {
    const { data, errors } = await gateway.run(
      `query ($representations: [_Any!]!) { _entities(representations: $representations) {
        ... on User { id } ... on Team { id } ... on Connector { teamId id } } }`,
      {
        representations: [
          { __typename: 'User', id: 42 },
          { __typename: 'Team', id: 0 },
          { __typename: 'Connector', teamId: 7, id: -1 },
        ],
      },
    );
    expect(errors).toEqual([]);
    expect(data._entities).toEqual([{ id: '42' }, { id: '0' }, { teamId: '7', id: '-1' }]);
  });

  it('a malformed representation is a BAD_REQUEST, and does not affect the others', async () => {
    const malformed = [
      'text',
      42,
      true,
      [],
      {},
      [user('ada')],
      { id: 'ada' },
      { __typename: 'User' },
      { __typename: 'User', id: null },
      { __typename: 'User', id: { $ne: '' } },
      { __typename: 'User', id: 7.5 },
      { __typename: 'Connector', id: 'crm' },
      { __typename: 'Connector', id: 'crm', teamId: ['red'] },
      { __typename: 'Viewer', id: 'ada' },
      { __typename: '__proto__', id: 'ada' },
      { __typename: ['User'], id: 'ada' },
      connector('red', '\ud800'),
    ];
    const { status, data, errors } = await resolve([...malformed, user('ada')]);
    expect(status).toBe(200);
    expect(data._entities).toEqual([
      ...malformed.map(() => null),
      { __typename: 'User', id: 'ada', secrets: listOf('ada') },
    ]);
    expect(errors.map(({ path }) => path)).toEqual(malformed.map((_, index) => ['_entities', index]));
    for (const { extensions } of errors) {
      expect(extensions).toMatchObject({ code: 'BAD_REQUEST', status: 400, type: 'invalid_request_error' });
    }
  });

  it('an id of a secret that is not a UUID fails as in secret(id), and does not affect the others', async () => {
    const { data, errors } = await resolve([secret('nonsense'), secret(records.ada.id)]);
    expect(data._entities).toEqual([null, expect.objectContaining({ name: 'SECRET_OF_ada' })]);
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['_entities', 0], 'UNPROCESSABLE_ENTITY'],
    ]);
  });

  it.each([
    ['null', null],
    ['a list with a null', [null, user('ada')]],
  ])('%s for the representations is a BAD_REQUEST', async (_what, representations) => {
    const { status, errors } = await resolve(representations);
    expect(status).toBe(400);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', type: 'invalid_request_error' });
  });

  it('more than 1,000 are refused with their own type; 1,000 are not', async () => {
    const query = 'query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }';
    const most = Array.from({ length: 1000 }, () => user('ada'));
    const accepted = await gateway.run(query, { representations: most });
    expect(accepted.errors).toEqual([]);
    expect(accepted.data._entities).toHaveLength(1000);
    const { status, errors } = await gateway.run(query, { representations: [...most, user('ada')] });
    expect(status).toBe(400);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', type: 'representations_limit_error' });
  });

  it('any query for entities without credentials is 401', async () => {
    for (const representations of [[], [user('ada')], ['malformed'], [secret(randomUUID())]]) {
      const { status, data, errors } = await resolve(representations, { token: null });
      expect(status).toBe(401);
      expect(data).toBeUndefined();
      expect(errors[0]?.extensions).toMatchObject({ code: 'UNAUTHORIZED', type: 'authentication_error' });
    }
  });
});
