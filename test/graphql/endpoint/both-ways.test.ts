import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../../support/gateway.ts';
import { createSecret, newSecret } from '../../support/graphql.ts';

// A document that was sent before runs without Yoga's hooks. One with a comment is never kept, and goes through them each time.

let gateway: TestGateway;
let withoutScopes: string;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: '100000/60s' });
  withoutScopes = await gateway.issuer.token({ scope: '' });
  for (const name of ['ONE', 'TWO']) await gateway.run(createSecret(), { input: { ...newSecret(), name } });
});
afterAll(() => gateway.close());

interface Sent {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

interface Case {
  readonly sent: Sent | readonly Sent[];
  readonly method?: 'GET';
  readonly token?: () => string | null;
}

const fields = 'id name owner { __typename ... on User { id } } tags maskedValue version createdAt';
const anonymous = () => null;
const mutation = createSecret(fields);
const one = 'query One($id: ID!) { secret(id: $id) { id } }';

const cases: Record<string, Case> = {
  'a list': { sent: { query: `{ secrets(first: 5) { totalCount nodes { ${fields} } pageInfo { hasNextPage } } }` } },
  'a list by GET': { method: 'GET', sent: { query: '{ secrets { totalCount } }' } },
  'several root fields': { sent: { query: '{ viewer { subject kind scopes } a: secrets { totalCount } __typename }' } },
  'fragments and a page by variable': {
    sent: {
      query: 'query L($n: Int) { secrets(first: $n) { nodes { ...F } } } fragment F on Secret { id tags }',
      variables: { n: 1 },
    },
  },
  'a directive with a variable': {
    sent: { query: 'query D($no: Boolean!) { viewer { subject kind @skip(if: $no) } }', variables: { no: true } },
  },
  'one of two operations': {
    sent: { query: 'query A { viewer { subject } } query B { __typename }', operationName: 'B' },
  },
  'no operation of this name': { sent: { query: 'query A { __typename }', operationName: 'Z' } },
  'a secret that is not there': { sent: { query: one, variables: { id: '00000000-0000-4000-8000-000000000000' } } },
  'an id that is none': { sent: { query: one, variables: { id: 'no-id' } } },
  'a variable of the wrong type': { sent: { query: one, variables: { id: { a: 1 } } } },
  'a variable that is missing': { sent: { query: one } },
  'a field that breaks its rule': { sent: { query: mutation, variables: { input: { name: '1 2', value: '' } } } },
  'a name that is taken': { sent: { query: mutation, variables: { input: { ...newSecret(), name: 'ONE' } } } },
  'a page that is too large': { sent: { query: '{ secrets(first: 5000) { totalCount } }' } },
  'too much by variables': {
    sent: {
      query: 'query E($of: [_Any!]!) { _entities(representations: $of) { ... on User { secrets { totalCount } } } }',
      variables: { of: Array.from({ length: 1600 }, () => ({ __typename: 'User', id: 'ada' })) },
    },
  },
  'another team': {
    sent: { query: '{ viewer { subject } secrets(owner: { teamId: 7 }) { totalCount } }' },
  },
  'a token without scopes': { sent: { query: '{ secrets { totalCount } }' }, token: () => withoutScopes },
  'a mutation by GET': {
    method: 'GET',
    sent: { query: 'mutation M($i: CreateSecretInput!) { createSecret(input: $i) { __typename } }' },
  },
  'without credentials': { sent: { query: '{ secrets { totalCount } }' }, token: anonymous },
  'a mutation without credentials': { sent: { query: mutation, variables: { input: { name: 1 } } }, token: anonymous },
  'a mutation by GET, without credentials': { method: 'GET', sent: { query: mutation }, token: anonymous },
  'an open field without credentials': { sent: { query: '{ __typename }' }, token: anonymous },
  'introspection without credentials': { sent: { query: '{ __schema { queryType { name } } }' }, token: anonymous },
  'a wrong token': { sent: { query: '{ __typename }' }, token: () => 'wrong' },
  'an array': {
    sent: [{ query: '{ viewer { subject } }' }, { query: one, variables: { id: 'no-id' } }, { query: '{ nope }' }],
  },
  'an array of known operations': {
    sent: [{ query: '{ viewer { subject } }' }, { query: one, variables: { id: 7 } }, { query: '{ __typename }' }],
  },
  'an array without credentials': {
    sent: [{ query: '{ viewer { subject } }' }, { query: '{ secrets { totalCount } }' }],
    token: anonymous,
  },
  'an array, partly without credentials': {
    sent: [{ query: '{ viewer { subject } }' }, { query: '{ __typename }' }],
    token: anonymous,
  },
};

async function answerOf({ sent, method, token }: Case, accept: string, comment: string): Promise<unknown> {
  const commented = (one: Sent) => ({ ...one, query: one.query + comment });
  const body = JSON.stringify(Array.isArray(sent) ? sent.map(commented) : commented(sent as Sent));
  const options = { headers: { accept, 'x-request-id': 'the-same' }, ...(token && { token: token() }) };
  const path = `?${new URLSearchParams({ query: (sent as Sent).query + comment })}`;
  const { status, headers, text } = await (method
    ? gateway.send({ method }, options, path)
    : gateway.send({ body }, options));
  const told = Object.fromEntries([...headers].filter(([name]) => name !== 'date'));
  // What is left of the limit differs from request to request.
  for (const name of ['ratelimit', 'ratelimit-remaining', 'ratelimit-reset']) {
    if (told[name] !== undefined) told[name] = told[name].replaceAll(/\d+/g, '…');
  }
  return { status, headers: told, text };
}

describe.each(['application/graphql-response+json', 'application/json', '*/*'])('with Accept: %s', (accept) => {
  it.each(Object.keys(cases))('an operation that was sent before is answered as through Yoga: %s', async (name) => {
    const one = cases[name] as Case;
    const known = async () => answerOf(one, accept, '');
    const throughYoga = await answerOf(one, accept, ' # never kept');
    for (let sent = 0; sent < 3; sent += 1) expect(await known()).toEqual(throughYoga);
  });
});

it('the log and the metrics tell the same of both', async () => {
  const linesOf = async (comment: string) => {
    const from = gateway.log.length;
    for (const name of Object.keys(cases)) await answerOf(cases[name] as Case, '*/*', comment);
    // The operations of an array end in any order.
    return gateway.log
      .slice(from)
      .map((line) => line.replaceAll(/"(time|durationMs)":\d+/g, ''))
      .toSorted();
  };
  await linesOf('');
  const known = await linesOf('');
  expect(known).toEqual(await linesOf(' # never kept'));
  expect(known.length).toBeGreaterThan(Object.keys(cases).length);
});
