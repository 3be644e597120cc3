import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

const owner = { teamId: 'red' };
const fields = 'id name notes tags version maskedValue createdAt updatedAt';
const create = createSecret(fields);
const update = updateSecret(fields);

describe.each(storeNames)('controller secrets on %s', (store) => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start(store);
  });
  afterAll(() => gateway.close());

  it('create: takes id, name, notes, tags and secret, and returns all except the secret, with the two dates', async () => {
    const id = '4c07bc67-57ea-42dd-b702-c2d6c45419fc';
    const before = Date.now();
    const { data, text } = await gateway.run(create, {
      input: {
        id,
        owner,
        name: 'object',
        notes: 'This object has been created for test purposes.',
        tags: ['developer', 'api-created'],
        value: 'tSW3!QBv(rj{UuLY',
      },
    });
    const { secret } = data.createSecret;
    expect(secret).toMatchObject({
      id,
      name: 'object',
      notes: 'This object has been created for test purposes.',
      tags: ['developer', 'api-created'],
      version: 1,
    });
    expect(secret.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(secret.createdAt)).toBeGreaterThanOrEqual(before - 1);
    expect(secret.updatedAt).toBe(secret.createdAt);
    expect(text).not.toContain('tSW3!QBv(rj{UuLY');
  });

  it('create: the id is optional, by default a new UUIDv7', async () => {
    const { data } = await gateway.run(create, { input: { owner, name: 'without id' } });
    expect(data.createSecret.secret.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('create: an id in upper case is the same id in lower case', async () => {
    const id = '2489E9AD-2EE2-8E00-8EC9-32D5F69181C0';
    const { data } = await gateway.run(create, { input: { id, owner, name: 'upper case' } });
    expect(data.createSecret.secret.id).toBe(id.toLowerCase());
    const found = await gateway.run('query ($id: ID!) { secret(id: $id) { name } }', { id });
    expect(found.data.secret.name).toBe('upper case');
  });

  it('create: notes, tags and the secret are optional; without a value there is no mask', async () => {
    const { data } = await gateway.run(create, { input: { owner, name: 'declared' } });
    expect(data.createSecret.secret).toMatchObject({ notes: null, tags: [], maskedValue: null });
  });

  it('update: keeps the secret when it is omitted, and replaces it when it is given', async () => {
    const value = 'first-value-that-is-long-enough-to-show';
    const created = await gateway.run(create, { input: { owner, name: 'kept', value, tags: ['a'] } });
    const { id, maskedValue, createdAt } = created.data.createSecret.secret;
    const renamed = await gateway.run(update, { input: { id, name: 'kept and renamed', notes: 'n', tags: [] } });
    expect(renamed.data.updateSecret.secret).toMatchObject({
      id,
      name: 'kept and renamed',
      notes: 'n',
      tags: [],
      maskedValue,
      version: 2,
      createdAt,
    });
    const other = 'other-value-that-is-long-enough-to-show';
    const replaced = await gateway.run(update, { input: { id, value: other } });
    expect(replaced.data.updateSecret.secret).toMatchObject({ name: 'kept and renamed', notes: 'n', version: 3 });
    expect(replaced.data.updateSecret.secret.maskedValue).not.toBe(maskedValue);
  });

  it('update: null clears the notes, and is refused for value, name and tags', async () => {
    const created = await gateway.run(create, { input: { owner, name: 'clearing', notes: 'n', provider: 'p' } });
    const { id } = created.data.createSecret.secret;
    const cleared = await gateway.run(update, { input: { id, notes: null, provider: null } });
    expect(cleared.data.updateSecret.secret).toMatchObject({ notes: null, version: 2 });
    const refused = await gateway.run(update, { input: { id, value: null, name: null, tags: null } });
    expect(refused.status).toBe(422);
    expect(refused.errors[0]?.extensions.errors?.map(({ field, type }) => [field, type])).toEqual([
      ['value', 'null'],
      ['name', 'null'],
      ['tags', 'null'],
    ]);
  });

  it('update: keeps the version when nothing changes', async () => {
    const created = await gateway.run(create, { input: { owner, name: 'unchanged', tags: ['a'] } });
    const { id, updatedAt } = created.data.createSecret.secret;
    const { data } = await gateway.run(update, { input: { id, name: 'unchanged', tags: ['a'] } });
    expect(data.updateSecret.secret).toMatchObject({ version: 1, updatedAt });
  });

  it('update: an expectedVersion that is not current is a CONFLICT_ERROR with the current version', async () => {
    const created = await gateway.run(create, { input: { owner, name: 'versioned' } });
    const { id } = created.data.createSecret.secret;
    const good = await gateway.run(update, { input: { id, notes: 'one', expectedVersion: 1 } });
    expect(good.data.updateSecret.secret.version).toBe(2);
    const stale = await gateway.run(update, { input: { id, notes: 'two', expectedVersion: 1 } });
    expect(stale.status).toBe(409);
    expect(stale.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', currentVersion: 2 });
  });

  it('update: loses no change of concurrent writers', async () => {
    const created = await gateway.run(create, { input: { owner, name: 'contended' } });
    const { id } = created.data.createSecret.secret;
    const writes = Array.from({ length: 40 }, (_, n) => gateway.run(update, { input: { id, notes: `note ${n}` } }));
    const answers = await Promise.all(writes);
    expect(answers.map(({ errors }) => errors)).toEqual(answers.map(() => []));
    const versions = answers.map(({ data }) => data.updateSecret.secret.version);
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n + 2));
  });

  it('create: an error in the list of the payload does not hide the secret that was created', async () => {
    const withList = (list: string) => createSecret('name', `${list} { totalCount }`);
    const tooMany = await gateway.run(withList('secrets(first: 5000)'), { input: { owner, name: 'made, first' } });
    expect(tooMany.data.createSecret).toEqual({ secret: { name: 'made, first' }, secrets: null });
    expect(tooMany.errors[0]?.extensions.code).toBe('UNPROCESSABLE_ENTITY');
  });

  it('delete: removes the secret, frees its name, and refuses a stale expectedVersion', async () => {
    const remove = 'mutation ($input: DeleteSecretInput!) { deleteSecret(input: $input) { id secret { name } } }';
    const created = await gateway.run(create, { input: { owner, name: 'short-lived' } });
    const { id } = created.data.createSecret.secret;
    const stale = await gateway.run(remove, { input: { id, expectedVersion: 5 } });
    expect(stale.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', currentVersion: 1 });
    const removed = await gateway.run(remove, { input: { id } });
    expect(removed.data.deleteSecret).toEqual({ id, secret: { name: 'short-lived' } });
    expect((await gateway.run('query ($id: ID!) { secret(id: $id) { id } }', { id })).data).toEqual({ secret: null });
    expect((await gateway.run(remove, { input: { id } })).status).toBe(404);
    expect((await gateway.run(create, { input: { owner, name: 'short-lived' } })).errors).toEqual([]);
  });

  describe('errors', () => {
    it('400: invalid JSON', async () => {
      const { status, errors } = await gateway.send({ body: '{"query": "{ viewer { subject } }"' });
      expect(status).toBe(400);
      expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', description: 'The body is not valid JSON.' });
    });

    it('401: a wrong token', async () => {
      const { status, errors } = await gateway.run('{ viewer { subject } }', {}, { token: 'nonsense' });
      expect(status).toBe(401);
      expect(errors[0]?.extensions.code).toBe('UNAUTHORIZED');
    });

    it('403: insufficient permissions', async () => {
      const { status } = await gateway.run('{ secrets(owner: { teamId: "blue" }) { totalCount } }');
      expect(status).toBe(403);
    });

    it('406: an Accept header that the gateway cannot satisfy', async () => {
      const headers = { accept: 'application/xml' };
      const { status, errors } = await gateway.run('{ viewer { subject } }', {}, { headers });
      expect(status).toBe(406);
      expect(errors[0]?.extensions).toMatchObject({ code: 'NOT_ACCEPTABLE', type: 'not_acceptable_error' });
    });

    it('409: a name or an id that is taken', async () => {
      const id = crypto.randomUUID();
      await gateway.run(create, { input: { id, owner, name: 'taken' } });
      const byId = await gateway.run(create, { input: { id: id.toUpperCase(), owner, name: 'free' } });
      expect([byId.status, byId.errors[0]?.extensions.errors?.[0]?.field]).toEqual([409, 'id']);
      const byName = await gateway.run(create, { input: { owner, name: 'taken' } });
      expect([byName.status, byName.errors[0]?.extensions.errors?.[0]?.field]).toEqual([409, 'name']);
      const other = await gateway.run(create, { input: { owner, name: 'renamed' } });
      const rename = await gateway.run(update, { input: { id: other.data.createSecret.secret.id, name: 'taken' } });
      expect([rename.status, rename.errors[0]?.extensions.errors?.[0]?.field]).toEqual([409, 'name']);
    });

    it('422: every broken field is listed at once, with its name and the reason', async () => {
      const { status, errors } = await gateway.run(create, {
        input: {
          id: 'nonsense',
          owner,
          name: ' padded',
          value: '',
          notes: 'n'.repeat(4097),
          provider: 'bell\u0007',
          tags: ['ok', '', 'x'.repeat(65)],
        },
      });
      expect(status).toBe(422);
      const listed = errors[0]?.extensions.errors ?? [];
      expect(listed.map(({ field, loc, type }) => [field, loc.join('.'), type]).sort()).toEqual([
        ['id', 'input.id', 'uuid'],
        ['name', 'input.name', 'surrounding_space'],
        ['notes', 'input.notes', 'too_long'],
        ['provider', 'input.provider', 'characters'],
        ['tags', 'input.tags.1', 'required'],
        ['tags', 'input.tags.2', 'too_long'],
        ['value', 'input.value', 'required'],
      ]);
      for (const { message } of listed) expect(message).toMatch(/^Must /);
    });
  });
});
