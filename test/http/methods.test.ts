import { get as httpGet } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';
import { expectRefusal } from '../support/refusal.ts';

const json = { accept: 'application/json' };
const deleteSecret = 'mutation { deleteSecret(input: { id: "4c07bc67-57ea-42dd-b702-c2d6c45419fc" }) { id } }';

const get = (gateway: TestGateway, parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  gateway.send({ method: 'GET' }, { headers }, `?${new URLSearchParams(parameters)}`);

async function totalCount(gateway: TestGateway): Promise<number> {
  return (await gateway.run('{ secrets { totalCount } }')).data.secrets.totalCount;
}

describe.each(storeNames)('the methods of a request on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  it('answers a query sent with GET', async () => {
    const { status, data } = await get(gateway, {
      query: 'query Q($first: Int) { secrets(first: $first) { nodes { id } } viewer { subject } }',
      variables: '{"first":1}',
      operationName: 'Q',
    });
    expect(status).toBe(200);
    expect(data.viewer).toEqual({ subject: 'ada' });
  });

  it.each([
    ['alone', deleteSecret, ''],
    ['named beside a query', `query Q { __typename } ${deleteSecret.replace('mutation', 'mutation M')}`, 'M'],
  ])('refuses a mutation sent with GET, %s, and names the allowed method', async (_how, query, operationName) => {
    for (const headers of [{}, json]) {
      const answer = await get(gateway, { query, ...(operationName && { operationName }) }, headers);
      expectRefusal(answer, 405, 'METHOD_NOT_ALLOWED', 'method_not_allowed_error');
      expect(answer.headers.get('allow')).toBe('POST');
    }
  });

  it('writes nothing for a mutation sent with GET', async () => {
    const before = await totalCount(gateway);
    const variables = JSON.stringify({ input: newSecret() });
    expect((await get(gateway, { query: createSecret(), variables })).status).toBe(405);
    expect(await totalCount(gateway)).toBe(before);
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
    'refuses %s, and names the allowed methods',
    async (method) => {
      const answer = await gateway.send({ method, body: JSON.stringify({ query: '{ __typename }' }) });
      expectRefusal(answer, 405, 'METHOD_NOT_ALLOWED', 'method_not_allowed_error');
      expect(answer.headers.get('allow')).toBe('GET, POST');
    },
  );

  it('refuses HEAD, without a body', async () => {
    const { status, text } = await gateway.send({ method: 'HEAD' });
    expect({ status, text }).toEqual({ status: 405, text: '' });
  });

  it.each(['/', '/graphql/', '/graphiql', '/graphq', '/graphql/x', '//graphql', '/health'])(
    'answers %s with NOT_FOUND',
    async (path) => {
      const answer = await fetch(new URL(gateway.url).origin + path, { method: 'POST', body: '{}' });
      expect(answer.status).toBe(404);
      const body = (await answer.json()) as { errors: unknown[] };
      const requestId = answer.headers.get('x-request-id');
      expect(body.errors).toMatchObject([
        { extensions: { code: 'NOT_FOUND', status: 404, type: 'not_found_error', requestId } },
      ]);
    },
  );

  it('accepts a question mark in the query of a URL, and an absolute URL as the request target', async () => {
    const document = encodeURIComponent('{ secrets(filter: { name: "?" }) { totalCount } }').replaceAll('%3F', '?');
    const inUrl = await gateway.send({ method: 'GET' }, {}, `?query=${document}`);
    expect(inUrl.data).toEqual({ secrets: { totalCount: 0 } });
    const { hostname, port } = new URL(gateway.url);
    const token = await gateway.issuer.token();
    const status = await new Promise((resolve, reject) => {
      const path = `${gateway.url}?query=%7B__typename%7D`;
      const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
      httpGet({ hostname, port, path, headers }, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      );
    });
    expect(status).toBe(200);
  });
});
