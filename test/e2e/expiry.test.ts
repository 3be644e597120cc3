import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, updateSecret } from '../support/graphql.ts';

const fields = 'id version expiresAt updatedAt maskedValue';
const list = `query ($owner: OwnerInput! = {}, $filter: SecretFilter, $first: Int, $after: String, $last: Int, $before: String) {
  secrets(owner: $owner, filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    nodes { name expiresAt }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const entity = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Secret { id expiresAt } } }`;
const read = 'query ($id: ID!) { secret(id: $id) { id version expiresAt updatedAt maskedValue } }';

const april = '2031-04-01T00:00:00.000Z';
const may = '2031-05-01T00:00:00.000Z';
const june = '2031-06-01T00:00:00.000Z';

describe.each(storeNames)('when a secret expires, on %s', (store) => {
  const team = { teamId: 'red' };
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  async function ok(query: string, variables: Record<string, unknown>, token?: string) {
    const { data, errors } = await gateway.run(query, variables, token === undefined ? {} : { token });
    expect(errors).toEqual([]);
    return data;
  }

  async function create(input: object) {
    const secret = { owner: team, name: `n ${crypto.randomUUID()}`, value: 'the first value', ...input };
    return (await ok(createSecret(fields), { input: secret })).createSecret.secret;
  }
  const update = async (input: object) => (await ok(updateSecret(fields), { input })).updateSecret.secret;
  const find = async (id: string) => (await ok(read, { id })).secret;

  it('is what was set, in UTC to the millisecond, and null where nothing was', async () => {
    expect(await create({})).toMatchObject({ expiresAt: null });
    expect(await create({ expiresAt: null })).toMatchObject({ expiresAt: null });
    const secret = await create({ expiresAt: '2031-04-01T02:30:00.123456+02:30' });
    expect(secret).toMatchObject({ version: 1, expiresAt: '2031-04-01T00:00:00.123Z' });
    expect(await find(secret.id)).toEqual(secret);
    const [found] = (await ok(entity, { representations: [{ __typename: 'Secret', id: secret.id }] }))._entities;
    expect(found).toEqual({ id: secret.id, expiresAt: '2031-04-01T00:00:00.123Z' });
  });

  it('may be past: the secret stays as it is, and is used as before', async () => {
    const { id } = await create({ name: 'past', expiresAt: '1970-01-01T00:00:00Z' });
    expect(await find(id)).toMatchObject({ expiresAt: '1970-01-01T00:00:00.000Z' });
    expect(await update({ id, notes: 'still here' })).toMatchObject({ version: 2 });
    expect((await gateway.openValue(id)).value).toBe('the first value');
  });

  it('changes with an update, which is a version of its own, and is cleared by null', async () => {
    const { id } = await create({});
    expect(await update({ id, expiresAt: april })).toMatchObject({ version: 2, expiresAt: april });
    expect(await update({ id, expiresAt: april })).toMatchObject({ version: 2, expiresAt: april });
    expect(await update({ id, notes: 'left out' })).toMatchObject({ version: 3, expiresAt: april });
    expect(await update({ id, value: 'a new value' })).toMatchObject({ version: 4, expiresAt: april });
    expect(await update({ id, expiresAt: may, value: 'a newer value' })).toMatchObject({ version: 5, expiresAt: may });
    expect(await update({ id, expiresAt: null })).toMatchObject({ version: 6, expiresAt: null });
    expect(await update({ id, expiresAt: null })).toMatchObject({ version: 6, expiresAt: null });
    expect(await find(id)).toMatchObject({ version: 6, expiresAt: null });
    expect((await gateway.openValue(id)).value).toBe('a newer value');
  });

  it('stays with a rollback, a deletion and a restoration', async () => {
    const { id } = await create({ expiresAt: april });
    await update({ id, value: 'the second value', expiresAt: may });
    const rollback = `mutation ($input: RollbackSecretInput!) { rollbackSecret(input: $input) { secret { ${fields} } } }`;
    const { rollbackSecret } = await ok(rollback, { input: { id, toVersion: 1 } });
    expect(rollbackSecret.secret).toMatchObject({ version: 3, expiresAt: may });
    await ok(deleteSecret, { input: { id } });
    const deleted = 'query ($owner: OwnerInput!) { deletedSecrets(owner: $owner) { nodes { id expiresAt } } }';
    expect((await ok(deleted, { owner: team })).deletedSecrets.nodes).toEqual([{ id, expiresAt: may }]);
    const restore = `mutation ($input: RestoreSecretInput!) { restoreSecret(input: $input) { secret { ${fields} } } }`;
    const { restoreSecret } = await ok(restore, { input: { id } });
    expect(restoreSecret.secret).toMatchObject({ version: 4, expiresAt: may });
    expect(await find(id)).toEqual(restoreSecret.secret);
    expect((await gateway.openValue(id)).value).toBe('the first value');
  });

  it('comes again with the first result of an idempotent call; another moment is another input', async () => {
    const input = { owner: team, name: 'once', value: 'a value', expiresAt: april, idempotencyKey: 'k1' };
    const first = await ok(createSecret(fields), { input });
    await update({ id: first.createSecret.secret.id, expiresAt: may });
    expect(await ok(createSecret(fields), { input: { ...input, expiresAt: '2031-04-01T00:00:00Z' } })).toEqual(first);
    const { errors } = await gateway.run(createSecret(fields), { input: { ...input, expiresAt: may } });
    expect(errors[0]?.extensions.errors?.[0]?.type).toBe('idempotency_key_reused');
  });

  it.each([
    ['before 1970', '1969-12-31T23:59:59.999Z'],
    ['after 9999', '9999-12-31T23:59:59.000-00:01'],
    ['before the year 0', '0000-01-01T00:00:00.000+00:01'],
  ])('is refused %s, with the other fields that break a rule', async (_what, expiresAt) => {
    const created = await gateway.run(createSecret(), { input: { owner: team, name: ' x', value: 'v', expiresAt } });
    const { id } = await create({});
    const updated = await gateway.run(updateSecret(), { input: { id, tags: null, expiresAt } });
    for (const { errors } of [created, updated]) {
      expect(errors[0]?.extensions).toMatchObject({ code: 'UNPROCESSABLE_ENTITY', errors: { length: 2 } });
      expect(errors[0]?.extensions.errors).toContainEqual(
        expect.objectContaining({ field: 'expiresAt', loc: ['input', 'expiresAt'], type: 'range' }),
      );
    }
    const kept = await create({ expiresAt: '9999-12-31T23:59:59.999Z' });
    expect(await find(kept.id)).toMatchObject({ expiresAt: '9999-12-31T23:59:59.999Z' });
  });

  it('is for readers: who may only write is told nothing of it', async () => {
    const { id } = await create({ expiresAt: april });
    const token = await gateway.issuer.token({ scope: 'secrets:write' });
    const { errors } = await gateway.run(updateSecret('id expiresAt'), { input: { id, notes: 'n' } }, { token });
    expect(errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
    await ok(updateSecret('id updatedAt'), { input: { id, expiresAt: may } }, token);
    expect(await find(id)).toMatchObject({ version: 2, expiresAt: may });
  });

  describe('filters a list', () => {
    const owner = { teamId: 'red', connectorId: 'filters' };
    const teams = { teamId: 'blue' };
    let token: string;
    let between: string;
    beforeAll(async () => {
      token = await gateway.issuer.token({ teams: ['red', 'blue'] });
      for (const [name, expiresAt] of Object.entries({ a: april, b: null, c: may, d: june, e: april })) {
        await create({ owner, name, expiresAt, tags: ['t'], ...(name > 'c' && { provider: 'p' }) });
      }
      for (const [name, value] of Object.entries({ x: 'v', y: null, z: null })) {
        await ok(createSecret(), { input: { owner: teams, name, value, expiresAt: april } }, token);
      }
      const { secrets } = await ok('query ($owner: OwnerInput!) { secrets(owner: $owner) { nodes { updatedAt } } }', {
        owner,
      });
      between = secrets.nodes[2].updatedAt;
    });

    async function names(filter: object, page: object = {}) {
      const { secrets } = await ok(list, { owner, filter, ...page }, token);
      return [secrets.nodes.map(({ name }: { name: string }) => name).join(''), secrets.totalCount];
    }

    it('by expiresBefore, exclusive, together with every other field', async () => {
      expect(await names({ expiresBefore: april })).toEqual(['', 0]);
      expect(await names({ expiresBefore: '2031-04-01T00:00:00.001Z' })).toEqual(['ae', 2]);
      expect(await names({ expiresBefore: may })).toEqual(['ae', 2]);
      expect(await names({ expiresBefore: '9999-12-31T23:59:59Z' })).toEqual(['acde', 4]);
      expect(await names({ expiresBefore: may, provider: 'p' })).toEqual(['e', 1]);
      expect(await names({ expiresBefore: june, tags: ['t'], nameStartsWith: 'c' })).toEqual(['c', 1]);
      expect(await names({ expiresBefore: null, hasValue: null, notUpdatedSince: null })).toEqual(['abcde', 5]);
    });

    it('by notUpdatedSince, exclusive: an update takes a secret out of it', async () => {
      const before = await names({ notUpdatedSince: between });
      expect(before[0]).not.toMatch(/[cde]/);
      const { secrets } = await ok('query ($owner: OwnerInput!) { secrets(owner: $owner) { nodes { id name } } }', {
        owner,
      });
      const after = new Date(Date.parse(between) + 86_400_000).toISOString();
      expect(await names({ notUpdatedSince: after })).toEqual(['abcde', 5]);
      await update({ id: secrets.nodes[0].id, notes: 'n' });
      expect((await names({ notUpdatedSince: between }))[0]).not.toContain('a');
    });

    it('by hasValue', async () => {
      const of = (hasValue: boolean) => names({ hasValue }, { owner: teams });
      expect(await of(true)).toEqual(['x', 1]);
      expect(await of(false)).toEqual(['yz', 2]);
      expect(await names({ hasValue: false, expiresBefore: may }, { owner: teams, first: 1 })).toEqual(['y', 2]);
    });

    it('with pages in both directions, by cursors of this filter alone', async () => {
      const filter = { expiresBefore: june };
      const page = async (variables: object) => (await ok(list, { owner, filter, ...variables }, token)).secrets;
      const first = await page({ first: 2 });
      expect(first).toMatchObject({ totalCount: 3, nodes: [{ name: 'a' }, { name: 'c' }] });
      const next = await page({ first: 2, after: first.pageInfo.endCursor });
      expect(next).toMatchObject({ totalCount: 3, nodes: [{ name: 'e' }], pageInfo: { hasNextPage: false } });
      const back = await page({ last: 1, before: next.pageInfo.startCursor });
      expect(back).toMatchObject({ nodes: [{ name: 'c' }], pageInfo: { hasPreviousPage: true } });
      const others = [{ expiresBefore: may }, { notUpdatedSince: june }, { ...filter, hasValue: true }, {}, null];
      for (const other of others) {
        const variables = { owner, filter: other, after: first.pageInfo.endCursor };
        expect((await gateway.run(list, variables, { token })).errors[0]?.extensions.code).toBe('BAD_REQUEST');
      }
      // The same moment in another form is the same filter.
      const same = { owner, filter: { expiresBefore: '2031-06-01T02:00:00+02:00' }, after: first.pageInfo.endCursor };
      expect((await ok(list, same, token)).secrets.nodes).toEqual([{ name: 'e', expiresAt: april }]);
    });

    it('refuses what is no moment without repeating it', async () => {
      const { errors, text } = await gateway.run(list, { owner, filter: { expiresBefore: 'hunter2' } });
      expect(errors[0]?.extensions.code).toBe('BAD_REQUEST');
      expect(text).not.toContain('hunter2');
    });
  });
});
