import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Client,
  createClient,
  GatewayError,
  isGatewayError,
  type Secret,
  type SecretHealth,
} from '../../src/client/index.ts';
import { adminClaims } from '../support/api-keys.ts';
import { refusalOf } from '../support/client.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';

const value = 'sk-proj-9f2c1e7a4b8d6053e1c7a9d2f4b6789';

describe.each(storeNames)('a client of a gateway on %s', (store) => {
  let gateway: TestGateway;
  let client: Client;

  beforeAll(async () => {
    gateway = await TestGateway.start(store);
    client = createClient({ url: gateway.url, token: await gateway.issuer.token() });
  });
  afterAll(() => gateway.close());

  const as = async (claims: Record<string, unknown>) =>
    createClient({ url: gateway.url, token: await gateway.issuer.token(claims) });

  it('tells who calls', async () => {
    expect(await client.viewer()).toEqual({
      kind: 'USER',
      subject: 'ada',
      scopes: ['secrets:read', 'secrets:write'],
      teams: [{ id: 'red', role: 'MEMBER' }],
    });
  });

  it('creates, finds, updates and deletes a secret', async () => {
    const created = await client.createSecret({ name: 'OPENAI_API_KEY', provider: 'openai', value });
    expect(created).toMatchObject({ secret: { name: 'OPENAI_API_KEY', version: 1 }, warnings: [] });
    const { id } = created.secret;
    expect((await gateway.openValue(id)).value).toBe(value);
    const found = await client.secret(id);
    expectTypeOf(found).toEqualTypeOf<Secret | null>();
    expect(found).toMatchObject({ id, maskedValue: 'sk-pro••••789', owner: { __typename: 'User', id: 'ada' } });

    const updated = await client.updateSecret({ id, value: `${value}\n`, notes: 'new', expectedVersion: 1 });
    expect(updated).toMatchObject({
      secret: { id, version: 2 },
      warnings: [{ type: 'trailing_newline' }, { type: 'value_not_for_headers' }],
    });
    expect((await gateway.openValue(id)).value).toBe(`${value}\n`);

    expect(await client.deleteSecret({ id, expectedVersion: 2 })).toMatchObject({ id, secret: { version: 2 } });
    expect(await client.secret(id)).toBeNull();
  });

  it('checks a secret with the right to use it alone, and has values verified', async () => {
    const owner = { teamId: 'red', connectorId: 'checks' };
    const { secret } = await client.createSecret({ owner, name: 'checked', provider: 'custom', value });
    const user = await as({ scope: 'secrets:use' });
    expect(await user.checkSecret({ id: secret.id })).toMatchObject({
      result: 'UNSUPPORTED',
      secret: { id: secret.id, name: 'checked' },
    });
    const writer = await as({ scope: 'secrets:write secrets:use' });
    const written = await writer.updateSecret({ id: secret.id, owner, value, verify: true });
    expect(written.warnings.map(({ type }) => type)).toContain('not_verified');
    const found = await client.secret(secret.id);
    expectTypeOf(found?.health).toEqualTypeOf<SecretHealth | null | undefined>();
    expect(found?.health).toBeNull();
    const { nodes } = await client.secrets({ owner, filter: { health: 'REJECTED' } });
    expect(nodes).toEqual([]);
  });

  it('says where a value may be sent, and where it is used', async () => {
    const owner = { teamId: 'red', connectorId: 'destinations' };
    const destination = { origin: 'https://api.example.com', paths: ['/v1'] };
    const { secret } = await client.createSecret({ owner, name: 'sent', value, destination });
    const useUrl = `${new URL(gateway.url).origin}/v1/use/${secret.id}`;
    const stored = { ...destination, header: 'Authorization', format: 'Bearer {value}' };
    expect(await client.secret(secret.id)).toMatchObject({ destination: stored, useUrl, lastUsedAt: null });
    const again = { ...destination, header: 'x-api-key', format: '{value}' };
    await client.updateSecret({ id: secret.id, owner, value, destination: again });
    await client.createSecrets({ owner, secrets: [{ name: 'sent, too', value, destination }] });
    expect((await client.secrets({ owner })).nodes.map((one) => one.destination)).toEqual([again, stored]);
    expect((await client.versions(secret.id))?.map((one) => one.destination)).toEqual([again, stored]);
    const refusal = await refusalOf(client.updateSecret({ id: secret.id, owner, value }));
    expect(refusal).toMatchObject({ code: 'UNPROCESSABLE_ENTITY', errors: [{ type: 'destination_required' }] });
  });

  it('works with credentials that may only write', async () => {
    const writer = await as({ sub: 'writer', scope: 'secrets:write' });
    const { secret } = await writer.createSecret({ name: 'WRITTEN', provider: 'p', value });
    await writer.updateSecret({ id: secret.id, notes: 'a note' });
    expect((await writer.deleteSecret({ id: secret.id })).secret).toMatchObject({ name: 'WRITTEN', version: 2 });
  });

  it('reaches the secrets of a team and of a connector', async () => {
    for (const owner of [{ teamId: 'red' }, { teamId: 'red', connectorId: 'crm' }]) {
      const { secret } = await client.createSecret({ owner, name: 'of whom', value });
      expect((await client.secrets({ owner })).nodes).toMatchObject([{ id: secret.id }]);
    }
  });

  it('lists page by page, in both directions, and all in one loop', async () => {
    const owner = { teamId: 'red', connectorId: 'pages' };
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await client.createSecret({ owner, name, value, tags: name < 'c' ? ['early'] : [] });

    const first = await client.secrets({ owner, first: 2 });
    expect(first).toMatchObject({ totalCount: 5, pageInfo: { hasNextPage: true } });
    expect(first.nodes.map(({ name }) => name)).toEqual(['a', 'b']);
    const second = await client.secrets({ owner, first: 2, after: first.pageInfo.endCursor });
    expect(second.nodes.map(({ name }) => name)).toEqual(['c', 'd']);
    const before = await client.secrets({ owner, last: 1, before: second.pageInfo.startCursor });
    expect(before.nodes.map(({ name }) => name)).toEqual(['b']);

    for (const pageSize of [1, 2, 5, undefined]) {
      const all = await namesOf(client.allSecrets({ owner, pageSize }));
      expect(all).toEqual(names);
    }
    const filter = { tags: ['early'] };
    expect(await namesOf(client.allSecrets({ owner, filter }))).toEqual(['a', 'b']);
  });

  it('asks for no page that nobody reads', async () => {
    let requests = 0;
    const counting = createClient({
      url: gateway.url,
      token: await gateway.issuer.token(),
      fetch: (url, init) => {
        requests += 1;
        return fetch(url, init);
      },
    });
    for await (const { name } of counting.allSecrets({ owner: { teamId: 'red', connectorId: 'pages' }, pageSize: 2 })) {
      if (name === 'b') break;
    }
    expect(requests).toBe(1);
  });

  it('makes, lists, rotates and revokes API keys, and works with one', async () => {
    const admin = await as(adminClaims);
    const scopes = ['secrets:read', 'secrets:write'];
    const { apiKey, key } = await admin.createApiKey({ teamId: 'red', connectorId: 'ci', name: 'CI', scopes });
    const machine = createClient({ url: gateway.url, apiKey: key ?? '' });
    expect(await machine.viewer()).toMatchObject({ kind: 'API_KEY', subject: apiKey.id });
    await machine.createSecret({ name: 'of the key', value });
    expect(await namesOf(machine.allSecrets())).toEqual(['of the key']);

    expect((await admin.apiKeys({ teamId: 'red', first: 1 })).nodes).toMatchObject([{ id: apiKey.id, name: 'CI' }]);
    const heir = await admin.rotateApiKey({ id: apiKey.id });
    expect(await refusalOf(machine.viewer())).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await admin.revokeApiKey({ id: heir.apiKey.id })).toMatchObject({ revokedAt: expect.any(String) });
    const old = createClient({ url: gateway.url, apiKey: heir.key ?? '' });
    expect(await refusalOf(old.viewer())).toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('runs documents of your own', async () => {
    const text = 'query Mine($name: String!) { secrets(filter: { name: $name }) { totalCount } }';
    expect(await client.request<{ secrets: { totalCount: number } }, { name: string }>(text, { name: 'X' })).toEqual({
      secrets: { totalCount: 0 },
    });
    const ofCodegen = new (class extends String {})('{ viewer { subject } }');
    expect(await client.request(ofCodegen, {})).toEqual({ viewer: { subject: 'ada' } });
  });

  it('is asked for a new token before each request, also an asynchronous one', async () => {
    const tokens = [await gateway.issuer.token({ sub: 'eve' }), await gateway.issuer.token({ sub: 'mallory' })];
    const renewing = createClient({ url: gateway.url, token: async () => tokens.shift() ?? '' });
    expect((await renewing.viewer()).subject).toBe('eve');
    expect((await renewing.viewer()).subject).toBe('mallory');
  });

  it('finds the gateway with and without /graphql', async () => {
    const token = await gateway.issuer.token();
    const { origin } = new URL(gateway.url);
    for (const url of [origin, `${origin}/`, `${origin}/graphql`, `${origin}/graphql/`]) {
      expect((await createClient({ url, token }).viewer()).subject).toBe('ada');
    }
  });

  describe('tells an error of the gateway', () => {
    it('with its code, status, type, request id and description', async () => {
      const error = await refusalOf(createClient({ url: gateway.url, token: 'x.y.z' }).viewer());
      expect(error).toBeInstanceOf(GatewayError);
      expect(error).toMatchObject({
        name: 'GatewayError',
        message: 'Authentication is required.',
        code: 'UNAUTHORIZED',
        status: 401,
        type: 'authentication_error',
        requestId: expect.stringMatching(/^[\w-]{36}$/),
        description: expect.stringMatching(/./),
      });
    });

    it('with every field that breaks a rule', async () => {
      const error = await refusalOf(client.createSecret({ name: '1', value: '' }));
      expect(error).toMatchObject({ code: 'UNPROCESSABLE_ENTITY', status: 422 });
      expect(error.errors.map(({ field }) => field).sort()).toEqual(['name', 'provider', 'sealedValue']);
      expect(error.errors[0]).toEqual({
        field: expect.any(String),
        loc: ['input', expect.any(String)],
        message: expect.any(String),
        type: expect.any(String),
      });
    });

    it('with the current version of a secret that somebody else has changed', async () => {
      const { secret } = await client.createSecret({ owner: { teamId: 'red' }, name: 'busy', value });
      await client.updateSecret({ id: secret.id, notes: 'theirs' });
      const error = await refusalOf(client.updateSecret({ id: secret.id, notes: 'mine', expectedVersion: 1 }));
      expect(error).toMatchObject({ code: 'CONFLICT_ERROR', currentVersion: 2 });
    });

    it('with a code that a type guard narrows', async () => {
      const error: unknown = await refusalOf(client.secrets({ owner: { teamId: 'blue' } }));
      expect(isGatewayError(error)).toBe(true);
      expect(isGatewayError(error, 'CONFLICT_ERROR')).toBe(false);
      expect(isGatewayError(new Error('FORBIDDEN'), 'FORBIDDEN')).toBe(false);
      expect(isGatewayError(error, 'PERMISSION_ERROR', 'FORBIDDEN')).toBe(true);
      if (isGatewayError(error, 'FORBIDDEN')) expectTypeOf(error.code).toEqualTypeOf<'FORBIDDEN'>();
      // @ts-expect-error: no code of the gateway
      isGatewayError(error, 'NO_SUCH_CODE');
    });

    it('with the part of the data that came beside it', async () => {
      const error = await refusalOf(client.request('{ viewer { subject } secret(id: "1") { id } }', {}));
      expect(error).toMatchObject({ code: 'UNPROCESSABLE_ENTITY', errors: [{ field: 'id', type: 'uuid' }] });
      expect(error.answer).toMatchObject({
        data: { viewer: { subject: 'ada' }, secret: null },
        errors: [{ path: ['secret'] }],
      });
    });
  });

  it('its types name what is missing or wrong', () => {
    // Not run: the compiler is what is tested.
    const misuse = async () => {
      // @ts-expect-error: no name
      await client.createSecret({ value });
      // @ts-expect-error: the version is a number
      await client.deleteSecret({ id: 'x', expectedVersion: '1' });
      // @ts-expect-error: a number
      await client.secret(7);
      // @ts-expect-error: no such field
      (await client.viewer()).value;
    };
    expect(misuse).toBeTypeOf('function');
  });
});

async function namesOf(secrets: AsyncIterable<Secret>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of secrets) names.push(name);
  return names;
}
