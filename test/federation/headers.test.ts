import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoggingProxy } from '../support/logging-proxy.ts';
import { startApolloGateway } from './examples/apollo-gateway.ts';
import { composers, fetchSubgraph, type Subgraph } from './examples/compose.ts';
import { startHiveGateway } from './examples/hive-gateway.ts';
import { startSecretsGateway } from './support/secrets-gateway.ts';

const routers = {
  'Apollo Gateway': {
    start: (subgraph: Subgraph) => startApolloGateway(composers['@apollo/composition']([subgraph])),
    accept: '*/*',
  },
  'Hive Gateway': {
    start: (subgraph: Subgraph) => startHiveGateway(composers['@theguild/federation-composition']([subgraph])),
    accept: 'application/graphql-response+json, application/json, multipart/mixed',
  },
};

const viewer = '{ viewer { kind subject } }';
const limit = 20;

describe.each(Object.entries(routers))('the headers that %s passes on', (_name, { start, accept }) => {
  const running: { close(): Promise<void> }[] = [];
  let secrets: Awaited<ReturnType<typeof startSecretsGateway>>;
  /** Between the gateway of the graph and the subgraph. */
  let behind: LoggingProxy;
  let url: string;
  let bearer: { authorization: string };

  beforeAll(async () => {
    secrets = await startSecretsGateway({ TRUST_PROXY: 'on', RATE_LIMIT: `${limit}/60s` });
    running.unshift(secrets);
    behind = await LoggingProxy.start(secrets.url);
    running.unshift(behind);
    const router = await start(await fetchSubgraph('secrets', behind.url));
    running.unshift(router);
    url = router.url;
    bearer = { authorization: `Bearer ${await secrets.issuer.token()}` };
  });
  afterAll(async () => {
    for (const one of running) await one.close();
  });

  async function ask(query: string, headers: Record<string, string>, to = url) {
    const response = await fetch(to, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as {
      data: unknown;
      errors?: { extensions: Record<string, unknown> }[];
    };
    return { headers: response.headers, data, codes: errors?.map(({ extensions }) => extensions) };
  }

  it('include the credentials, of either kind, and the request id', async () => {
    expect(await ask(viewer, { ...bearer, 'x-request-id': 'of-the-client' })).toMatchObject({
      data: { viewer: { kind: 'USER', subject: 'ada' } },
    });
    expect(behind.exchanges.at(-1)?.answer.headers['x-request-id']).toBe('of-the-client');
    const claims = { teams: [{ id: 'red', role: 'admin' }], scope: 'secrets:read keys:manage' };
    const admin = { authorization: `Bearer ${await secrets.issuer.token(claims)}` };
    const create = `mutation {
      createApiKey(input: { teamId: "red", name: "n", scopes: ["secrets:read"] }) { key apiKey { id } }
    }`;
    const made = (await ask(create, admin, secrets.url)).data as {
      createApiKey: { key: string; apiKey: { id: string } };
    };
    const { key, apiKey } = made.createApiKey;
    expect(await ask(viewer, { 'x-api-key': key })).toMatchObject({
      data: { viewer: { kind: 'API_KEY', subject: apiKey.id } },
    });
  });

  it('are both credentials, if a client sends two, and the subgraph refuses them', async () => {
    const { codes } = await ask(viewer, { ...bearer, 'x-api-key': 'sgk_1' });
    expect(codes).toEqual([expect.objectContaining({ code: 'BAD_REQUEST', status: 400 })]);
  });

  it('say by what the client reached the gateway of the graph, whatever the client says', async () => {
    await ask(viewer, { ...bearer, 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' });
    expect(behind.exchanges.at(-1)?.request.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    });
  });

  it('are no others of the client’s; what can be answered is its own', async () => {
    const before = behind.exchanges.length;
    const own = { cookie: 'session=1', origin: 'https://page.test', 'x-other': '1', accept: 'application/json' };
    await ask(viewer, { ...bearer, ...own });
    const { request, answer } = behind.exchanges[before] ?? {};
    expect(request?.headers).toMatchObject({ accept, 'content-type': 'application/json' });
    for (const name of ['cookie', 'origin', 'x-other']) expect(request?.headers).not.toHaveProperty(name);
    expect(answer?.headers).toMatchObject({ 'cache-control': 'no-store' });
  });

  it('let no answer be cached', async () => {
    const { headers } = await ask(viewer, bearer);
    expect(headers.get('cache-control') ?? 'no-store').toBe('no-store');
  });

  it('of a refusal do not ask for credentials; the code does', async () => {
    const { headers, codes } = await ask(viewer, {});
    expect(codes).toEqual([expect.objectContaining({ code: 'UNAUTHORIZED', requestId: expect.any(String) })]);
    expect(behind.exchanges.at(-1)?.answer.headers).toHaveProperty('www-authenticate');
    expect(headers.get('www-authenticate')).toBeNull();
  });

  it('of an answer, stay between the two; retryAfter is in the error', async () => {
    // Points are counted for each principal, whoever sends the requests.
    const spend = () => ask(viewer, bearer, secrets.url);
    for (let left = limit; left > 0; left -= 1) await spend();
    const { headers, codes } = await ask(viewer, bearer);
    expect(codes).toEqual([
      expect.objectContaining({ code: 'TOO_MANY_REQUESTS', status: 429, retryAfter: expect.any(Number) }),
    ]);
    const answered = behind.exchanges.at(-1)?.answer.headers ?? {};
    const between = ['retry-after', 'ratelimit', 'ratelimit-policy', 'ratelimit-remaining'];
    for (const name of between) {
      expect(answered).toHaveProperty(name);
      expect(headers.get(name)).toBeNull();
    }
  });
});
