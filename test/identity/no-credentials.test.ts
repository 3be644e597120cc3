import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

const viewer = '{ viewer { subject } }';
const acceptTypes = ['application/graphql-response+json', 'application/json'];

let gateway: TestGateway;

beforeAll(async () => {
  // Wrong credentials take ten points of the rate limit, and these tests send many.
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const call = (token: string | null, query = viewer) => gateway.run(query, {}, { token });

describe('no credentials', () => {
  const open: Record<string, string> = {
    __typename: '{ __typename }',
    '__typename of a mutation': 'mutation { __typename }',
    'introspection of the schema': '{ __schema { queryType { name fields { name } } } }',
    'introspection of a type': '{ __type(name: "Secret") { name fields { name } } }',
    _service: '{ _service { sdl } }',
    'these through fragments':
      'query { ...A a: __typename } fragment A on Query { ... on Query { ...B } } fragment B on Query { __typename }',
  };
  it.each(Object.keys(open))('%s is answered', async (name) => {
    const { status, errors, data } = await call(null, open[name]);
    expect({ status, errors }).toEqual({ status: 200, errors: [] });
    expect(Object.keys(data).length).toBeGreaterThan(0);
  });

  const id = '4c07bc67-57ea-42dd-b702-c2d6c45419fc';
  const closed: Record<string, string> = {
    viewer: '{ viewer { subject } }',
    secrets: '{ secrets { totalCount } }',
    secret: `{ secret(id: "${id}") { id } }`,
    _entities: `{ _entities(representations: [{ __typename: "Secret", id: "${id}" }]) { __typename } }`,
    'the same with nothing to find': '{ _entities(representations: []) { __typename } }',
    'only __typename of it': '{ secrets { __typename } }',
    'an open field beside it': '{ __typename _service { sdl } viewer { subject } }',
    'an alias that looks open': '{ __typename: viewer { subject } }',
    'an alias with an open name': '{ _service: secrets { totalCount } }',
    'an inline fragment': '{ ... { viewer { subject } } }',
    'an inline fragment on Query': '{ ... on Query { ... on Query { viewer { subject } } } }',
    'a fragment': '{ ...F } fragment F on Query { viewer { subject } }',
    'a fragment in a fragment':
      '{ ...A } fragment A on Query { __typename ...B } fragment B on Query { viewer { subject } }',
    'a fragment used twice': '{ ...A ...A } fragment A on Query { __typename viewer { subject } }',
    'a directive that includes it': '{ __typename viewer @include(if: true) { subject } }',
    'a second operation that is open': 'query A { viewer { subject } } query B { __typename }',
    'a field that is not there': '{ viewer { subjet } }',
    'a literal of the wrong type': 'mutation { createSecret(input: { name: 5 }) { secret { id } } }',
    createSecret: 'mutation { createSecret(input: { name: "NAME", value: "v", provider: "p" }) { secret { id } } }',
    'createSecret in a fragment':
      'mutation { __typename ...F } fragment F on Mutation { createSecret(input: { name: "NAME", value: "v", provider: "p" }) { secret { id } } }',
    'createSecret as an alias, without its result':
      'mutation { __typename: createSecret(input: { name: "NAME", value: "v", provider: "p" }) { __typename } }',
    updateSecret: `mutation { updateSecret(input: { id: "${id}", value: "v" }) { secret { id } } }`,
    deleteSecret: `mutation { deleteSecret(input: { id: "${id}" }) { id } }`,
  };
  it.each(Object.keys(closed))('%s is UNAUTHORIZED, 401 under either media type', async (name) => {
    for (const accept of acceptTypes) {
      const body = JSON.stringify({ query: closed[name], ...(name.startsWith('a second') && { operationName: 'A' }) });
      const answer = await gateway.send({ body }, { token: null, headers: { accept } });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="secrets-gateway"');
      expect(answer.errors).toHaveLength(1);
      expect(answer.errors[0]?.extensions).toMatchObject({ code: 'UNAUTHORIZED', type: 'authentication_error' });
      expect(answer.data ?? null).toBeNull();
    }
  });

  it('the answer is the same as for wrong credentials', async () => {
    const [none, wrong] = [await call(null), await call('wrong')];
    expect(none.errors[0]?.message).toBe(wrong.errors[0]?.message);
    expect({ ...none.errors[0]?.extensions, requestId: '' }).toEqual({ ...wrong.errors[0]?.extensions, requestId: '' });
  });

  it('a GET is UNAUTHORIZED too, and a token in its URL is ignored', async () => {
    const token = await gateway.issuer.token();
    for (const accept of acceptTypes) {
      const path = `?query=${encodeURIComponent(viewer)}&access_token=${token}`;
      const answer = await gateway.send({ method: 'GET' }, { token: null, headers: { accept } }, path);
      expect(answer.status).toBe(401);
    }
  });

  it.each([
    ['a field that breaks its rule', { input: { name: 'not a name', value: '', provider: 'p' } }],
    ['a masked value', { input: { name: 'NAME', value: '••••', provider: 'p' } }],
    ['an owner that cannot be', { input: { owner: { connectorId: 'c' }, name: 'NAME', value: 'v' } }],
    ['a variable of the wrong type', { input: { name: 7 } }],
    ['no variables', {}],
  ])('%s is UNAUTHORIZED before any other error', async (_what, variables) => {
    const { status, errors } = await gateway.run(createSecret(), variables, { token: null });
    expect(status).toBe(401);
    expect(errors.map((error) => error.extensions.code)).toEqual(['UNAUTHORIZED']);
  });

  it('nothing is written by any of these requests', async () => {
    expect((await gateway.run('{ secrets { totalCount } }')).data.secrets.totalCount).toBe(0);
    // Positive control: with credentials the same mutations do write.
    const { errors } = await gateway.run(closed['createSecret in a fragment'] ?? '');
    expect(errors).toEqual([]);
    expect((await gateway.run('{ secrets { totalCount } }')).data.secrets.totalCount).toBe(1);
  });
});

describe('in production', () => {
  let production: TestGateway;

  beforeAll(async () => {
    production = await TestGateway.start('sqlite', { NODE_ENV: 'production', RATE_LIMIT: 'off' });
  });
  afterAll(() => production.close());

  it.each(['{ __schema { queryType { name } } }', '{ __typename __type(name: "Secret") { name } }'])(
    'introspection is off, and is UNAUTHORIZED without credentials like any other field: %s',
    async (query) => {
      const known = await production.run(query);
      expect([known.status, known.errors[0]?.extensions.code, known.data]).toEqual([400, 'BAD_REQUEST', undefined]);
      const anonymous = await production.run(query, {}, { token: null, headers: { accept: 'application/json' } });
      expect([anonymous.status, anonymous.errors[0]?.extensions.code]).toEqual([401, 'UNAUTHORIZED']);
    },
  );

  it('__typename and _service are answered without credentials', async () => {
    const { errors, data } = await production.run('{ __typename _service { sdl } }', {}, { token: null });
    expect(errors).toEqual([]);
    expect(data._service.sdl).toContain('type Secret');
  });
});
