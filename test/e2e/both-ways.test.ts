import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, type RequestOptions, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

// An operation that was sent before is executed by its plan, past Yoga's hooks. Everything that a client sees must be the same.

interface Sent {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly documentId?: string;
  readonly options?: RequestOptions;
  readonly method?: 'GET';
}

const fields =
  'id name placeholder maskedValue provider notes tags version createdAt updatedAt owner { __typename } destination { origin header format paths } useUrl lastUsedAt';
const page = `totalCount nodes { ${fields} } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;
const entities = `query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Secret { ...S } ... on Team { id secrets { totalCount } } } }
  fragment S on Secret { ${fields} }`;
const viewer = '{ viewer { subject scopes teams { id team { secrets { totalCount } } } } }';
const two = 'query A { viewer { subject } } query B { secrets { totalCount } }';
const list = `query ($first: Int, $filter: SecretFilter, $owner: OwnerInput!) { secrets(first: $first, filter: $filter, owner: $owner) { ${page} } }`;
const red = { teamId: 'red' };

const requests = (id: string): Record<string, Sent> => ({
  'a viewer': { query: viewer },
  providers: { query: '{ providers { id title destination { origin header format paths } } a: providers { id } }' },
  'a list': { query: list, variables: { owner: red } },
  'a list with a filter': { query: list, variables: { owner: red, first: 2, filter: { tags: ['a'] } } },
  'a page that is too large': { query: list, variables: { owner: red, first: 5000 } },
  'variables of the wrong type': { query: list, variables: { owner: 5, first: 'x', filter: { no: 1 } } },
  'an array for an input object': { query: list, variables: { owner: [] } },
  'a variable that is missing': { query: list, variables: {} },
  'another’s list': { query: list, variables: { owner: { teamId: 'blue' } } },
  'a forged cursor': {
    query: 'query ($after: String) { secrets(after: $after) { totalCount } }',
    variables: { after: 'x' },
  },
  'aliases, some refused': {
    query: 'query ($o: OwnerInput!) { viewer { a: subject b: subject } c: secrets(owner: $o) { totalCount } }',
    variables: { o: { teamId: 'blue' } },
  },
  'one secret': { query: `query ($id: ID!) { secret(id: $id) { ${fields} } }`, variables: { id } },
  'one that is not there': {
    query: 'query ($id: ID!) { secret(id: $id) { id } }',
    variables: { id: crypto.randomUUID() },
  },
  entities: {
    query: entities,
    variables: {
      of: [
        { __typename: 'Secret', id },
        { __typename: 'No' },
        { __typename: 'Team', id: 'red' },
        { __typename: 'Team', id: 'blue' },
      ],
    },
  },
  'a destination in the document, and none': {
    query: `mutation ($o: String!, $h: String!) {
      a: createSecret(input: { owner: { teamId: "red" }, name: "a", destination: { origin: $o, header: $h } }) { secret { id } }
      b: createSecret(input: { owner: { teamId: "red" }, name: "", value: "v", destination: null }) { secret { id } }
    }`,
    variables: { o: 'https://api.example.com/', h: 'Host' },
  },
  'one of two operations': { query: two, operationName: 'B' },
  'the other': { query: two, operationName: 'A' },
  'neither of two operations': { query: two },
  'literal directives': { query: '{ viewer { subject @skip(if: true) scopes @include(if: true) } }' },
  'directives with variables': {
    query: 'query ($s: Boolean!) { viewer { subject scopes @skip(if: $s) } }',
    variables: { s: true },
  },
  introspection: { query: '{ __type(name: "Secret") { name fields { name } } __typename }' },
  'the SDL': { query: '{ _service { sdl } }' },
  'an unknown field': { query: '{ viewer { no } }' },
  'a known document beside its id': { query: viewer, documentId: 'an id' },
  'no GraphQL': { query: '{ viewer {' },
  'too deep': {
    query: `{ secrets { nodes { owner { ... on User { ${'secrets { nodes { owner { ... on User { '.repeat(5)} id ${'} } } } '.repeat(5)} } } } } }`,
  },
  'a create whose name is taken': {
    query: createSecret(),
    variables: { input: { owner: red, name: 'N 1', value: 'v' } },
  },
  'a create that breaks rules': {
    query: createSecret(),
    variables: { input: { owner: red, name: '', value: 'v', tags: ['', 'x'] } },
  },
  'a stale update': { query: updateSecret(), variables: { input: { id, notes: 'n', expectedVersion: 7 } } },
  'no credentials': { query: '{ viewer { subject } }', options: { token: null } },
  'no credentials, an open field': { query: '{ __typename }', options: { token: null } },
  'wrong credentials': { query: '{ viewer { subject } }', options: { token: 'no.to.ken' } },
  'application/json': {
    query: list,
    variables: { owner: { teamId: 'blue' } },
    options: { headers: { accept: 'application/json' } },
  },
  'a mutation by GET': { query: 'mutation { deleteSecret(input: {}) { id } }', method: 'GET' },
  'a query by GET': { query: '{ viewer { subject } }', method: 'GET' },
});

describe.each(storeNames)('both ways through the engine on %s', (storeName) => {
  let gateway: TestGateway;
  let id: string;
  let planned: Record<string, unknown>;
  let executed: Record<string, unknown>;

  beforeAll(async () => {
    gateway = await TestGateway.start(storeName);
    for (const name of ['N 1', 'N 2', 'N 3']) {
      const input = { owner: red, name, value: 'a value of some length', tags: ['a', name] };
      id = (await gateway.run(createSecret(), { input })).data.createSecret.secret.id;
    }
    planned = await answers();
    await gateway.stop();
    await gateway.launch({ TEST_WITHOUT_PLANS: '1' });
    executed = await answers();
  });
  afterAll(() => gateway.close());

  /** The second answer to each: by then its document is known. */
  async function answers(): Promise<Record<string, unknown>> {
    const all: Record<string, unknown> = {};
    for (const [name, sent] of Object.entries(requests(id))) {
      await send(sent);
      all[name] = seen(await send(sent));
    }
    return all;
  }

  function send({ options, method, ...body }: Sent): Promise<GraphQLAnswer> {
    if (method) return gateway.send({ method }, options, `?query=${encodeURIComponent(body.query)}`);
    return gateway.send({ body: JSON.stringify(body) }, options);
  }

  it.each(Object.keys(requests('')))('%s', (name) => {
    expect(planned[name]).toEqual(executed[name]);
  });

  it('a viewer is answered, and not only refused alike', () => {
    expect(planned['a viewer']).toMatchObject({ status: 200, text: expect.stringMatching(/^{"data":/) });
  });

  it('an array of operations', async () => {
    const body = JSON.stringify(
      Object.values(requests(id))
        .slice(0, 8)
        .map(({ query, variables }) => ({ query, variables })),
    );
    const withoutPlans = seen(await gateway.send({ body }));
    await gateway.stop();
    await gateway.launch();
    await gateway.send({ body });
    expect(seen(await gateway.send({ body }))).toEqual(withoutPlans);
  });
});

/** All that a client sees, except what differs from request to request. */
function seen({ status, headers, text }: GraphQLAnswer): unknown {
  const varying = new Set([
    'date',
    'x-request-id',
    'ratelimit',
    'ratelimit-remaining',
    'ratelimit-reset',
    'x-ratelimit-remaining',
  ]);
  const kept = [...headers].filter(([name]) => !varying.has(name));
  return { status, kept, text: text.replaceAll(/"requestId":"[^"]+"/g, '"requestId":"…"') };
}
