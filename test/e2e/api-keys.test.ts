import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isApiKey } from '../../src/identity/api-key.ts';
import {
  adminClaims,
  apiKeyFields,
  createApiKey,
  newApiKey,
  revokeApiKey,
  rotateApiKey,
  withApiKey,
} from '../support/api-keys.ts';
import { type GraphQLAnswer, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

const viewer = '{ viewer { kind subject scopes teams { id role } } }';
const list = `query ($first: Int, $after: String) {
  apiKeys(teamId: "red", first: $first, after: $after) {
    totalCount
    nodes { ${apiKeyFields} }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

describe.each(storeNames)('an API key, on %s,', (store) => {
  let gateway: TestGateway;
  let admin: { token: string };

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    admin = { token: await gateway.issuer.token(adminClaims) };
  });
  afterAll(() => gateway.close());

  const answers = async (key: string) => (await gateway.run(viewer, {}, withApiKey(key))).status;

  it('creates and lists the secrets of a connector with X-API-Key, as the connector documents show it', async () => {
    const owner = { teamId: 'red', connectorId: 'codeless-1' };
    const { key } = await newApiKey(gateway, { connectorId: 'codeless-1' });
    const create = createSecret('placeholder name', 'secrets { totalCount nodes { placeholder name } }');
    const input = { owner, name: 'client_id', value: 'my-super-secret-value' };
    const created = await gateway.run(create, { input }, withApiKey(key));
    expect(created.errors).toEqual([]);
    const { secret, secrets } = created.data.createSecret;
    expect(secret).toEqual({ placeholder: expect.stringMatching(/^sec_[0-9a-f]{9}$/), name: 'client_id' });
    expect(secrets).toEqual({ totalCount: 1, nodes: [secret] });

    const listOf = 'query ($owner: OwnerInput!) { secrets(owner: $owner) { totalCount nodes { placeholder name } } }';
    const listed = await gateway.run(listOf, { owner }, withApiKey(key));
    expect(listed.data.secrets).toEqual({ totalCount: 1, nodes: [secret] });
    expect(listed.text).not.toContain('my-super-secret-value');
    // The owner may be left out: it is the key's own.
    expect((await gateway.run(listOf, { owner: {} }, withApiKey(key))).data).toEqual(listed.data);
    expect(listed.headers.get('x-request-id')).toMatch(/./);
  });

  it('is shown once when it is made, and then only by what it is for', async () => {
    const expiresAt = '2099-01-01T00:00:00.000Z';
    const input = { teamId: 'red', connectorId: 'c', name: 'CI', scopes: ['secrets:write', 'secrets:read'], expiresAt };
    const { data, errors } = await gateway.run(createApiKey, { input }, admin);
    expect(errors).toEqual([]);
    const { apiKey, key } = data.createApiKey;
    expect(isApiKey(key)).toBe(true);
    expect(apiKey).toEqual({
      ...{ id: expect.stringMatching(/^[0-9a-f-]{36}$/), teamId: 'red', connectorId: 'c', name: 'CI', expiresAt },
      prefix: key.slice(0, 9),
      scopes: ['secrets:read', 'secrets:write'],
      createdAt: expect.stringMatching(/Z$/),
      createdBy: { kind: 'USER', id: 'grace' },
      lastUsedAt: null,
      revokedAt: null,
    });
    const listed = await gateway.run(list, {}, admin);
    expect(listed.data.apiKeys.nodes).toContainEqual(apiKey);
    expect(listed.text).not.toContain(key);
  });

  it('says who it is: its id, its team and its scopes, in either header', async () => {
    const { id, key } = await newApiKey(gateway, { scopes: ['secrets:read'] });
    const told = { kind: 'API_KEY', subject: id, scopes: ['secrets:read'], teams: [{ id: 'red', role: 'MEMBER' }] };
    expect((await gateway.run(viewer, {}, withApiKey(key))).data.viewer).toEqual(told);
    expect((await gateway.run(viewer, {}, { token: key })).data.viewer).toEqual(told);
    expect((await gateway.run(viewer, {}, admin)).data.viewer).toMatchObject({ kind: 'USER', subject: 'grace' });
  });

  it('beside another credential is BAD_REQUEST, and an empty X-API-Key is none', async () => {
    const { key } = await newApiKey(gateway);
    for (const token of [undefined, key]) {
      const both = await gateway.run(viewer, {}, { ...(token && { token }), headers: { 'x-api-key': key } });
      expect([both.status, both.errors[0]?.extensions.code]).toEqual([400, 'BAD_REQUEST']);
    }
    expect((await gateway.run(viewer, {}, { token: key, headers: { 'x-api-key': '' } })).status).toBe(200);
  });

  it('is listed in the order of names, in pages, also when it was revoked', async () => {
    const teams = [{ id: 'red', role: 'admin' }];
    const names = ['page b', 'page a', 'page c', 'page a'];
    for (const name of names) await newApiKey(gateway, { name });
    const { data } = await gateway.run(list, { first: 1000 }, admin);
    const { nodes, totalCount } = data.apiKeys;
    expect(totalCount).toBe(nodes.length);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const answer: GraphQLAnswer = await gateway.run(list, { first: 2, after }, admin);
      const page = answer.data.apiKeys;
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      expect(page.edges.map((edge: { node: { id: string } }) => edge.node.id)).toEqual(
        page.nodes.map((node: { id: string }) => node.id),
      );
      expect([page.pageInfo.startCursor, page.pageInfo.endCursor]).toEqual([
        page.edges[0].cursor,
        page.edges.at(-1).cursor,
      ]);
      seen.push(...page.nodes.map((node: { id: string }) => node.id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual(nodes.map((node: { id: string }) => node.id));
    const ordered = nodes.map((node: { name: string; id: string }) => `${node.name} ${node.id}`);
    expect(ordered).toEqual(ordered.toSorted());

    await gateway.run(revokeApiKey, { input: { id: seen[0] } }, admin);
    const left = (await gateway.run(list, { first: 1000 }, admin)).data.apiKeys;
    expect(left.totalCount).toBe(totalCount);
    expect(left.nodes[0]).toMatchObject({ id: seen[0], revokedAt: expect.stringMatching(/Z$/) });

    // A cursor belongs to the list of its team.
    const cursor = left.edges[0].cursor;
    const blue = { token: await gateway.issuer.token({ ...adminClaims, teams: [{ id: 'blue', role: 'admin' }] }) };
    const ofBlue = 'query ($after: String) { apiKeys(teamId: "blue", after: $after) { totalCount } }';
    expect((await gateway.run(ofBlue, { after: cursor }, blue)).errors[0]?.extensions.code).toBe('BAD_REQUEST');
    const secrets = 'query ($after: String) { secrets(owner: { teamId: "red" }, after: $after) { totalCount } }';
    const token = await gateway.issuer.token({ ...adminClaims, teams });
    expect((await gateway.run(secrets, { after: cursor }, { token })).errors[0]?.extensions.code).toBe('BAD_REQUEST');
    // A client that has no cursor yet may send it as empty text.
    expect((await gateway.run(list, { first: 1000, after: '' }, admin)).data.apiKeys).toEqual(left);
    for (const first of [-1, 1001]) {
      expect((await gateway.run(list, { first }, admin)).errors[0]?.extensions).toMatchObject({
        code: 'UNPROCESSABLE_ENTITY',
        errors: [{ field: 'first', type: 'range' }],
      });
    }
    expect((await gateway.run(list, { first: 0 }, admin)).data.apiKeys).toMatchObject({
      nodes: [],
      pageInfo: { hasNextPage: true, startCursor: null },
    });
  });

  it('that is made with wrong fields is not made, and all of them are told', async () => {
    const before = (await gateway.run(list, {}, admin)).data.apiKeys.totalCount;
    const token = await gateway.issuer.token({ ...adminClaims, scope: 'secrets:read keys:manage' });
    const input = {
      teamId: 'red',
      connectorId: 'c\n',
      name: '',
      scopes: ['secrets:read', 'secrets:write', 'keys:manage', 'nonsense-4711'],
      expiresAt: '2020-01-01T00:00:00Z',
    };
    const { status, errors, text } = await gateway.run(createApiKey, { input }, { token });
    expect([status, errors[0]?.extensions.code]).toEqual([422, 'UNPROCESSABLE_ENTITY']);
    expect(errors[0]?.extensions.errors?.map(({ field, loc, type }) => ({ field, loc: loc.join('.'), type }))).toEqual([
      { field: 'connectorId', loc: 'input.connectorId', type: 'characters' },
      { field: 'name', loc: 'input.name', type: 'required' },
      { field: 'scopes', loc: 'input.scopes.1', type: 'scope_not_held' },
      { field: 'scopes', loc: 'input.scopes.2', type: 'scope' },
      { field: 'scopes', loc: 'input.scopes.3', type: 'scope' },
      { field: 'expiresAt', loc: 'input.expiresAt', type: 'past' },
    ]);
    expect(text).not.toContain('4711');
    const rotated = await gateway.run(rotateApiKey, { input: { id: 'x', graceSeconds: 604_801 } }, admin);
    expect(rotated.errors[0]?.extensions.errors?.map(({ field, type }) => [field, type])).toEqual([
      ['id', 'uuid'],
      ['graceSeconds', 'range'],
    ]);
    expect((await gateway.run(list, {}, admin)).data.apiKeys.totalCount).toBe(before);
  });

  it('that was revoked is refused at once, and revoking it again changes nothing', async () => {
    const { id, key } = await newApiKey(gateway);
    expect(await answers(key)).toBe(200);
    const revoked = await gateway.run(revokeApiKey, { input: { id: id.toUpperCase() } }, admin);
    expect(revoked.data.revokeApiKey.apiKey).toMatchObject({ id, revokedAt: expect.stringMatching(/Z$/) });
    const refused = await gateway.run(viewer, {}, withApiKey(key));
    const wrong = await gateway.run(viewer, {}, { token: 'wrong' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(wrong.headers.get('www-authenticate'));
    const body = ({ text, headers }: typeof wrong) => text.replaceAll(headers.get('x-request-id') ?? '-', '');
    expect(body(refused)).toBe(body(wrong));
    const again = await gateway.run(revokeApiKey, { input: { id } }, admin);
    // When it was last used is written without any hurry.
    expect({ ...again.data.revokeApiKey.apiKey, lastUsedAt: null }).toEqual({
      ...revoked.data.revokeApiKey.apiKey,
      lastUsedAt: null,
    });
    const { errors } = await gateway.run(rotateApiKey, { input: { id } }, admin);
    expect(errors[0]?.extensions.code).toBe('CONFLICT_ERROR');
  });

  it('that is rotated has a successor with its rights and expiry, and ends at once', async () => {
    const expiresAt = '2099-01-01T00:00:00.000Z';
    const { id, key } = await newApiKey(gateway, {
      connectorId: 'c',
      name: 'new machine',
      scopes: ['secrets:read'],
      expiresAt,
    });
    expect(await answers(key)).toBe(200);
    const { data } = await gateway.run(rotateApiKey, { input: { id } }, admin);
    const { apiKey: successor, key: newKey } = data.rotateApiKey;
    expect(successor).toMatchObject({
      teamId: 'red',
      connectorId: 'c',
      name: 'new machine',
      scopes: ['secrets:read'],
      expiresAt,
    });
    expect(successor.id).not.toBe(id);
    expect([await answers(key), await answers(newKey)]).toEqual([401, 200]);
  });

  it('that is rotated with a grace works until then, and its own end is never put off', async () => {
    const endOf = async (id: string) => {
      const { nodes } = (await gateway.run(list, { first: 1000 }, admin)).data.apiKeys;
      return Date.parse(nodes.find((node: { id: string }) => node.id === id).expiresAt);
    };
    const { id, key } = await newApiKey(gateway);
    const before = Date.now();
    const { data } = await gateway.run(rotateApiKey, { input: { id, graceSeconds: 3600 } }, admin);
    expect([await answers(key), await answers(data.rotateApiKey.key)]).toEqual([200, 200]);
    expect(data.rotateApiKey.apiKey.expiresAt).toBeNull();
    const end = await endOf(id);
    expect(end).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(end).toBeLessThanOrEqual(Date.now() + 3_600_000);
    // A second rotation with more grace changes nothing of the end, one with less brings it forward.
    await gateway.run(rotateApiKey, { input: { id, graceSeconds: 7200 } }, admin);
    expect(await endOf(id)).toBe(end);
    await gateway.run(rotateApiKey, { input: { id, graceSeconds: 60 } }, admin);
    expect(await endOf(id)).toBeLessThan(end);

    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const soon = await newApiKey(gateway, { expiresAt });
    const rotated = await gateway.run(rotateApiKey, { input: { id: soon.id, graceSeconds: 604_800 } }, admin);
    expect(rotated.data.rotateApiKey.apiKey.expiresAt).toBe(expiresAt);
    expect(await endOf(soon.id)).toBe(Date.parse(expiresAt));
  });

  it('tells when it was last used', async () => {
    const { id, key } = await newApiKey(gateway, { name: 'used' });
    const lastUsed = async () => {
      const { nodes } = (await gateway.run(list, { first: 1000 }, admin)).data.apiKeys;
      return nodes.find((node: { id: string }) => node.id === id).lastUsedAt;
    };
    expect(await lastUsed()).toBeNull();
    const before = Date.now();
    await answers(key);
    while ((await lastUsed()) === null) await setTimeout(10);
    const first = await lastUsed();
    expect(Date.parse(first)).toBeGreaterThanOrEqual(before);
    // Not again within a minute.
    await answers(key);
    expect(await lastUsed()).toBe(first);
  });
});
