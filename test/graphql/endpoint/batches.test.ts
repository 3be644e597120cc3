import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../../support/gateway.ts';
import { createSecret, newSecret } from '../../support/graphql.ts';
import { expectRefusal } from '../../support/refusal.ts';

const json = { accept: 'application/json' };

const batch = (gateway: TestGateway, body: unknown[], options = {}) =>
  gateway.send({ body: JSON.stringify(body) }, options);

async function totalCount(gateway: TestGateway): Promise<number> {
  return (await gateway.run('{ secrets { totalCount } }')).data.secrets.totalCount;
}

describe.each(storeNames)('a batch on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  it('answers up to 10 operations, in order', async () => {
    const items = Array.from({ length: 10 }, (_, index) => ({
      query: `{ _${index}: __typename }`,
    }));
    const answer = await batch(gateway, items);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual(items.map((_, index) => ({ data: { [`_${index}`]: 'Query' } })));
  });

  it('refuses 11, and runs none of them', async () => {
    const before = await totalCount(gateway);
    const items = Array.from({ length: 11 }, () => ({ query: createSecret(), variables: { input: newSecret() } }));
    for (const headers of [{}, json]) {
      const answer = await batch(gateway, items, { headers });
      expectRefusal(answer, 413, 'PAYLOAD_TOO_LARGE', 'batch_limit_error');
      expect(answer.errors[0]?.extensions.description).toBe('Send at most 10 operations in one array.');
    }
    expect(await totalCount(gateway)).toBe(before);
  });

  it('answers an error at the position of its operation, and the other operations in full', async () => {
    const answer = await batch(gateway, [
      { query: '{ viewer { subject } }' },
      { query: '{ nope }' },
      5,
      { query: createSecret(), variables: { input: { name: 'A' } } },
      { query: '{ secrets { totalCount } }' },
    ]);
    expect(answer.status).toBe(200);
    const requestId = answer.headers.get('x-request-id');
    expect(JSON.parse(answer.text)).toMatchObject([
      { data: { viewer: { subject: 'ada' } } },
      { errors: [{ extensions: { code: 'BAD_REQUEST', status: 400, requestId } }] },
      { errors: [{ extensions: { code: 'BAD_REQUEST', status: 400, requestId } }] },
      { errors: [{ extensions: { code: 'UNPROCESSABLE_ENTITY', status: 422, requestId } }] },
      { data: { secrets: { totalCount: expect.any(Number) } } },
    ]);
  });

  it('without credentials is refused as a whole when each of its operations needs credentials', async () => {
    const answer = await batch(gateway, Array(2).fill({ query: '{ viewer { subject } }' }), { token: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(JSON.parse(answer.text)).toHaveLength(2);
  });

  it('without credentials answers only the operations that need none', async () => {
    const answer = await batch(gateway, [{ query: '{ __typename }' }, { query: '{ viewer { subject } }' }], {
      token: null,
    });
    expect(JSON.parse(answer.text)).toMatchObject([
      { data: { __typename: 'Query' } },
      { errors: [{ extensions: { code: 'UNAUTHORIZED', status: 401 } }] },
    ]);
  });
});

describe('with BATCHING=off', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { BATCHING: 'off' });
  });
  afterAll(() => gateway.close());

  it('refuses a batch of any length', async () => {
    for (const length of [0, 1, 2]) {
      const answer = await batch(gateway, Array(length).fill({ query: '{ __typename }' }), { headers: json });
      expectRefusal(answer, 400, 'BAD_REQUEST', 'invalid_request_error');
      expect(answer.errors[0]?.extensions.description).toBe('Batching is off here. Send one operation.');
    }
  });

  it('answers single operations', async () => {
    expect((await gateway.run('{ __typename }')).data).toEqual({ __typename: 'Query' });
  });
});
