import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSecretsGateway } from '../federation/support/secrets-gateway.ts';
import { type PageRequest, type PageResult, sha256 } from './page/client.ts';
import type { ClientName } from './page/main.ts';
import { ClientsPage, skipped } from './support/page.ts';

const viewer = 'query Viewer { viewer { subject } }';
const create = `mutation Create($input: CreateSecretInput!) {
  createSecret(input: $input) { secret { name maskedValue } warnings { field type } }
}`;
const value = 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyz123456789';
const newInput = () => ({ name: `S_${crypto.randomUUID().replaceAll('-', '')}`, provider: 'openai', value });

type Gateway = Awaited<ReturnType<typeof startSecretsGateway>>;

describe.skipIf(skipped)('from a page of another origin, in a real browser', () => {
  let page: ClientsPage;
  let gateway: Gateway;
  let token: string;
  beforeAll(async () => {
    page = await ClientsPage.open();
    gateway = await startSecretsGateway({ CORS_ORIGINS: page.origin, RATE_LIMIT: '100000/60s' });
    token = await gateway.issuer.token();
    await page.page.goto(page.origin);
  });
  afterAll(async () => {
    await page?.close();
    await gateway?.close();
  });
  beforeEach(() => {
    page.requests.length = 0;
  });

  function run(name: ClientName, request: Omit<PageRequest, 'token'>, options: { token?: string; url?: string } = {}) {
    const sent: PageRequest = { token, ...options, ...request };
    return page.page.evaluate(([client, url, one]) => window.run(client, url, one), [
      name,
      options.url ?? gateway.url,
      sent,
    ] as const) as Promise<PageResult>;
  }

  const clients: ClientName[] = ['Apollo Client', 'urql', 'graphql-request'];

  describe.each(clients)('%s', (name) => {
    it('queries', async () => {
      expect(await run(name, { document: viewer })).toMatchObject({ data: { viewer: { subject: 'ada' } }, errors: [] });
    });

    it('mutates, and shows a mask and warnings', async () => {
      const input = newInput();
      const { data, errors } = await run(name, {
        document: create,
        variables: { input: { ...input, value: `${value}\n` } },
      });
      expect(errors).toEqual([]);
      expect(data).toMatchObject({
        createSecret: {
          secret: { name: input.name, maskedValue: 'sk-pro••••789' },
          warnings: [
            { field: 'value', type: 'trailing_newline' },
            { field: 'destination', type: 'value_not_for_headers' },
          ],
        },
      });
    });

    it('is told every broken field', async () => {
      const { errors } = await run(name, { document: create, variables: { input: { name: '1', value: '' } } });
      expect(errors).toMatchObject([{ code: 'UNPROCESSABLE_ENTITY' }]);
      expect(errors[0]?.fields).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ field: 'name', type: 'environment_variable_name' }),
          expect.objectContaining({ field: 'value', type: 'required' }),
        ]),
      );
    });

    it('is told that its credentials are wrong, and that its document is', async () => {
      expect((await run(name, { document: viewer }, { token: 'x.y.z' })).errors).toMatchObject([
        { code: 'UNAUTHORIZED' },
      ]);
      const { errors } = await run(name, { document: 'query Wrong { viewer { subjekt } }' });
      expect(errors).toMatchObject([{ code: 'BAD_REQUEST', message: expect.stringContaining('subject') }]);
    });
  });

  it.each<[ClientName, string]>([
    ['Apollo Client', 'POST'],
    ['Apollo Client with GET', 'GET'],
    ['urql', 'POST'],
    ['urql with GET', 'GET'],
  ])('%s sends the hash alone (%s), and the document when the gateway keeps no hashes', async (name, method) => {
    expect(await run(name, { document: viewer, persisted: true })).toEqual({
      data: { viewer: expect.objectContaining({ subject: 'ada' }) },
      errors: [],
    });
    const [first, second, ...others] = page.requests.filter((one) => one.method !== 'OPTIONS');
    expect(others).toEqual([]);
    expect(first?.method).toBe(method);
    expect(decodeURIComponent(`${first?.url} ${first?.body}`)).toMatch(/sha256Hash/);
    expect(`${first?.url} ${first?.body}`).not.toMatch(/subject/);
    expect(decodeURIComponent(`${second?.url} ${second?.body}`)).toMatch(/subject/);
  });

  it('a mutation with a hash is made once', async () => {
    const input = newInput();
    const variables = { input };
    const { data } = await run('urql', { document: create, variables, persisted: true });
    expect(data).toMatchObject({ createSecret: { secret: { name: input.name } } });
    expect(gateway.operations().filter((operation) => operation === 'createSecret')).not.toHaveLength(0);
    expect((await run('urql', { document: create, variables })).errors).toMatchObject([{ code: 'CONFLICT_ERROR' }]);
  });

  it('the page reads the request id and the rate limits', async () => {
    const headers = await page.page.evaluate(
      async ([url, bearer, query]) => {
        const answer = await fetch(url, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${bearer}`,
            'content-type': 'application/json',
            baggage: 'a=b',
            traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          },
          body: JSON.stringify({ query }),
        });
        return Object.fromEntries(answer.headers);
      },
      [gateway.url, token, viewer] as const,
    );
    expect(headers).toMatchObject({
      'x-request-id': expect.stringMatching(/^[\w-]{36}$/),
      'ratelimit-policy': '"user";q=100000;w=60',
      ratelimit: expect.stringMatching(/^"user";r=\d+;t=\d+$/),
      'ratelimit-limit': '100000',
    });
  });

  it('a page of an origin that is not allowed reads nothing', async () => {
    const elsewhere = page.origin.replace('localhost', '127.0.0.1');
    await page.page.goto(elsewhere);
    try {
      for (const name of clients) await expect(run(name, { document: viewer })).rejects.toThrow(/fetch/i);
    } finally {
      await page.page.goto(page.origin);
    }
  });

  describe('with PERSISTED_OPERATIONS as Apollo’s tools write them', () => {
    let directory: string;
    let closed: Gateway;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'clients-'));
      // Apollo Client adds __typename, and prints the document in its own way.
      const bodies = [
        viewer,
        'query Viewer {\n  viewer {\n    subject\n    __typename\n  }\n}',
        'query Viewer {\n  viewer {\n    subject\n  }\n}',
      ];
      const operations = await Promise.all(
        bodies.map(async (body) => ({ id: await sha256(body), name: 'Viewer', type: 'query', body })),
      );
      const path = join(directory, 'manifest.json');
      await writeFile(path, JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }), {
        mode: 0o644,
      });
      closed = await startSecretsGateway({ CORS_ORIGINS: page.origin, PERSISTED_OPERATIONS: path });
    });
    afterAll(async () => {
      await closed?.close();
      await rm(directory, { recursive: true });
    });

    it.each<ClientName>(['Apollo Client', 'Apollo Client with GET', 'urql', 'urql with GET'])(
      '%s runs a registered operation by its hash alone',
      async (name) => {
        const own = { token: await closed.issuer.token(), url: closed.url };
        const { data, errors } = await run(name, { document: viewer, persisted: true }, own);
        expect(errors).toEqual([]);
        expect(data).toMatchObject({ viewer: { subject: 'ada' } });
        expect(page.requests.filter((one) => one.method !== 'OPTIONS')).toHaveLength(1);
      },
    );

    it.each<ClientName>(['Apollo Client', 'urql'])('%s is told that another is not registered', async (name) => {
      const own = { token: await closed.issuer.token(), url: closed.url };
      const { data, errors } = await run(name, { document: 'query Other { viewer { scopes } }', persisted: true }, own);
      expect(data).toBeNull();
      expect(errors).toMatchObject([{ code: 'BAD_REQUEST', message: 'Only known operations are accepted.' }]);
      expect(page.requests.filter((one) => one.method !== 'OPTIONS')).toHaveLength(2);
    });
  });
});
