import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../../support/gateway.ts';
import { createSecret } from '../../support/graphql.ts';
import { expectRefusal } from '../../support/refusal.ts';

const graphqlType = 'application/graphql-response+json';
const json = { accept: 'application/json' };
const deleteSecret = 'mutation { deleteSecret(input: { id: "4c07bc67-57ea-42dd-b702-c2d6c45419fc" }) { id } }';

describe.each(storeNames)('the status of an answer on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  const wrongs: [string, string, Record<string, unknown>, number, string][] = [
    ['a syntax error', '{', {}, 400, 'BAD_REQUEST'],
    ['an unknown field', '{ nope }', {}, 400, 'BAD_REQUEST'],
    ['a variable of the wrong type', 'query ($id: ID!) { secret(id: $id) { id } }', { id: {} }, 400, 'BAD_REQUEST'],
    ['an unknown operation name', 'query A { __typename } query B { __typename }', {}, 400, 'BAD_REQUEST'],
    ['a broken rule', createSecret(), { input: { name: 'A' } }, 422, 'UNPROCESSABLE_ENTITY'],
    ['an unknown id', deleteSecret, {}, 404, 'NOT_FOUND'],
    ['a foreign team', '{ secrets(owner: { teamId: "blue" }) { totalCount } }', {}, 403, 'FORBIDDEN'],
  ];

  it.each(wrongs)(`%s has the error's status with ${graphqlType}`, async (_what, query, variables, status, code) => {
    const answer = await gateway.run(query, variables);
    expect(answer.status).toBe(status);
    expect(answer.errors[0]?.extensions).toMatchObject({ code, status });
    expect(answer.headers.get('content-type')).toBe(`${graphqlType}; charset=utf-8`);
  });

  it.each(wrongs)('%s has 200 with application/json', async (_what, query, variables, status, code) => {
    const answer = await gateway.run(query, variables, { headers: json });
    expect(answer.status).toBe(200);
    expect(answer.errors[0]?.extensions).toMatchObject({ code, status });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it.each([
    ['no credentials', null],
    ['wrong credentials', 'a.b.c'],
  ])('%s are 401 under either media type, with a WWW-Authenticate header', async (_what, token) => {
    for (const headers of [{}, json]) {
      const answer = await gateway.run('{ viewer { subject } }', {}, { token, headers });
      expectRefusal(answer, 401, 'UNAUTHORIZED', 'authentication_error');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it.each([graphqlType, 'application/json'])('partial data is 200 with %s, and is returned in full', async (accept) => {
    const answer = await gateway.run(
      `query ($representations: [_Any!]!) {
        _entities(representations: $representations) { ... on User { id secrets { totalCount } } }
        secret(id: "no uuid") { id }
        viewer { subject }
      }`,
      {
        representations: [
          { __typename: 'User', id: 'ada' },
          { __typename: 'User', id: 'grace' },
        ],
      },
      { headers: { accept } },
    );
    expect(answer.status).toBe(200);
    const totalCount = expect.any(Number);
    expect(answer.data).toEqual({
      _entities: [
        { id: 'ada', secrets: { totalCount } },
        { id: 'grace', secrets: null },
      ],
      secret: null,
      viewer: { subject: 'ada' },
    });
    const requestId = answer.headers.get('x-request-id');
    const errors = answer.errors.map(({ path, extensions: { code, status, requestId } }) => ({
      path,
      code,
      status,
      requestId,
    }));
    expect(errors).toHaveLength(2);
    expect(errors).toEqual(
      expect.arrayContaining([
        { path: ['_entities', 1, 'secrets'], code: 'FORBIDDEN', status: 403, requestId },
        { path: ['secret'], code: 'UNPROCESSABLE_ENTITY', status: 422, requestId },
      ]),
    );
    expect(answer.text).not.toContain('"http"');
  });
});
