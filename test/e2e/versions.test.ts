import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type GraphQLAnswer, type RequestOptions, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

const owner = { teamId: 'red' };
const allOf = 'id name provider notes tags maskedValue version createdAt updatedAt';
const actors = 'createdBy { kind id } updatedBy { kind id }';
const rollback = `mutation ($input: RollbackSecretInput!) { rollbackSecret(input: $input) { secret { ${allOf} ${actors} } } }`;
const forWriters =
  'mutation ($input: RollbackSecretInput!) { rollbackSecret(input: $input) { secret { id version } } }';
const versions = `query ($id: ID!, $first: Int, $before: Int) {
  secret(id: $id) { version versions(first: $first, before: $before) { version maskedValue createdAt actor { kind id } current } } }`;

describe.each(storeNames)('versions of a secret, on %s', (name) => {
  let gateway: TestGateway;
  let store: Store;
  let bob: string;
  let made = 0;

  beforeAll(async () => {
    gateway = await TestGateway.start(name, { RATE_LIMIT: 'off' });
    store = await openStore(gateway.databaseUrl);
    bob = await gateway.issuer.token({ sub: 'bob' });
  });
  afterAll(async () => {
    await store?.close();
    await gateway?.close();
  });

  const valueAt = (version: number) => `value-of-version-${version}-which-is-long-enough`;

  async function run(query: string, variables: Record<string, unknown>, options?: RequestOptions) {
    const answer = await gateway.run(query, variables, options);
    expect(answer.errors).toEqual([]);
    return answer.data;
  }
  /** A secret whose versions have these values; null renames it. */
  async function withValues(...values: (string | null)[]): Promise<string> {
    const [first, ...others] = values;
    made += 1;
    const input = { owner, name: `secret ${made}`, value: first, provider: 'aws', notes: 'n', tags: ['t'] };
    const { id } = (await run(createSecret(), { input })).createSecret.secret;
    for (const [index, value] of others.entries()) {
      const change = value === null ? { name: `secret ${made} again ${index}` } : { value };
      await run(updateSecret(), { input: { id, ...change } });
    }
    return id;
  }
  const roll = (input: Record<string, unknown>, options?: RequestOptions): Promise<GraphQLAnswer> =>
    gateway.run(rollback, { input }, options);
  const numbers = async (id: string, args: { first?: number; before?: number } = {}) =>
    (await run(versions, { id, ...args })).secret.versions.map((one: { version: number }) => one.version);
  const opened = async (id: string) => (await gateway.openValue(id)).value;
  const code = ({ errors }: GraphQLAnswer) => errors[0]?.extensions.code;

  describe('lists', () => {
    it('the values, newest first, with the mask, the time and the author of each', async () => {
      const id = await withValues(valueAt(1), null, valueAt(3));
      await run(updateSecret(), { input: { id, value: valueAt(4) } }, { token: bob });
      await run(updateSecret(), { input: { id, notes: 'another note' } });
      const { secret } = await run(versions, { id });
      const ada = { kind: 'USER', id: 'ada' };
      const shown = { maskedValue: expect.stringMatching(/^value-••••ugh$/), createdAt: expect.any(String) };
      expect(secret).toEqual({
        version: 5,
        versions: [
          { ...shown, version: 4, actor: { kind: 'USER', id: 'bob' }, current: true },
          { ...shown, version: 3, actor: ada, current: false },
          { ...shown, version: 1, actor: ada, current: false },
        ],
      });
      expect(JSON.stringify(secret)).not.toContain('value-of-version');
    });

    it('the last 10, the current one among them, and pages of them', async () => {
      const id = await withValues(...Array.from({ length: 13 }, (_, index) => valueAt(index + 1)));
      expect(await numbers(id)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
      expect(await numbers(id, { first: 2 })).toEqual([13, 12]);
      expect(await numbers(id, { first: 3, before: 12 })).toEqual([11, 10, 9]);
      expect(await numbers(id, { before: 4 })).toEqual([]);
      expect(await numbers(id, { first: 0 })).toEqual([]);
      const refused = await gateway.run(versions, { id, first: -1 });
      expect(refused.errors[0]?.extensions).toMatchObject({
        code: 'UNPROCESSABLE_ENTITY',
        errors: [{ field: 'first', type: 'range' }],
      });
    });

    it('none while no value is set', async () => {
      const input = { owner, name: 'without a value' };
      const { id } = (await run(createSecret(), { input })).createSecret.secret;
      expect(await numbers(id)).toEqual([]);
      expect(code(await roll({ id, toVersion: 1 }))).toBe('NOT_FOUND');
      await run(updateSecret(), { input: { id, value: valueAt(2) } });
      expect(await numbers(id)).toEqual([2]);
      expect(code(await roll({ id, toVersion: 1 }))).toBe('NOT_FOUND');
    });

    it('those of a whole list of secrets, and of what a mutation has just changed', async () => {
      const connector = { teamId: 'red', connectorId: 'many' };
      const ids: string[] = [];
      for (let index = 0; index < 20; index += 1) {
        const input = { owner: connector, name: `n${index}`, value: valueAt(1) };
        const { secret } = (await run(createSecret('id versions { version current }'), { input })).createSecret;
        expect(secret.versions).toEqual([{ version: 1, current: true }]);
        ids.push(secret.id);
      }
      const input = { id: ids[3], value: valueAt(2) };
      const { secret } = (await run(updateSecret('versions { version current }'), { input })).updateSecret;
      const both = [
        { version: 2, current: true },
        { version: 1, current: false },
      ];
      expect(secret.versions).toEqual(both);
      const list =
        'query ($owner: OwnerInput!) { secrets(owner: $owner) { nodes { id versions { version current } } } }';
      const { nodes } = (await run(list, { owner: connector })).secrets;
      expect(nodes).toHaveLength(20);
      for (const node of nodes)
        expect(node.versions).toEqual(node.id === ids[3] ? both : [{ version: 1, current: true }]);
    });
  });

  describe('rollback', () => {
    it('gives an earlier value again as a new version, and changes nothing else', async () => {
      const id = await withValues(valueAt(1), valueAt(2), null);
      const before = (await run(`query ($id: ID!) { secret(id: $id) { ${allOf} ${actors} } }`, { id })).secret;
      const { errors, data, text } = await roll({ id, toVersion: 1, expectedVersion: 3 }, { token: bob });
      expect(errors).toEqual([]);
      const { secret } = data.rollbackSecret;
      expect(secret).toEqual({
        ...before,
        version: 4,
        updatedAt: secret.updatedAt,
        updatedBy: { kind: 'USER', id: 'bob' },
      });
      expect(await opened(id)).toBe(valueAt(1));
      expect(await numbers(id)).toEqual([4, 2, 1]);
      expect(text).not.toContain('value-of-version');
      expect((await roll({ id, toVersion: 2 })).data.rollbackSecret.secret.version).toBe(5);
      expect(await opened(id)).toBe(valueAt(2));
      const events = await store.auditEvents({ type: 'team', teamId: 'red' }, 0, 1000);
      const ofSecret = events.filter(({ secretId }) => secretId === id);
      expect(ofSecret.slice(-2)).toMatchObject([
        { type: 'secret.rolledBack', version: 4, actor: { kind: 'user', id: 'bob' } },
        { type: 'secret.rolledBack', version: 5, actor: { kind: 'user', id: 'ada' } },
      ]);
    });

    it('restores the mask with the value', async () => {
      const id = await withValues('AKIA-the-first-value-of-all', 'short');
      expect((await run(versions, { id })).secret.versions[0].maskedValue).toBe('••••');
      expect((await roll({ id, toVersion: 1 })).data.rollbackSecret.secret.maskedValue).toBe('AKIA••••ll');
    });

    it('reaches the oldest value that is kept, and none before it', async () => {
      const id = await withValues(...Array.from({ length: 12 }, (_, index) => valueAt(index + 1)));
      expect(code(await roll({ id, toVersion: 2 }))).toBe('NOT_FOUND');
      expect(code(await roll({ id, toVersion: 3 }))).toBeUndefined();
      expect(await opened(id)).toBe(valueAt(3));
      expect(await numbers(id)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    });

    it('to the value that the secret has changes nothing', async () => {
      const id = await withValues(valueAt(1), valueAt(2), null);
      const { errors, data } = await roll({ id, toVersion: 2 });
      expect(errors).toEqual([]);
      expect(data.rollbackSecret.secret.version).toBe(3);
      expect(await numbers(id)).toEqual([2, 1]);
    });

    it('to a version that is not there, or in which the value did not change: NOT_FOUND', async () => {
      const id = await withValues(valueAt(1), null, valueAt(3));
      for (const toVersion of [-1, 0, 2, 4, 2_147_483_647]) {
        const answer = await roll({ id, toVersion });
        expect([toVersion, code(answer)]).toEqual([toVersion, 'NOT_FOUND']);
        expect(answer.errors[0]?.extensions.description).toContain('versions');
      }
      expect(await numbers(id)).toEqual([3, 1]);
    });

    it('on another version than the expected one: CONFLICT_ERROR with the current one', async () => {
      const id = await withValues(valueAt(1), valueAt(2));
      const { errors } = await roll({ id, toVersion: 1, expectedVersion: 1 });
      expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', currentVersion: 2 });
      expect(await opened(id)).toBe(valueAt(2));
    });

    it('of a secret that is not there, or not the caller’s: the same NOT_FOUND', async () => {
      const id = await withValues(valueAt(1), valueAt(2));
      const eve = await gateway.issuer.token({ sub: 'eve', teams: ['blue'] });
      const foreign = await roll({ id, toVersion: 1 }, { token: eve });
      const missing = await roll({ id: crypto.randomUUID(), toVersion: 1 }, { token: eve });
      const told = ({ errors }: GraphQLAnswer) => ({
        ...errors[0],
        extensions: { ...errors[0]?.extensions, requestId: '' },
      });
      expect(told(foreign)).toEqual(told(missing));
      expect(code(foreign)).toBe('NOT_FOUND');
      const malformed = await roll({ id: 'no id', toVersion: 1 });
      expect(code(malformed)).toBe('UNPROCESSABLE_ENTITY');
    });

    it('needs the scope to write, and shows no more than it without the scope to read', async () => {
      const id = await withValues(valueAt(1), valueAt(2));
      const reader = await gateway.issuer.token({ scope: 'secrets:read' });
      const writer = await gateway.issuer.token({ scope: 'secrets:write' });
      expect(code(await roll({ id, toVersion: 1 }, { token: reader }))).toBe('PERMISSION_ERROR');
      expect(code(await roll({ id, toVersion: 1 }, { token: writer }))).toBe('PERMISSION_ERROR');
      expect(await numbers(id)).toEqual([2, 1]);
      const seen = await gateway.run(forWriters, { input: { id, toVersion: 1 } }, { token: writer });
      expect([seen.errors, seen.data.rollbackSecret.secret]).toEqual([[], { id, version: 3 }]);
      expect(code(await gateway.run(versions, { id }, { token: writer }))).toBe('PERMISSION_ERROR');
      expect(code(await gateway.run(versions, { id }, { token: null }))).toBe('UNAUTHORIZED');
    });

    it('of several callers at once is made one after the other, each value kept', async () => {
      const id = await withValues(valueAt(1), valueAt(2), valueAt(3));
      const answers = await Promise.all([1, 2, 1, 2].map((toVersion) => roll({ id, toVersion })));
      for (const { errors } of answers) expect(errors).toEqual([]);
      const listed = await numbers(id);
      expect(listed[0]).toBe((await run(versions, { id })).secret.version);
      expect(listed.slice(-3)).toEqual([3, 2, 1]);
    });
  });

  it('versions below a delivery need the scope to read, and are refused before anything is delivered', async () => {
    const id = await withValues(valueAt(1));
    const token = await gateway.issuer.token({ scope: 'secrets:resolve' });
    const resolve = `mutation ($input: ResolveSecretsInput!) {
      resolveSecrets(input: $input) { deliveries { secret { versions { version } } } } }`;
    const recipient = { kty: 'OKP', crv: 'X25519', x: 'eRTZ0wfLXkoOSJTLOdCwCY-IQt10iTPUvK4rjaOzbTI' };
    const answer = await gateway.run(resolve, { input: { owner, ids: [id], recipient } }, { token });
    expect(code(answer)).toBe('PERMISSION_ERROR');
    const events = await store.auditEvents({ type: 'team', teamId: 'red' }, 0, 1000);
    expect(events.filter(({ type }) => type === 'secret.resolved')).toEqual([]);
  });
});
