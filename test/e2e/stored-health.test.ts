import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { macOfEvent } from '../../src/crypto/event-mac.ts';
import type { StoredSecret } from '../../src/model/secret.ts';
import type { HealthStatus } from '../../src/model/secret-health.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { keyringOf, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

const health = 'health { status checkedAt source }';
const fields = `id name version updatedAt lastUsedAt ${health}`;
const list = `query ($owner: OwnerInput! = {}, $filter: SecretFilter, $first: Int, $after: String) {
  secrets(owner: $owner, filter: $filter, first: $first, after: $after) {
    totalCount
    nodes { ${fields} }
    pageInfo { hasNextPage endCursor }
  }
}`;
const entity = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Secret { ${fields} } } }`;
const april = new Date('2031-04-01T00:00:00.000Z');
const may = new Date('2031-05-01T00:00:00.000Z');

/** Checks and uses are played by another connection to the store: what they find out is a write of their own. */
describe.each(storeNames)('the health of a secret, on %s', (name) => {
  const team = { teamId: 'red' };
  let gateway: TestGateway;
  let store: Store;
  let token: string;
  beforeAll(async () => {
    gateway = await TestGateway.start(name, { RATE_LIMIT: 'off' });
    token = await gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve secrets:duplicate' });
    const keyring = await keyringOf(gateway);
    store = await openStore(gateway.databaseUrl, { macOfEvent: (owner, event) => macOfEvent(owner, event, keyring) });
  });
  afterAll(async () => {
    await store?.close();
    await gateway?.close();
  });

  async function ok(query: string, variables: Record<string, unknown>) {
    const { data, errors } = await gateway.run(query, variables, { token });
    expect(errors).toEqual([]);
    return data;
  }

  async function create(input: object) {
    const secret = { owner: team, name: `n ${crypto.randomUUID()}`, value: 'the first value', ...input };
    return (await ok(createSecret(fields), { input: secret })).createSecret.secret;
  }
  const update = async (input: object) => (await ok(updateSecret(fields), { input })).updateSecret.secret;

  async function stored(id: string): Promise<StoredSecret> {
    const secret = await store.find(id);
    if (!secret) throw new Error('it is stored');
    return secret;
  }

  async function found(id: string, status: HealthStatus, checkedAt = april) {
    expect(await store.setHealth(await stored(id), { status, checkedAt, source: 'CHECK' })).toBe(true);
    return { status, checkedAt: checkedAt.toISOString(), source: 'CHECK' };
  }

  async function use(id: string, at: Date) {
    const [secret, actor] = [await stored(id), { kind: 'user', id: 'ada' } as const];
    const of = {
      secretId: id,
      version: secret.version,
      secretName: secret.name,
      method: 'GET',
      origin: 'https://a.example',
    };
    await store.commit([
      { type: 'useSecret', secret, event: { type: 'secret.used', actor, requestId: 'r', at, ...of } },
    ]);
  }

  it('is null at first, and then what was found out, wherever the secret is shown; the secret is no other', async () => {
    const secret = await create({});
    expect(secret).toMatchObject({ health: null, version: 1 });
    for (const status of ['VALID', 'RATE_LIMITED', 'UNREACHABLE', 'REJECTED'] as const) {
      const shown = { ...secret, health: await found(secret.id, status) };
      expect((await ok(list, { owner: team, filter: { name: secret.name } })).secrets.nodes).toEqual([shown]);
      const of = [{ __typename: 'Secret', id: secret.id }];
      expect((await ok(entity, { of }))._entities).toEqual([shown]);
      expect((await ok(`query ($id: ID!) { secret(id: $id) { ${fields} } }`, { id: secret.id })).secret).toEqual(shown);
    }
  });

  it('stays with its value through a change of anything else, and goes with a new value and a rollback', async () => {
    const { id } = await create({});
    const valid = await found(id, 'VALID');
    const other = { id, name: 'renamed', notes: 'n', tags: ['t'], provider: 'p', expiresAt: may };
    expect(await update(other)).toMatchObject({ health: valid, version: 2 });
    expect(await update({ id, value: 'the second value' })).toMatchObject({ health: null, version: 3 });
    await found(id, 'REJECTED');
    const rollback = `mutation ($input: RollbackSecretInput!) { rollbackSecret(input: $input) { secret { ${fields} } } }`;
    const { rollbackSecret } = await ok(rollback, { input: { id, toVersion: 1 } });
    expect(rollbackSecret.secret).toMatchObject({ health: null, version: 4 });
    const rejected = await found(id, 'REJECTED');
    // The value that it has already: nothing changes.
    expect((await ok(rollback, { input: { id, toVersion: 4 } })).rollbackSecret.secret).toMatchObject({
      health: rejected,
    });
  });

  it('stays through a deletion and a restoration; a copy begins without', async () => {
    const { id, name: copied } = await create({});
    const rejected = await found(id, 'REJECTED');
    const duplicate = `mutation ($input: DuplicateSecretsInput!) {
      duplicateSecrets(input: $input) { items { action secret { ${fields} } } }
    }`;
    const to = { teamId: 'red', connectorId: 'copies' };
    const copy = { from: team, to, names: [copied], onConflict: 'UPDATE' };
    const [made] = (await ok(duplicate, { input: copy })).duplicateSecrets.items;
    expect(made).toMatchObject({ action: 'CREATED', secret: { health: null } });
    await found(made.secret.id, 'REJECTED');
    await update({ id, notes: 'another' });
    const [again] = (await ok(duplicate, { input: copy })).duplicateSecrets.items;
    expect(again).toMatchObject({ action: 'UPDATED', secret: { id: made.secret.id, health: null } });

    const gone = `mutation ($input: DeleteSecretInput!) { deleteSecret(input: $input) { secret { ${fields} } } }`;
    expect((await ok(gone, { input: { id } })).deleteSecret.secret).toMatchObject({ health: rejected });
    const deleted = `query ($owner: OwnerInput!) { deletedSecrets(owner: $owner) { nodes { ${fields} } } }`;
    expect((await ok(deleted, { owner: team })).deletedSecrets.nodes).toMatchObject([{ id, health: rejected }]);
    const restore = `mutation ($input: RestoreSecretInput!) { restoreSecret(input: $input) { secret { ${fields} } } }`;
    expect((await ok(restore, { input: { id } })).restoreSecret.secret).toMatchObject({ health: rejected, version: 3 });
  });

  it('is another one in no batch but where a value is set; a kept result has it as it was', async () => {
    const [one, two] = [await create({ name: 'batch 1' }), await create({ name: 'batch 2' })];
    const rejected = await found(one.id, 'REJECTED');
    await found(two.id, 'REJECTED');
    const batch = `mutation ($input: CreateSecretsInput!) { createSecrets(input: $input) { items { secret { ${fields} } } } }`;
    const items = [
      { name: 'batch 1', notes: 'n' },
      { name: 'batch 2', value: 'another value' },
    ];
    const input = { owner: team, secrets: items, onConflict: 'UPDATE', idempotencyKey: 'k1' };
    const first = await ok(batch, { input });
    expect(first.createSecrets.items.map((item: { secret: object }) => item.secret)).toMatchObject([
      { id: one.id, health: rejected, version: 2 },
      { id: two.id, health: null, version: 2 },
    ]);
    await found(one.id, 'VALID', may);
    expect(await ok(batch, { input })).toEqual(first);
    const renaming = { id: one.id, notes: 'm', idempotencyKey: 'k2' };
    const renamed = await update(renaming);
    expect(renamed.health).toEqual({ status: 'VALID', checkedAt: may.toISOString(), source: 'CHECK' });
    await found(one.id, 'REJECTED');
    expect(await update(renaming)).toEqual(renamed);
  });

  it('filters lists, and so does the last use, with every other field, pages and counts', async () => {
    const owner = { teamId: 'red', connectorId: 'filters' };
    const ids: Record<string, string> = {};
    for (const letter of 'abcde') {
      ids[letter] = (await create({ owner, name: letter, tags: ['t'], ...(letter > 'c' && { provider: 'p' }) })).id;
    }
    const { a = '', b = '', d = '', e = '' } = ids;
    for (const id of [a, d, e]) await found(id, 'REJECTED');
    await found(b, 'VALID');
    await use(a, april);
    await use(b, may);
    await use(e, may);
    const names = async (filter: object, page: object = {}) => {
      const { secrets } = await ok(list, { owner, filter, ...page });
      return [secrets.nodes.map((node: { name: string }) => node.name).join(''), secrets.totalCount];
    };
    const just = new Date(may.getTime() + 1);
    expect(await names({ health: 'REJECTED' })).toEqual(['ade', 3]);
    expect(await names({ health: 'VALID' })).toEqual(['b', 1]);
    expect(await names({ health: 'UNREACHABLE' })).toEqual(['', 0]);
    expect(await names({ health: null, notUsedSince: null })).toEqual(['abcde', 5]);
    expect(await names({ notUsedSince: april })).toEqual(['cd', 2]);
    expect(await names({ notUsedSince: may })).toEqual(['acd', 3]);
    expect(await names({ notUsedSince: just })).toEqual(['abcde', 5]);
    expect(await names({ health: 'REJECTED', notUsedSince: may })).toEqual(['ad', 2]);
    expect(await names({ health: 'REJECTED', provider: 'p' })).toEqual(['de', 2]);
    expect(await names({ notUsedSince: may, tags: ['t'], nameStartsWith: 'd' })).toEqual(['d', 1]);
    expect(await names({ health: 'REJECTED', hasValue: false })).toEqual(['', 0]);

    const filter = { health: 'REJECTED', notUsedSince: just };
    const page = async (variables: object) => (await ok(list, { owner, filter, first: 2, ...variables })).secrets;
    const first = await page({});
    expect(first).toMatchObject({ totalCount: 3, nodes: [{ name: 'a' }, { name: 'd' }] });
    const { endCursor: after } = first.pageInfo;
    expect(await page({ after })).toMatchObject({ nodes: [{ name: 'e' }], pageInfo: { hasNextPage: false } });
    for (const other of [
      { ...filter, health: 'VALID' },
      { ...filter, notUsedSince: may },
      { health: 'REJECTED' },
      {},
    ]) {
      const { errors } = await gateway.run(list, { owner, filter: other, after });
      expect(errors[0]?.extensions.code).toBe('BAD_REQUEST');
    }
    for (const wrong of [{ health: 'UNSUPPORTED' }, { health: 'hunter2' }, { notUsedSince: 'hunter2' }]) {
      const { errors, text } = await gateway.run(list, { owner, filter: wrong });
      expect(errors[0]?.extensions.code).toBe('BAD_REQUEST');
      expect(text).not.toContain('hunter2');
    }
  });
});
