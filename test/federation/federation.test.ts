import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApolloGateway } from './examples/apollo-gateway.ts';
import { composers, fetchSubgraph, type Subgraph } from './examples/compose.ts';
import { startDirectory } from './examples/directory.ts';
import { startHiveGateway } from './examples/hive-gateway.ts';
import { startSecretsGateway } from './support/secrets-gateway.ts';

/** Apollo Gateway accepts the default SDL only; Hive Gateway also accepts the security directives. */
const gateways = {
  'Apollo Gateway': {
    env: {},
    start: (subgraphs: readonly Subgraph[]) => startApolloGateway(composers['@apollo/composition'](subgraphs), 0),
  },
  'Hive Gateway': {
    env: {},
    start: (subgraphs: readonly Subgraph[]) =>
      startHiveGateway(composers['@theguild/federation-composition'](subgraphs), 0),
  },
  'Hive Gateway with security directives': {
    env: { SECURITY_DIRECTIVES: 'on' },
    start: (subgraphs: readonly Subgraph[]) =>
      startHiveGateway(composers['@theguild/federation-composition'](subgraphs), 0),
  },
};

interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that it selected
  data: any;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];
}

const value = `sk-proj-${randomUUID()}`;
const create = `
  mutation ($input: CreateSecretInput!) {
    createSecret(input: $input) {
      secret { id name version maskedValue owner { __typename ... on User { email } ... on Team { title } } }
      secrets { totalCount }
    }
  }`;
const update = `
  mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) { secret { version maskedValue } } }`;
const remove = 'mutation ($input: DeleteSecretInput!) { deleteSecret(input: $input) { id } }';

const error = (code: string, status: number, type: string, more: object = {}) =>
  expect.objectContaining({
    message: expect.stringMatching(/\.$/),
    extensions: expect.objectContaining({ code, status, type, requestId: 'of-the-client', ...more }),
  });
const forbidden = error('FORBIDDEN', 403, 'access_denied_error');
const unauthorized = error('UNAUTHORIZED', 401, 'authentication_error');

describe.each(Object.entries(gateways))('behind %s', (name, { env, start }) => {
  const running: { close(): Promise<void> }[] = [];
  let secrets: Awaited<ReturnType<typeof startSecretsGateway>>;
  let url: string;
  let token: string;
  let mine: { id: string; name: string; maskedValue: string };

  beforeAll(async () => {
    secrets = await startSecretsGateway(env);
    running.push(secrets);
    const directory = await startDirectory();
    running.push(directory);
    const gateway = await start([
      await fetchSubgraph('secrets', secrets.url),
      await fetchSubgraph('directory', directory.url),
    ]);
    running.unshift(gateway);
    url = gateway.url;
    // The token of ada, who is in the team red and may read and write.
    token = await secrets.issuer.token();
    const { data } = await ask(create, { input: { name: 'OPENAI_API_KEY', value, provider: 'openai' } });
    mine = data.createSecret.secret;
  });
  afterAll(async () => {
    for (const one of running) await one.close();
  });

  async function ask(query: string, variables: object = {}, credentials?: Record<string, string>): Promise<Answer> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-request-id': 'of-the-client',
        ...(credentials ?? { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.text();
    expect(text).not.toContain(value);
    return JSON.parse(text) as Answer;
  }

  const bearer = async (claims: Record<string, unknown>) => ({
    authorization: `Bearer ${await secrets.issuer.token(claims)}`,
  });

  it('users have emails and secrets in one request; a forbidden owner affects only its own field', async () => {
    const { data, errors } = await ask('{ users { email secrets { totalCount nodes { name maskedValue } } } }');
    expect(data).toEqual({
      users: [
        {
          email: 'ada@example.com',
          secrets: {
            totalCount: 1,
            nodes: [{ name: 'OPENAI_API_KEY', maskedValue: expect.stringContaining('••••') }],
          },
        },
        { email: 'grace@example.com', secrets: null },
      ],
    });
    expect(errors).toEqual([forbidden]);
    // Hive Gateway leaves the indexes of lists out of paths.
    expect(errors?.[0]?.path).toEqual(name.startsWith('Hive') ? ['users', 'secrets'] : ['users', 1, 'secrets']);
  });

  it('teams and connectors also have their own fields and secrets in one request', async () => {
    await ask(create, { input: { owner: { teamId: 'red', connectorId: 'crm' }, name: 'client_id', value } });
    const { data, errors } = await ask(`{
      teams(ids: ["red", "blue"]) { title secrets { totalCount } }
      connectors { vendor secrets { nodes { name owner { ... on Connector { vendor } } } } }
      viewer { subject teams { team { title } } }
    }`);
    expect(data).toEqual({
      teams: [
        { title: 'Team red', secrets: { totalCount: 0 } },
        { title: 'Team blue', secrets: null },
      ],
      connectors: [{ vendor: 'ACME', secrets: { nodes: [{ name: 'client_id', owner: { vendor: 'ACME' } }] } }],
      viewer: { subject: 'ada', teams: [{ team: { title: 'Team red' } }] },
    });
    expect(errors).toEqual([forbidden]);
  });

  it('the caller is the one of the Authorization header', async () => {
    const { data } = await ask('{ viewer { subject } }', {}, await bearer({ sub: 'grace' }));
    expect(data).toEqual({ viewer: { subject: 'grace' } });
    const users = await ask('{ users { email secrets { totalCount } } }', {}, await bearer({ sub: 'grace' }));
    expect(users.data.users).toEqual([
      { email: 'ada@example.com', secrets: null },
      { email: 'grace@example.com', secrets: { totalCount: 0 } },
    ]);
  });

  it('secrets are resolved from references of another subgraph; foreign and missing ones get the same answer', async () => {
    const bookmark = 'query ($id: ID!) { bookmark(secretId: $id) { note secret { id name maskedValue } } }';
    const own = await ask(bookmark, { id: mine.id });
    expect(own).toEqual({
      data: { bookmark: { note: 'remember', secret: { id: mine.id, name: mine.name, maskedValue: mine.maskedValue } } },
    });
    const foreign = await ask(bookmark, { id: mine.id }, await bearer({ sub: 'grace' }));
    const missing = await ask(bookmark, { id: randomUUID() }, await bearer({ sub: 'grace' }));
    expect(foreign.data).toEqual({ bookmark: { note: 'remember', secret: null } });
    expect(foreign).toEqual(missing);
  });

  it('mutations work, and their answers can have fields of other subgraphs', async () => {
    const created = await ask(create, { input: { owner: { teamId: 'red' }, name: 'deploy key', value } });
    expect(created).toEqual({
      data: {
        createSecret: {
          secret: {
            id: expect.any(String),
            name: 'deploy key',
            version: 1,
            maskedValue: expect.stringContaining('••••'),
            owner: { __typename: 'Team', title: 'Team red' },
          },
          secrets: { totalCount: 1 },
        },
      },
    });
    const { id } = created.data.createSecret.secret;
    const updated = await ask(update, { input: { id, value: `${value}-2`, expectedVersion: 1 } });
    expect(updated.data.updateSecret.secret.version).toBe(2);
    const removed = await ask(remove, { input: { id } });
    expect(removed).toEqual({ data: { deleteSecret: { id } } });
  });

  describe('errors keep code, status, type and request id', () => {
    const nothing = '4c07bc67-57ea-42dd-b702-c2d6c45419fc';
    const fields = expect.arrayContaining([
      expect.objectContaining({ field: 'name', loc: ['input', 'name'], type: 'environment_variable_name' }),
      expect.objectContaining({ field: 'value', loc: ['input', 'value'], type: 'required' }),
    ]);

    it.each<[string, string, object, unknown]>([
      ['FORBIDDEN', '{ secrets(owner: { teamId: "blue" }) { totalCount } }', {}, forbidden],
      ['NOT_FOUND', remove, { input: { id: nothing } }, error('NOT_FOUND', 404, 'not_found_error')],
      [
        'CONFLICT_ERROR',
        create,
        { input: { name: 'OPENAI_API_KEY', value, provider: 'openai' } },
        error('CONFLICT_ERROR', 409, 'conflict_error'),
      ],
      [
        'UNPROCESSABLE_ENTITY with every broken field',
        create,
        { input: { name: '1', value: '', provider: 'openai' } },
        error('UNPROCESSABLE_ENTITY', 422, 'validation_error', { errors: fields }),
      ],
      [
        'BAD_REQUEST for a forged cursor',
        '{ secrets(after: "forged") { totalCount } }',
        {},
        error('BAD_REQUEST', 400, 'invalid_request_error', { description: expect.stringContaining('cursor') }),
      ],
    ])('%s', async (_code, query, variables, expected) => {
      const { data, errors } = await ask(query, variables);
      expect(errors).toEqual([expected]);
      expect(data).toBeNull();
    });

    it('CONFLICT_ERROR with the current version', async () => {
      const { errors } = await ask(update, { input: { id: mine.id, notes: 'n', expectedVersion: 7 } });
      expect(errors).toEqual([error('CONFLICT_ERROR', 409, 'conflict_error', { currentVersion: 1 })]);
    });

    it('PERMISSION_ERROR, in a field of another subgraph’s user', async () => {
      const { data, errors } = await ask(
        '{ users { email secrets { totalCount } } }',
        {},
        await bearer({ scope: 'secrets:write' }),
      );
      expect(data.users[0]).toEqual({ email: 'ada@example.com', secrets: null });
      expect(errors).toEqual([error('PERMISSION_ERROR', 403, 'permission_error'), forbidden]);
    });

    it('BAD_REQUEST for a forged cursor, in a field of another subgraph’s user', async () => {
      const { data, errors } = await ask('{ users { email secrets(after: "forged") { totalCount } } }');
      expect(data.users.map((user: { email: string }) => user.email)).toEqual(['ada@example.com', 'grace@example.com']);
      expect(errors).toEqual([error('BAD_REQUEST', 400, 'invalid_request_error'), forbidden]);
    });

    it.each([
      ['a wrong token', { authorization: 'Bearer wrong' }],
      ['no token', {}],
    ])('UNAUTHORIZED for %s', async (_what, credentials) => {
      const alone = await ask('{ secrets { totalCount } }', {}, credentials);
      expect(alone).toEqual({ data: null, errors: [unauthorized] });
      const { data, errors } = await ask('{ users { email secrets { totalCount } } }', {}, credentials);
      expect(data.users[0]).toEqual({ email: 'ada@example.com', secrets: null });
      // Hive Gateway repeats the error for each user, Apollo Gateway reports it once for a refused request.
      expect(errors?.length).toBeGreaterThan(0);
      for (const one of errors ?? []) expect(one).toEqual(unauthorized);
    });
  });

  it('the secrets of 100 users take one request to the subgraph', async () => {
    const before = secrets.operations().length;
    const { data, errors } = await ask('{ manyUsers(count: 100) { email secrets { totalCount } } }');
    expect(data.manyUsers).toHaveLength(100);
    expect(data.manyUsers[99]).toEqual({ email: 'ada@example.com', secrets: { totalCount: 1 } });
    expect(errors).toEqual(Array.from({ length: 99 }, () => forbidden));
    expect(secrets.operations().slice(before)).toEqual(['_entities']);
  });

  it('the secrets of 100 teams of the caller take one request to the subgraph', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `team-${index}`);
    const before = secrets.operations().length;
    const { data, errors } = await ask(
      'query ($ids: [ID!]!) { teams(ids: $ids) { title secrets { totalCount nodes { name } } } }',
      { ids },
      await bearer({ teams: ids }),
    );
    expect(errors).toBeUndefined();
    expect(data.teams[99]).toEqual({ title: 'Team team-99', secrets: { totalCount: 0, nodes: [] } });
    expect(secrets.operations().slice(before)).toEqual(['_entities']);
  });
});
