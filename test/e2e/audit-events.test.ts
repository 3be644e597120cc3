import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatabaseWriter, openDatabaseWriter } from '../support/database-writer.ts';
import { type GraphQLAnswer, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';

const fields =
  'sequence type actor { kind id } requestId at secretId secretName version apiKeyId purpose method origin hash';
const list = `query ($owner: OwnerInput! = {}, $filter: AuditFilter, $first: Int, $after: String, $last: Int, $before: String) {
  auditEvents(owner: $owner, filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { ${fields} } edges { cursor node { sequence } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

describe.each(storeNames)('the audit events of an owner, on %s', (name) => {
  let gateway: TestGateway;
  let writer: DatabaseWriter;
  const tokens: Record<string, string> = {};
  let secretId: string;
  let requestId: string;

  beforeAll(async () => {
    gateway = await TestGateway.start(name);
    writer = openDatabaseWriter(gateway.databaseUrl);
    const scope = 'secrets:read secrets:write secrets:resolve secrets:match keys:manage';
    const admin = [{ id: 'red', role: 'admin' }];
    tokens.admin = await gateway.issuer.token({ sub: 'root', scope, teams: admin });
    tokens.member = await gateway.issuer.token({ sub: 'mia', scope, teams: ['red'] });
    tokens.other = await gateway.issuer.token({ sub: 'eve', scope, teams: [] });
    tokens.writer = await gateway.issuer.token({ sub: 'root', scope: 'secrets:write', teams: admin });
    const mine = await gateway.run(createSecret(), { input: { name: 'MINE', value: 'a value', provider: 'aws' } });
    requestId = mine.headers.get('x-request-id') ?? '';
    secretId = mine.data.createSecret.secret.id;
    await gateway.run(updateSecret(), { input: { id: secretId, name: 'RENAMED' } });
    await gateway.run(deleteSecret, { input: { id: secretId } });
    for (const owner of [{ teamId: 'red' }, { teamId: 'red', connectorId: 'crm' }]) {
      const input = { owner, name: 'shared', value: 'a value' };
      expect((await gateway.run(createSecret(), { input }, { token: tokens.member ?? '' })).errors).toEqual([]);
    }
  });
  afterAll(async () => {
    await writer?.close();
    await gateway?.close();
  });

  const events = (variables: object = {}, token?: string) =>
    gateway.run(list, { ...variables }, token === undefined ? {} : { token });
  const types = ({ data, errors }: GraphQLAnswer) => {
    expect(errors).toEqual([]);
    return data.auditEvents.nodes.map(({ type }: { type: string }) => type);
  };

  it('tell who did what, when and in which request, and never a value', async () => {
    const { data, text } = await events();
    expect(data.auditEvents.totalCount).toBe(3);
    const actor = { kind: 'USER', id: 'ada' };
    const nothing = { apiKeyId: null, purpose: null, method: null, origin: null };
    expect(data.auditEvents.nodes).toMatchObject([
      { sequence: 1, type: 'secret.created', actor, requestId, secretId, secretName: 'MINE', version: 1, ...nothing },
      { sequence: 2, type: 'secret.updated', actor, secretId, secretName: 'RENAMED', version: 2, ...nothing },
      { sequence: 3, type: 'secret.deleted', actor, secretId, secretName: 'RENAMED', version: 2, ...nothing },
    ]);
    for (const { hash, at } of data.auditEvents.nodes) {
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(600_000);
    }
    expect(text).not.toContain('a value');
  });

  it('are a user’s own, and for a team its admins’; an API key is none', async () => {
    const { admin = '', member = '', other = '', writer: cannotRead = '' } = tokens;
    const code = async (owner: object, token: string) => (await events({ owner }, token)).errors[0]?.extensions.code;
    expect(types(await events({ owner: { teamId: 'red' } }, admin))).toEqual(['secret.created']);
    expect(types(await events({ owner: { teamId: 'red', connectorId: 'crm' } }, admin))).toEqual(['secret.created']);
    for (const owner of [{ teamId: 'red' }, { teamId: 'red', connectorId: 'crm' }]) {
      expect(await code(owner, member)).toBe('PERMISSION_ERROR');
      expect(await code(owner, cannotRead)).toBe('PERMISSION_ERROR');
      expect(await code(owner, other)).toBe('FORBIDDEN');
    }
    expect(types(await events({}, other))).toEqual([]);
    expect(await code({}, cannotRead)).toBe('PERMISSION_ERROR');
    const create = `mutation { createApiKey(input: { teamId: "red", name: "ci", scopes: ["secrets:read"] }) { key apiKey { id } } }`;
    const { key, apiKey } = (await gateway.run(create, {}, { token: admin })).data.createApiKey;
    expect(await code({}, key)).toBe('PERMISSION_ERROR');
    const { data } = await events({ owner: { teamId: 'red' }, filter: { types: ['apiKey.created'] } }, admin);
    expect(data.auditEvents.nodes).toMatchObject([
      { type: 'apiKey.created', apiKeyId: apiKey.id, secretId: null, secretName: null, version: null },
    ]);
  });

  it('are selected by type, secret, actor and time, all together', async () => {
    const [, second] = (await events()).data.auditEvents.nodes;
    const of = async (filter: object) => types(await events({ filter }));
    expect(await of({ types: ['secret.deleted', 'secret.created'] })).toEqual(['secret.created', 'secret.deleted']);
    expect(await of({ types: ['secret.used'] })).toEqual([]);
    expect(await of({ types: [], secretId: '', actor: null })).toHaveLength(3);
    expect(await of({ secretId: secretId.toUpperCase(), types: ['secret.updated'] })).toEqual(['secret.updated']);
    expect(await of({ secretId: randomUUID() })).toEqual([]);
    expect(await of({ actor: 'ada' })).toHaveLength(3);
    expect(await of({ actor: 'eve' })).toEqual([]);
    expect(await of({ since: second.at, until: new Date(Date.parse(second.at) + 1).toISOString() })).toContain(
      'secret.updated',
    );
    expect(await of({ until: second.at })).not.toContain('secret.updated');
    expect((await events({ filter: { types: ['secret.updated'] } })).data.auditEvents.totalCount).toBe(1);
  });

  it('come in pages, forwards and backwards, by cursors of this owner and filter alone', async () => {
    const page = async (variables: object) => (await events(variables)).data.auditEvents;
    const sequences = ({ edges }: { edges: { node: { sequence: number } }[] }) =>
      edges.map(({ node }) => node.sequence);
    const first = await page({ first: 2 });
    expect([sequences(first), first.pageInfo.hasNextPage, first.pageInfo.hasPreviousPage]).toEqual([
      [1, 2],
      true,
      false,
    ]);
    const { endCursor } = first.pageInfo;
    expect(endCursor).toBe(first.edges[1].cursor);
    const next = await page({ first: 2, after: endCursor });
    expect([sequences(next), next.pageInfo.hasNextPage, next.pageInfo.hasPreviousPage]).toEqual([[3], false, true]);
    const last = await page({ last: 2 });
    expect([sequences(last), last.pageInfo.hasPreviousPage]).toEqual([[2, 3], true]);
    const before = await page({ last: 2, before: last.pageInfo.startCursor });
    expect([sequences(before), before.pageInfo.hasPreviousPage]).toEqual([[1], false]);
    expect(sequences(await page({ first: 0 }))).toEqual([]);

    const refused = async (variables: object, token?: string) => (await events(variables, token)).errors[0]?.extensions;
    const forged = { code: 'BAD_REQUEST', status: 400 };
    expect(await refused({ after: endCursor, filter: { actor: 'ada' } })).toMatchObject(forged);
    expect(await refused({ after: endCursor }, tokens.other)).toMatchObject(forged);
    expect(await refused({ after: `${endCursor}A` })).toMatchObject(forged);
    expect(await refused({ before: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })).toMatchObject(forged);
    const secrets = await gateway.run('query ($after: String) { secrets(after: $after) { totalCount } }', {
      after: endCursor,
    });
    expect(secrets.errors[0]?.extensions).toMatchObject(forged);
  });

  it('are refused with what is wrong: a type that is unknown, an id, a size of a page', async () => {
    const filter = { types: ['secret.created', 'secret.bogus'], secretId: 'no UUID' };
    const { errors, text } = await events({ filter, first: 1001 });
    expect(errors[0]?.extensions).toMatchObject({ code: 'UNPROCESSABLE_ENTITY' });
    const [type, id, size] = errors[0]?.extensions.errors ?? [];
    expect(type).toMatchObject({ field: 'types', loc: ['filter', 'types', 1], type: 'unknown_type' });
    expect(type?.message).toContain('secret.created, secret.updated');
    expect(id).toMatchObject({ field: 'secretId', type: 'uuid' });
    expect(size).toMatchObject({ field: 'first', type: 'range' });
    expect(text).not.toContain('bogus');
  });

  it('are an error where something other than a gateway wrote one, and the log names it', async () => {
    const before = await writer.events();
    const index = before.findIndex((row) => row.owner === 'user:ada' && Number(row.sequence) === 2);
    await writer.replaceEvents(before.with(index, { ...before[index], actor_id: 'eve' }));
    try {
      expect((await events()).errors[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
      expect((await events({ filter: { actor: 'eve' } })).errors[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
      expect(types(await events({ first: 1 }))).toEqual(['secret.created']);
      const [line = ''] = gateway.log.filter((one) => one.includes('ForgedEvent'));
      expect(JSON.parse(line).cause.cause).toMatchObject({ name: 'ForgedEvent', code: 2 });
      await writer.replaceEvents(before.with(index, { ...before[index], kid: 'another' }));
      expect((await events()).errors[0]?.extensions).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    } finally {
      await writer.replaceEvents(before);
    }
  });
});
