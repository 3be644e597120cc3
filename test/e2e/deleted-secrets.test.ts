import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { type GraphQLAnswer, type RequestOptions, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';

const owner = { teamId: 'red' };
const allOf = 'id name placeholder provider notes tags maskedValue version createdAt updatedAt';
const restore = `mutation ($input: RestoreSecretInput!) { restoreSecret(input: $input) { secret { ${allOf} } } }`;
const restoreForWriters =
  'mutation ($input: RestoreSecretInput!) { restoreSecret(input: $input) { secret { id name version } } }';
const purge = 'mutation ($input: PurgeSecretInput!) { purgeSecret(input: $input) { id } }';
const deleted = `query ($owner: OwnerInput! = { teamId: "red" }, $first: Int, $after: String) {
  deletedSecrets(owner: $owner, first: $first, after: $after) {
    totalCount nodes { ${allOf} versions { version current } } edges { cursor } pageInfo { hasNextPage endCursor } } }`;
const missing = '019a0000-0000-7000-8000-000000000000';

describe.each(storeNames)('a deleted secret, on %s', (name) => {
  let gateway: TestGateway;
  let admin: string;
  let made = 0;

  beforeAll(async () => {
    gateway = await TestGateway.start(name, { RATE_LIMIT: 'off' });
    admin = await gateway.issuer.token({
      sub: 'root',
      teams: [{ id: 'red', role: 'admin' }],
      scope: 'secrets:read secrets:write keys:manage',
    });
  });
  afterAll(() => gateway?.close());

  async function run(query: string, variables: Record<string, unknown> = {}, options?: RequestOptions) {
    const answer = await gateway.run(query, variables, options);
    expect(answer.errors).toEqual([]);
    return answer.data;
  }
  const code = ({ errors }: GraphQLAnswer) => errors[0]?.extensions.code;
  const send = (query: string, id: string, options?: RequestOptions) => gateway.run(query, { input: { id } }, options);
  async function create(more: object = {}) {
    made += 1;
    const input = {
      owner,
      name: `secret ${made}`,
      value: `the value of secret ${made}`,
      notes: 'n',
      tags: ['t'],
      ...more,
    };
    return (await run(createSecret(allOf), { input })).createSecret.secret;
  }
  async function gone(more: object = {}) {
    const secret = await create(more);
    await run(deleteSecret, { input: { id: secret.id } });
    return secret;
  }

  it('is listed as it was, and comes back as it was in a new version, with its value', async () => {
    const secret = await create();
    await run(updateSecret(), { input: { id: secret.id, value: 'another value of it' } });
    await run(deleteSecret, { input: { id: secret.id } });
    expect((await run('query ($id: ID!) { secret(id: $id) { id } }', { id: secret.id })).secret).toBeNull();
    const { nodes } = (await run(deleted)).deletedSecrets;
    const shown = nodes.find(({ id }: { id: string }) => id === secret.id);
    expect(shown).toMatchObject({ name: secret.name, placeholder: secret.placeholder, version: 2, tags: ['t'] });
    expect(shown.versions).toEqual([
      { version: 2, current: true },
      { version: 1, current: false },
    ]);
    const { secret: back } = (await run(restore, { input: { id: secret.id } })).restoreSecret;
    expect(back).toMatchObject({ id: secret.id, name: secret.name, placeholder: secret.placeholder, version: 3 });
    expect((await gateway.openValue(secret.id)).value).toBe('another value of it');
    expect(
      (await run('query ($id: ID!) { secret(id: $id) { versions { version } } }', { id: secret.id })).secret,
    ).toEqual({
      versions: [{ version: 2 }, { version: 1 }],
    });
    expect(code(await send(restore, secret.id))).toBe('NOT_FOUND');
  });

  it('is listed page by page in the order of the names, with cursors of that list alone', async () => {
    const of = { teamId: 'red', connectorId: 'pages' };
    for (const one of ['c', 'a', 'b', 'a']) await gone({ owner: of, name: one });
    const names: string[] = [];
    for (let after: string | null = null; ; ) {
      const { deletedSecrets: page }: GraphQLAnswer['data'] = await run(deleted, { owner: of, first: 3, after });
      expect(page.totalCount).toBe(4);
      names.push(...page.nodes.map((node: { name: string }) => node.name));
      after = page.pageInfo.endCursor;
      if (!page.pageInfo.hasNextPage) break;
    }
    expect(names).toEqual(['a', 'a', 'b', 'c']);
    const [{ cursor }] = (await run(deleted, { owner: of })).deletedSecrets.edges;
    expect(code(await gateway.run(deleted, { after: cursor }))).toBe('BAD_REQUEST');
    expect(
      code(
        await gateway.run(
          'query ($after: String) { secrets(owner: { teamId: "red", connectorId: "pages" }, after: $after) { totalCount } }',
          { after: cursor },
        ),
      ),
    ).toBe('BAD_REQUEST');
    expect((await gateway.run(deleted, { first: 1001 })).status).toBe(422);
  });

  it('conflicts where its name is taken by now, and gets another placeholder where that is', async () => {
    const secret = await gone();
    const heir = await create({ name: secret.name });
    const refused = await send(restore, secret.id);
    expect(refused.errors[0]?.extensions).toMatchObject({
      code: 'CONFLICT_ERROR',
      errors: [{ field: 'name', type: 'taken' }],
    });
    expect(refused.text).not.toContain(secret.name);
    await run(updateSecret(), { input: { id: heir.id, name: `${secret.name} of another` } });
    expect((await run(restore, { input: { id: secret.id } })).restoreSecret.secret.name).toBe(secret.name);
  });

  it('keeps its id, which nobody can take', async () => {
    const secret = await gone();
    const again = await gateway.run(createSecret(), { input: { owner, id: secret.id, name: 'again' } });
    expect(again.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', errors: [{ field: 'id' }] });
  });

  it('needs the scopes of what is done, and shows to a writer what writers see', async () => {
    const secret = await gone();
    const [reader, writer] = await Promise.all(
      ['secrets:read', 'secrets:write'].map((scope) => gateway.issuer.token({ scope, teams: ['red'] })),
    );
    const denied = [
      gateway.run(deleted, {}, { token: writer ?? '' }),
      send(restore, secret.id, { token: reader ?? '' }),
      send(restore, secret.id, { token: writer ?? '' }),
      send(purge, secret.id),
      send(purge, missing),
    ];
    for (const answer of await Promise.all(denied)) expect(code(answer)).toBe('PERMISSION_ERROR');
    expect(code(await gateway.run(deleted, { owner: { teamId: 'blue' } }))).toBe('FORBIDDEN');
    expect((await send(restoreForWriters, secret.id, { token: writer ?? '' })).errors).toEqual([]);
  });

  it('of somebody else is as if it were not there', async () => {
    const secret = await gone();
    const eve = await gateway.issuer.token({
      sub: 'eve',
      teams: ['blue'],
      scope: 'secrets:read secrets:write keys:manage',
    });
    for (const query of [restore, purge]) {
      const [theirs, none] = await Promise.all([
        send(query, secret.id, { token: eve }),
        send(query, missing, { token: eve }),
      ]);
      const told = ({ status, errors }: GraphQLAnswer) => [
        status,
        errors.map(({ extensions: { requestId: _, ...rest }, message }) => [message, rest]),
      ];
      expect(told(theirs)).toEqual(told(none));
      expect(code(theirs)).toBe('NOT_FOUND');
    }
    expect((await send(restore, secret.id)).errors).toEqual([]);
  });

  it('is purged by an admin of its team, as is one that was not deleted: nothing of it is left but its events', async () => {
    const member = await gateway.issuer.token({ teams: ['red'], scope: 'keys:manage' });
    for (const secret of [await gone(), await create()]) {
      expect(code(await send(purge, secret.id, { token: member }))).toBe('PERMISSION_ERROR');
      expect((await run(purge, { input: { id: secret.id } }, { token: admin })).purgeSecret).toEqual({ id: secret.id });
      for (const query of [restore, deleteSecret]) expect(code(await send(query, secret.id))).toBe('NOT_FOUND');
      expect(code(await send(purge, secret.id, { token: admin }))).toBe('NOT_FOUND');
      const events = `query ($id: ID) { auditEvents(owner: { teamId: "red" }, filter: { secretId: $id }) { nodes { type secretName } } }`;
      const { nodes } = (await run(events, { id: secret.id }, { token: admin })).auditEvents;
      expect(nodes.at(-1)).toEqual({ type: 'secret.purged', secretName: secret.name });
    }
    const own = await create({ owner: {}, name: 'OWN', provider: 'aws' });
    const token = await gateway.issuer.token({ scope: 'keys:manage' });
    expect((await send(purge, own.id, { token })).errors).toEqual([]);
  });

  it.runIf(name === 'mongodb')(
    'leaves nothing of a call that changed nothing while another gateway purged it',
    async () => {
      const other = await TestGateway.start(name, {
        DATABASE_URL: gateway.databaseUrl,
        KEYRING_FILE: join(gateway.directory, 'keyring.json'),
        JWT_JWKS_URL: gateway.issuer.jwksUrl,
        RATE_LIMIT: 'off',
      });
      const writer = openDatabaseWriter(gateway.databaseUrl);
      try {
        for (let round = 0; round < 10; round += 1) {
          const { id } = await create();
          const [, purged] = await Promise.all([
            gateway.run(updateSecret(), { input: { id, notes: 'n', idempotencyKey: id } }),
            other.run(purge, { input: { id } }, { token: admin }),
          ]);
          expect(purged.errors).toEqual([]);
          expect((await writer.keptResults()).filter(({ secretId }) => secretId === id)).toEqual([]);
        }
      } finally {
        await writer.close();
        await other.close();
      }
    },
  );

  it('is purged in the background once its time has passed, and cannot be restored then', async () => {
    const secret = await gone();
    await gateway.stop();
    await gateway.launch({ RATE_LIMIT: 'off', DELETED_RETENTION: '1s' });
    const events = `query ($id: ID) { auditEvents(owner: { teamId: "red" }, filter: { secretId: $id }) { nodes { type actor { kind id } } } }`;
    await vi.waitFor(
      async () => {
        const { nodes } = (await run(events, { id: secret.id }, { token: admin })).auditEvents;
        expect(nodes.at(-1)).toEqual({ type: 'secret.purged', actor: { kind: 'SYSTEM', id: 'retention' } });
      },
      { timeout: 20_000, interval: 200 },
    );
    expect(code(await send(restore, secret.id))).toBe('NOT_FOUND');
    expect((await run(deleted)).deletedSecrets).toMatchObject({ totalCount: 0, nodes: [] });
  });
});
