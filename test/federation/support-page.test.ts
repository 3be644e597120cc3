import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startApolloGateway } from './examples/apollo-gateway.ts';
import { composers, fetchSubgraph, type Subgraph } from './examples/compose.ts';
import { startDirectory } from './examples/directory.ts';
import { startHiveGateway } from './examples/hive-gateway.ts';
import { startSecretsGateway } from './support/secrets-gateway.ts';

const gateways = {
  'Apollo Gateway': (subgraphs: readonly Subgraph[]) =>
    startApolloGateway(composers['@apollo/composition'](subgraphs), 0),
  'Hive Gateway': (subgraphs: readonly Subgraph[]) =>
    startHiveGateway(composers['@theguild/federation-composition'](subgraphs), 0),
};

interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that it selected
  data: any;
  errors?: { message: string; extensions: Record<string, unknown> }[];
}

const key = 'name health { status checkedAt source } lastUsedAt expiresAt';
const users = `{ users { email secrets { nodes { ${key} } } } }`;
const team = `{ teams(ids: ["red"]) { title members { email } secrets { nodes { ${key} } } } }`;
const create = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id useUrl } } }';
const expiresAt = '2031-01-01T00:00:00.000Z';
/** What a use of a key that works says of it. */
const valid = { status: 'VALID', checkedAt: expect.any(String), source: 'USE' };

describe.each(Object.entries(gateways))('a page that joins secrets with data of its own, behind %s', (_name, start) => {
  const running: { close(): unknown }[] = [];
  let secrets: Awaited<ReturnType<typeof startSecretsGateway>>;
  let url: string;
  /** What the provider answers. */
  let status = 200;
  let ada: Record<string, string>;
  const useUrls: Record<string, string> = {};

  beforeAll(async () => {
    secrets = await startSecretsGateway();
    running.unshift(secrets);
    const directory = await startDirectory();
    running.unshift(directory);
    const provider = createServer((_request, response) => response.writeHead(status).end()).listen(0, '127.0.0.1');
    running.unshift(provider);
    await once(provider, 'listening');
    const gateway = await start([
      await fetchSubgraph('secrets', secrets.url),
      await fetchSubgraph('directory', directory.url),
    ]);
    running.unshift(gateway);
    url = gateway.url;
    ada = await bearer({ scope: 'secrets:read secrets:write secrets:use' });
    const destination = { origin: `http://127.0.0.1:${(provider.address() as AddressInfo).port}` };
    const key = { value: 'sk-example-9f2c1e7a4b8', destination, expiresAt };
    for (const [name, of] of Object.entries({ OF_ADA: { provider: 'acme' }, OF_RED: { owner: { teamId: 'red' } } })) {
      const { data } = await ask(create, ada, { input: { name, ...key, ...of } });
      useUrls[name] = data.createSecret.secret.useUrl;
    }
  });
  afterAll(async () => {
    for (const one of running) await one.close();
  });
  beforeEach(() => {
    status = 200;
  });

  const bearer = async (claims: Record<string, unknown>) => ({
    authorization: `Bearer ${await secrets.issuer.token(claims)}`,
  });

  async function ask(query: string, headers: Record<string, string>, variables: object = {}): Promise<Answer> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Answer;
  }

  const use = async (name: string) => (await fetch(`${useUrls[name]}/v1/models`, { headers: ada })).status;

  it('a user sees what became of their own keys, in one request of the page and one to the subgraph', async () => {
    const before = secrets.operations().length;
    expect(await ask(users, ada)).toMatchObject({
      data: {
        users: [
          {
            email: 'ada@example.com',
            secrets: { nodes: [{ name: 'OF_ADA', health: null, lastUsedAt: null, expiresAt }] },
          },
          { secrets: null },
        ],
      },
    });
    expect(secrets.operations().slice(before)).toEqual(['_entities']);
    expect(await use('OF_ADA')).toBe(200);
    const { data } = await ask(users, ada);
    expect(data.users[0].secrets.nodes).toEqual([
      { name: 'OF_ADA', health: valid, lastUsedAt: expect.any(String), expiresAt },
    ]);
  });

  it('a support person sees the keys of a team that their token names, and who its members are', async () => {
    const sam = await bearer({ sub: 'sam', teams: ['red'], scope: 'secrets:read' });
    expect(await use('OF_RED')).toBe(200);
    expect(await ask(team, sam)).toEqual({
      data: {
        teams: [
          {
            title: 'Team red',
            members: [{ email: 'ada@example.com' }, { email: 'grace@example.com' }],
            secrets: { nodes: [{ name: 'OF_RED', health: valid, lastUsedAt: expect.any(String), expiresAt }] },
          },
        ],
      },
    });
  });

  it.each([
    ['no team', {}],
    ['the team of the user', { teams: ['red'] }],
    ['the team of the user as its admin', { teams: [{ id: 'red', role: 'admin' }], scope: 'secrets:read keys:manage' }],
  ])('a support person in %s sees no user’s own keys', async (_what, claims) => {
    const sam = await bearer({ sub: 'sam', teams: [], scope: 'secrets:read', ...claims });
    const { data, errors } = await ask(users, sam);
    expect(data.users).toEqual([
      { email: 'ada@example.com', secrets: null },
      { email: 'grace@example.com', secrets: null },
    ]);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  });

  it('a support person whose token does not name the team sees none of its keys, and no token changes one without secrets:write', async () => {
    const sam = await bearer({ sub: 'sam', teams: [], scope: 'secrets:read' });
    const { data, errors } = await ask(team, sam);
    expect(data.teams).toEqual([{ title: 'Team red', members: expect.any(Array), secrets: null }]);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    const reader = await bearer({ sub: 'sam', teams: ['red'], scope: 'secrets:read' });
    const refused = await ask(create, reader, { input: { owner: { teamId: 'red' }, name: 'x' } });
    expect(refused.errors?.map(({ extensions }) => extensions.code)).toEqual(['PERMISSION_ERROR']);
  });

  it('a key that its provider refuses is rejected on the page at once, and valid again after the next use that works', async () => {
    const health = async () => (await ask(users, ada)).data.users[0].secrets.nodes[0].health;
    const filtered = '{ users { secrets(filter: { health: REJECTED }) { nodes { name } } } }';
    const dead = async () => (await ask(filtered, ada)).data.users[0].secrets.nodes;
    const rejected = { ...valid, status: 'REJECTED' };
    status = 401;
    expect(await use('OF_ADA')).toBe(401);
    expect(await health()).toEqual(rejected);
    expect(await dead()).toEqual([{ name: 'OF_ADA' }]);
    // An outage says nothing about the key.
    status = 503;
    expect(await use('OF_ADA')).toBe(503);
    expect(await health()).toEqual(rejected);
    status = 200;
    expect(await use('OF_ADA')).toBe(200);
    expect(await health()).toEqual(valid);
    expect(await dead()).toEqual([]);
  });

  it('who used a key, and when it was rejected, comes through the supergraph', async () => {
    status = 401;
    expect(await use('OF_RED')).toBe(401);
    const admin = await bearer({ teams: [{ id: 'red', role: 'admin' }], scope: 'secrets:read' });
    const types = '["secret.used", "secret.rejected"]';
    const { data } = await ask(
      `{ auditEvents(owner: { teamId: "red" }, filter: { types: ${types} }, last: 2) { nodes { type actor { id } method secretName } } }`,
      admin,
    );
    expect(data.auditEvents.nodes).toEqual([
      { type: 'secret.used', actor: { id: 'ada' }, method: 'GET', secretName: 'OF_RED' },
      { type: 'secret.rejected', actor: { id: 'ada' }, method: null, secretName: 'OF_RED' },
    ]);
  });

  it('lists take filters: what is about to expire', async () => {
    const due = (moment: string) =>
      ask(
        `query ($moment: DateTime!) { users { secrets(filter: { expiresBefore: $moment }) { nodes { name } } } }`,
        ada,
        {
          moment,
        },
      );
    expect((await due('2031-02-01T00:00:00Z')).data.users[0].secrets.nodes).toEqual([{ name: 'OF_ADA' }]);
    expect((await due('2030-12-01T00:00:00Z')).data.users[0].secrets.nodes).toEqual([]);
  });
});
