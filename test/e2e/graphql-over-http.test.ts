import { get as httpGet } from 'node:http';
import { type AuditResult, serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, storeNames, TestGateway } from '../support/gateway.ts';

const graphqlType = 'application/graphql-response+json';
const json = { accept: 'application/json' };
const createSecret = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }';
const deleteSecret = 'mutation { deleteSecret(input: { id: "4c07bc67-57ea-42dd-b702-c2d6c45419fc" }) { id } }';

let secrets = 0;
const newSecret = () => {
  secrets += 1;
  return { name: `SECRET_${secrets}`, provider: 'openai', value: 'a value' };
};

const get = (gateway: TestGateway, parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  gateway.send({ method: 'GET' }, { headers }, `?${new URLSearchParams(parameters)}`);

const batch = (gateway: TestGateway, body: unknown[], options = {}) =>
  gateway.send({ body: JSON.stringify(body) }, options);

function expectRefusal(answer: GraphQLAnswer, status: number, code: string, type: string): void {
  expect(answer.status).toBe(status);
  const requestId = answer.headers.get('x-request-id');
  expect(requestId).toMatch(/./);
  expect(answer.errors).toHaveLength(1);
  expect(answer.errors[0]?.message).toMatch(/./);
  expect(answer.errors[0]?.extensions).toMatchObject({ code, status, type, requestId });
  expect(answer.text).not.toContain('"data"');
}

async function totalCount(gateway: TestGateway): Promise<number> {
  return (await gateway.run('{ secrets { totalCount } }')).data.secrets.totalCount;
}

describe('the audits of graphql-http', () => {
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
    token = await gateway.issuer.token();
  });
  afterAll(() => gateway.close());

  const audits = serverAudits({
    url: () => gateway.url,
    fetchFn: (url: string, init: RequestInit = {}) =>
      fetch(url, { ...init, headers: { ...(init.headers as object), authorization: `Bearer ${token}` } }),
  });

  it('are 61', () => expect(audits).toHaveLength(61));

  it.each(audits.map(({ id, name, fn }) => [id, name, fn] as const))('%s: %s', async (_id, _name, fn) => {
    const result: AuditResult = await fn();
    expect(result.status, 'reason' in result ? result.reason : '').toBe('ok');
  });
});

describe.each(storeNames)('GraphQL over HTTP on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  describe('methods', () => {
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
    ])('refuses a mutation sent with GET, %s, and names the method it takes', async (_how, query, operationName) => {
      for (const headers of [{}, json]) {
        const answer = await get(gateway, { query, ...(operationName && { operationName }) }, headers);
        expectRefusal(answer, 405, 'METHOD_NOT_ALLOWED', 'method_not_allowed_error');
        expect(answer.headers.get('allow')).toBe('POST');
      }
    });

    it('writes nothing for a mutation sent with GET', async () => {
      const before = await totalCount(gateway);
      const variables = JSON.stringify({ input: newSecret() });
      expect((await get(gateway, { query: createSecret, variables })).status).toBe(405);
      expect(await totalCount(gateway)).toBe(before);
    });

    it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
      'refuses %s, and says what is allowed',
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
  });

  describe('bodies', () => {
    const form = new FormData();
    form.append('operations', JSON.stringify({ query: deleteSecret }));
    it.each<[string, BodyInit, string | undefined]>([
      ['a form', new URLSearchParams({ query: deleteSecret }), undefined],
      ['a multipart form', form, undefined],
      ['plain text', JSON.stringify({ query: deleteSecret }), 'text/plain'],
      ['a bare document', deleteSecret, 'application/graphql'],
      ['no media type', new Blob([JSON.stringify({ query: deleteSecret })]), undefined],
      ['something that only ends like JSON', JSON.stringify({ query: deleteSecret }), 'application/problem+json'],
      ['JSON in another encoding', JSON.stringify({ query: deleteSecret }), 'application/json; charset=utf-16'],
      ['two media types', JSON.stringify({ query: deleteSecret }), 'text/plain, application/json'],
    ])('refuses a POST of %s', async (_what, body, contentType) => {
      const response = await fetch(gateway.url, {
        method: 'POST',
        body,
        headers: {
          authorization: `Bearer ${await gateway.issuer.token()}`,
          ...(contentType !== undefined && { 'content-type': contentType }),
        },
      });
      const requestId = response.headers.get('x-request-id');
      expect(response.status).toBe(415);
      expect(response.headers.get('accept-post')).toBe('application/json');
      expect(await response.json()).toMatchObject({
        errors: [
          {
            message: 'The media type is not supported.',
            extensions: {
              code: 'UNSUPPORTED_MEDIA_TYPE',
              status: 415,
              type: 'unsupported_media_type_error',
              requestId,
            },
          },
        ],
      });
    });

    it.each(['application/json', 'APPLICATION/JSON; Charset="UTF-8"', 'application/json;charset=utf8'])(
      'accepts %s',
      async (type) => {
        const answer = await gateway.run('{ __typename }', {}, { headers: { 'content-type': type } });
        expect(answer.status).toBe(200);
      },
    );

    it('refuses a compressed body', async () => {
      const answer = await gateway.send({ body: '{}' }, { headers: { 'content-encoding': 'gzip' } });
      expectRefusal(answer, 415, 'UNSUPPORTED_MEDIA_TYPE', 'unsupported_media_type_error');
      expect(answer.headers.get('accept-encoding')).toBe('identity');
    });

    it('takes no document from the URL of a POST', async () => {
      const path = `?${new URLSearchParams({ query: '{ __typename }' })}`;
      expectRefusal(await gateway.send({ body: '{}' }, {}, path), 400, 'BAD_REQUEST', 'invalid_request_error');
    });
  });

  describe('Accept', () => {
    const of = async (accept: string) => {
      const { status, headers } = await gateway.run('{ __typename }', {}, { headers: { accept } });
      return { status, type: headers.get('content-type') };
    };
    const inJson = { status: 200, type: 'application/json; charset=utf-8' };
    const inGraphql = { status: 200, type: `${graphqlType}; charset=utf-8` };

    it.each([
      '*/*',
      'application/*',
      'application/json',
      `application/json, ${graphqlType}`,
      `${graphqlType};q=0.4, application/json;q=0.5`,
      `${graphqlType};q=0, */*`,
      'text/html, application/xhtml+xml, */*;q=0.1',
      'application/json;charset=utf-8',
    ])('%s is answered with application/json', async (accept) => expect(await of(accept)).toEqual(inJson));

    it.each([
      graphqlType,
      `${graphqlType}, application/json;q=0.9`,
      `${graphqlType}, application/json`,
      `application/json;q=0.1, ${graphqlType};q=0.2`,
      `application/json;q=0, application/*`,
      `multipart/mixed, ${graphqlType}`,
      `text/event-stream, ${graphqlType.toUpperCase()}`,
    ])('%s is answered with it', async (accept) => expect(await of(accept)).toEqual(inGraphql));

    it.each([
      'text/html',
      'application/json;q=0',
      'application/xml, text/*',
      `${graphqlType};q=0, application/json;q=0.0`,
      'application/json;charset=utf-16',
    ])('%s cannot be satisfied', async (accept) => {
      const answer = await gateway.run('{ __typename }', {}, { headers: { accept } });
      expectRefusal(answer, 406, 'NOT_ACCEPTABLE', 'not_acceptable_error');
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    });
  });

  describe('statuses', () => {
    const wrongs: [string, string, Record<string, unknown>, number, string][] = [
      ['a syntax error', '{', {}, 400, 'BAD_REQUEST'],
      ['an unknown field', '{ nope }', {}, 400, 'BAD_REQUEST'],
      ['a variable of the wrong type', 'query ($id: ID!) { secret(id: $id) { id } }', { id: {} }, 400, 'BAD_REQUEST'],
      ['no such operation', 'query A { __typename } query B { __typename }', {}, 400, 'BAD_REQUEST'],
      ['a broken rule', createSecret, { input: { name: 'A' } }, 422, 'UNPROCESSABLE_ENTITY'],
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
    ])('%s are 401 whatever is accepted, and tell how to authenticate', async (_what, token) => {
      for (const headers of [{}, json]) {
        const answer = await gateway.run('{ viewer { subject } }', {}, { token, headers });
        expectRefusal(answer, 401, 'UNAUTHORIZED', 'authentication_error');
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      }
    });

    it.each([graphqlType, 'application/json'])(
      'part of the data is 200 with %s, and nothing of it is lost',
      async (accept) => {
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
      },
    );
  });

  it('takes a question mark in a query of a URL, and a whole URL as the target', async () => {
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

  describe('batches', () => {
    it('answers up to 10 operations, each in its place', async () => {
      const items = Array.from({ length: 10 }, (_, index) => ({
        query: `{ _${index}: __typename }`,
      }));
      const answer = await batch(gateway, items);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toEqual(items.map((_, index) => ({ data: { [`_${index}`]: 'Query' } })));
    });

    it('refuses 11, and runs none of them', async () => {
      const before = await totalCount(gateway);
      const items = Array.from({ length: 11 }, () => ({ query: createSecret, variables: { input: newSecret() } }));
      for (const headers of [{}, json]) {
        const answer = await batch(gateway, items, { headers });
        expectRefusal(answer, 413, 'PAYLOAD_TOO_LARGE', 'batch_limit_error');
        expect(answer.errors[0]?.extensions.description).toBe('Send at most 10 operations in one array.');
      }
      expect(await totalCount(gateway)).toBe(before);
    });

    it('answers an error in its place, and loses nothing beside it', async () => {
      const answer = await batch(gateway, [
        { query: '{ viewer { subject } }' },
        { query: '{ nope }' },
        5,
        { query: createSecret, variables: { input: { name: 'A' } } },
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

    it('without credentials is refused as a whole where nothing of it is open', async () => {
      const answer = await batch(gateway, Array(2).fill({ query: '{ viewer { subject } }' }), { token: null });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(JSON.parse(answer.text)).toHaveLength(2);
    });

    it('without credentials answers only what is open', async () => {
      const answer = await batch(gateway, [{ query: '{ __typename }' }, { query: '{ viewer { subject } }' }], {
        token: null,
      });
      expect(JSON.parse(answer.text)).toMatchObject([
        { data: { __typename: 'Query' } },
        { errors: [{ extensions: { code: 'UNAUTHORIZED', status: 401 } }] },
      ]);
    });
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

describe('CORS', () => {
  const here = 'https://app.example.com';
  const preflight = (origin: string) => ({
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
  const allowed = (headers: Headers) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));
  const crossOrigin = async (gateway: TestGateway, origin: string) =>
    (await gateway.run('{ __typename }', {}, { headers: { origin } })).headers;

  it('is off by default: no page may read an answer, and no preflight passes', async () => {
    const gateway = await TestGateway.start('sqlite');
    try {
      const answer = await fetch(gateway.url, preflight(here));
      expect(answer.status).toBe(405);
      expect(allowed(answer.headers)).toEqual([]);
      expect(allowed(await crossOrigin(gateway, here))).toEqual([]);
    } finally {
      await gateway.close();
    }
  });

  describe('with CORS_ORIGINS', () => {
    let gateway: TestGateway;
    beforeAll(async () => {
      gateway = await TestGateway.start('sqlite', { CORS_ORIGINS: `${here} http://localhost:5173` });
    });
    afterAll(() => gateway.close());

    it.each([here, 'http://localhost:5173'])('lets pages of %s call, without cookies', async (origin) => {
      const answer = await fetch(gateway.url, preflight(origin));
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST');
      expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toMatch(
        /authorization.*content-type.*x-api-key/,
      );
      expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
      const headers = await crossOrigin(gateway, origin);
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-expose-headers')).toMatch(/X-Request-Id.*Retry-After/);
      expect(headers.get('vary')).toMatch(/Origin/i);
    });

    it('lets such a page read why it was refused', async () => {
      const { status, headers } = await gateway.run(
        '{ viewer { subject } }',
        {},
        {
          token: 'wrong',
          headers: { origin: here },
        },
      );
      expect(status).toBe(401);
      expect(headers.get('access-control-allow-origin')).toBe(here);
    });

    it.each([
      'https://elsewhere.example.com',
      'http://app.example.com',
      'https://app.example.com.evil.test',
      'https://app.example.com:8443',
      'null',
    ])('lets no page of %s call', async (origin) => {
      const answer = await fetch(gateway.url, preflight(origin));
      expect(answer.status).toBe(405);
      expect(allowed(answer.headers)).toEqual([]);
      const headers = await crossOrigin(gateway, origin);
      expect(allowed(headers)).toEqual([]);
      expect(headers.get('vary')).toMatch(/Origin/i);
    });
  });

  it.each(['app.example.com', 'https://app.example.com/', '*'])(
    'CORS_ORIGINS=%s is refused at start',
    async (value) => {
      await expect(TestGateway.start('sqlite', { CORS_ORIGINS: value })).rejects.toThrow(/CORS_ORIGINS/);
    },
  );
});

describe('with REQUIRE_TLS=on', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start('sqlite', { REQUIRE_TLS: 'on', TRUST_PROXY: 'on' });
  });
  afterAll(() => gateway.close());
  const create = (headers: Record<string, string>) => gateway.run(createSecret, { input: newSecret() }, { headers });

  it('a value that came in clear is 426, whatever is accepted, and is not kept', async () => {
    const answer = await create({ 'x-forwarded-proto': 'http' });
    expect(answer.status).toBe(426);
    expect(answer.errors[0]?.extensions).toMatchObject({
      code: 'UPGRADE_REQUIRED',
      status: 426,
      type: 'upgrade_required_error',
    });
    expect(answer.headers.get('upgrade')).toBe('TLS/1.2, HTTP/1.1');
    expect(await totalCount(gateway)).toBe(0);
  });

  it('a value that came by TLS to the proxy is taken', async () => {
    expect((await create({ 'x-forwarded-proto': 'https' })).status).toBe(200);
  });

  it.each(['https, http', 'http, https', 'http,https', 'https,', ''])(
    'behind proxies that append, one hop in clear is enough to refuse it: %j',
    async (schemes) => {
      expect((await create({ 'x-forwarded-proto': schemes })).status).toBe(426);
    },
  );

  it('a value that came by TLS through every proxy is taken', async () => {
    expect((await create({ 'x-forwarded-proto': 'https, HTTPS' })).status).toBe(200);
  });

  it('reading needs no TLS: no value goes out', async () => {
    const answer = await gateway.run('{ viewer { subject } }', {}, { headers: { 'x-forwarded-proto': 'http' } });
    expect(answer.status).toBe(200);
  });
});
