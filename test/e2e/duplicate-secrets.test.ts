import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionsOf, createSecrets, duplicateSecrets, itemsOf, leftOf, refusalOf } from '../support/batches.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { deleteSecret, updateSecret } from '../support/graphql.ts';

describe.each(storeNames)('duplicateSecrets on %s', (store) => {
  let gateway: TestGateway;
  let token: string;
  let user: string;
  let count = 0;
  const scope = 'secrets:read secrets:write secrets:resolve secrets:match';
  const teams = [{ id: 'red', role: 'admin' }];
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    token = await gateway.issuer.token({ scope, teams });
  });
  afterAll(() => gateway.close());

  const run = (input: object, given = token) => gateway.run(duplicateSecrets, { input }, { token: given });
  const create = async (owner: object, secrets: object[], given = token) =>
    itemsOf(await gateway.run(createSecrets, { input: { owner, secrets } }, { token: given }));
  /** A connector that nobody has used. */
  const newOwner = () => {
    count += 1;
    return { teamId: 'red', connectorId: `of test ${count}` };
  };
  const left = (owner: object, given = token) => leftOf(gateway, owner, { token: given });

  it('seals each value anew for its new owner, and both audit chains tell', async () => {
    user = await gateway.issuer.token({ sub: randomUUID(), scope, teams });
    const to = newOwner();
    const secrets = Array.from({ length: 30 }, (_, index) => ({
      name: `S_${String(index).padStart(2, '0')}`,
      value: index % 10 === 0 ? `${index}`.padStart(20_000, 'v') : `the value ${index}`,
      provider: 'aws',
      notes: `notes ${index}`,
      tags: ['a'],
      expiresAt: '2030-01-01T00:00:00.000Z',
    }));
    const made = await create({}, secrets, user);
    const copied = await run({ from: {}, to }, user);
    expect(copied.errors).toEqual([]);
    expect(copied.data.duplicateSecrets.totalCount).toBe(30);
    const items = itemsOf(copied);
    expect(items.map(({ action }) => action)).toEqual(secrets.map(() => 'CREATED'));
    for (const [index, { secret }] of items.entries()) {
      const before = made[index]?.secret;
      expect(secret).toEqual({ ...before, id: secret?.id, placeholder: secret?.placeholder });
      expect(secret?.id).not.toBe(before?.id);
      expect(secret?.placeholder).not.toBe(before?.placeholder);
    }
    for (const index of [0, 7]) {
      const [copy, original] = [items[index]?.secret?.id ?? '', made[index]?.secret?.id ?? ''];
      const opened = await gateway.openValue(copy);
      expect(opened.value).toBe(secrets[index]?.value);
      const { ciphertext, encrypted_key } = (await gateway.openValue(original)).record.sealed?.envelope ?? {};
      expect(opened.record.sealed?.envelope.ciphertext).not.toBe(ciphertext);
      expect(opened.record.sealed?.envelope.encrypted_key).not.toBe(encrypted_key);
    }
    const [source, target] = [await left({}, user), await left(to)];
    expect(source.events.nodes.slice(30).map(({ type, secretId }) => [type, secretId])).toEqual(
      made.map(({ secret }) => ['secret.duplicated', secret?.id]),
    );
    expect(target.events.nodes.map(({ type, secretId }) => [type, secretId])).toEqual(
      items.map(({ secret }) => ['secret.created', secret?.id]),
    );
    expect(copied.text).not.toContain('the value');
  });

  it('lists for each secret what stands in the way, by its place in names or by its name, and copies none', async () => {
    const { from, to } = { from: { teamId: 'red' }, to: newOwner() };
    const names = ['fine', 'no value', 'taken', 'damaged'];
    const made = await create(
      from,
      names.map((name) => ({ name, ...(name !== 'no value' && { value: `of ${name}` }) })),
    );
    await create(to, [{ name: 'taken', value: 'another value' }]);
    const id = made[3]?.secret?.id ?? '';
    const writer = openDatabaseWriter(gateway.databaseUrl);
    const [row = {}] = await writer.records([id]);
    await writer.replaceRecords([id], [{ ...row, placeholder: 'sec_000000000' }]);
    await writer.close();
    const before = await left(to);
    const failed = await run({ from, to, names: ['nowhere', ...names, 'Nowhere'] });
    expect(failed.status).toBe(409);
    expect(failed.errors[0]?.extensions.type).toBe('duplication_error');
    expect(refusalOf(failed)).toEqual({
      code: 'DUPLICATION_FAILED',
      broken: ['names.0 missing', 'names.2 no_value', 'names.3 taken', 'names.4 damaged', 'names.5 missing'],
    });
    // What is not there may be anything that was sent.
    expect(failed.errors[0]?.extensions.errors?.map((one) => 'name' in one && one.name)).toEqual([
      false,
      'no value',
      'taken',
      'damaged',
      false,
    ]);
    expect(failed.text.toLowerCase()).not.toContain('nowhere');
    expect(gateway.log.join('')).toContain(id);
    const all = await run({ from, to, dryRun: true });
    expect(refusalOf(all).broken).toEqual(['names.0 damaged', 'names.2 no_value', 'names.3 taken']);
    expect(await left(to)).toEqual(before);
    expect((await left(from)).events.nodes.some(({ type }) => type === 'secret.duplicated')).toBe(false);
    // To a user the rules of a user's secrets apply.
    const toUser = await run({ from, to: {}, names: ['fine', 'no value'] });
    expect(refusalOf(toUser).broken).toEqual([
      'names.0 no_provider',
      'names.1 environment_variable_name',
      'names.1 no_provider',
      'names.1 no_value',
    ]);
    await gateway.run(deleteSecret, { input: { id } }, { token });
  });

  it('copies nothing that something else wrote with the MAC of another secret', async () => {
    const [from, to] = [{ teamId: 'green' }, { teamId: 'blue' }];
    const able = await gateway.issuer.token({ scope, teams: [{ id: 'green' }, { id: 'blue' }] });
    const names = ['A genuine', 'B forged', 'C forged without value'];
    const made = await create(
      from,
      names.map((name) => ({ name, value: 'a value' })),
      able,
    );
    const ids = made.map(({ secret }) => secret?.id ?? '');
    const writer = openDatabaseWriter(gateway.databaseUrl);
    const [{ mac_kid, mac_tag } = {}, second = {}, third = {}] = await writer.records(ids);
    const noValue = Object.fromEntries(
      ['masked_value', 'sealed_version', 'sealed_number', 'sealed_tag', 'sealed_at', 'sealed_by', 'envelope'].map(
        (column) => [column, null],
      ),
    );
    await writer.replaceRecords(ids.slice(1), [
      { ...second, provider: 'forged', mac_kid, mac_tag },
      { ...third, ...noValue, provider: 'forged', mac_kid, mac_tag },
    ]);
    await writer.close();
    for (const forged of names.slice(1)) {
      const copied = await run({ from, to, names: [names[0], forged] }, able);
      expect(refusalOf(copied)).toEqual({ code: 'DUPLICATION_FAILED', broken: ['names.1 damaged'] });
    }
  });

  it('leaves or updates what is there, tells what is the same, and a dry run writes nothing', async () => {
    const [from, to] = [newOwner(), newOwner()];
    const secrets = ['a', 'b', 'c'].map((name) => ({ name, value: `of ${name}`, notes: 'n' }));
    await create(from, secrets);
    const there = await create(to, [{ ...secrets[0] }, { name: 'b', value: 'another value', provider: 'aws' }]);
    const before = [await left(from), await left(to)];
    const ask = async (onConflict: string, given?: string) =>
      actionsOf(await run({ from, to, onConflict, dryRun: true }, given));
    expect(await ask('SKIP')).toEqual(['SKIPPED', 'SKIPPED', 'CREATED']);
    expect(await ask('UPDATE')).toEqual(['UNCHANGED', 'UPDATED', 'CREATED']);
    const without = await gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve', teams });
    expect(await ask('UPDATE', without)).toEqual(['UPDATED', 'UPDATED', 'CREATED']);
    expect([await left(from), await left(to)]).toEqual(before);

    const items = itemsOf(await run({ from, to, names: ['b', 'a'], onConflict: 'UPDATE' }));
    expect(items).toMatchObject([
      { index: 0, action: 'UPDATED', secret: { id: there[1]?.secret?.id, version: 2, provider: null, notes: 'n' } },
      { index: 1, action: 'UNCHANGED', secret: { id: there[0]?.secret?.id, version: 1 } },
    ]);
    expect((await gateway.openValue(there[1]?.secret?.id ?? '')).value).toBe('of b');
    const events = (await left(from)).events.nodes.map(({ type, secretName }) => `${type} ${secretName}`);
    expect(events.slice(3)).toEqual(['secret.duplicated b']);
  });

  it('refuses what would be more than 16 MiB with what it replaces, and copies none', { timeout: 30_000 }, async () => {
    const [from, to] = [newOwner(), newOwner()];
    const secrets = Array.from({ length: 105 }, (_, index) => ({
      name: `S ${index}`,
      value: `${index} `.padEnd(65_000),
    }));
    for (let first = 0; first < secrets.length; first += 15) await create(from, secrets.slice(first, first + 15));
    expect((await run({ from, to })).errors).toEqual([]);
    const before = [await left(from), await left(to)];
    // Without the right to compare, each value is written again.
    const plain = await gateway.issuer.token({ scope: 'secrets:read secrets:write secrets:resolve', teams });
    const { status, errors } = await run({ from, to, onConflict: 'UPDATE' }, plain);
    expect(status).toBe(400);
    expect(errors.map(({ extensions: { code, type } }) => [code, type])).toEqual([
      ['BAD_REQUEST', 'write_limit_error'],
    ]);
    expect(errors[0]?.extensions.description).toContain('16 MiB');
    expect([await left(from), await left(to)]).toEqual(before);
    const names = secrets.slice(0, 90).map(({ name }) => name);
    expect(new Set(actionsOf(await run({ from, to, names, onConflict: 'UPDATE' }, plain)))).toEqual(
      new Set(['UPDATED']),
    );
  });

  it('needs the right to read and to resolve at the source, and to write at the target, before anything is looked up', async () => {
    const from = newOwner();
    await create(from, [{ name: 'S', value: 'a value' }]);
    const code = async (input: object, scopes: string) =>
      refusalOf(await run(input, await gateway.issuer.token({ scope: scopes, teams }))).code;
    const all = ['secrets:read', 'secrets:write', 'secrets:resolve'];
    for (const names of [['S'], ['nowhere']]) {
      for (const left of all) {
        const others = all.filter((one) => one !== left).join(' ');
        expect(await code({ from, to: newOwner(), names }, others)).toBe('PERMISSION_ERROR');
      }
      expect(await code({ from, to: { teamId: 'blue' }, names }, all.join(' '))).toBe('FORBIDDEN');
      expect(await code({ from: { teamId: 'blue' }, to: from, names }, all.join(' '))).toBe('FORBIDDEN');
    }
    expect(refusalOf(await run({ from, to: from }))).toEqual({
      code: 'UNPROCESSABLE_ENTITY',
      broken: ['to same_owner'],
    });
    const own = { from: {}, to: {}, names: ['S', 'S', '\ud800'] };
    expect(refusalOf(await run(own)).broken).toEqual(['to same_owner', 'names.1 duplicate', 'names.2 ill_formed']);
    const many = Array.from({ length: 501 }, (_, index) => `S ${index}`);
    expect(refusalOf(await run({ from, to: newOwner(), names: many })).broken).toEqual(['names too_many']);
    expect(itemsOf(await run({ from, to: newOwner(), names: [] }))).toEqual([]);
  });

  it('is made once with an idempotency key, whatever became of the source since', async () => {
    const [from, to] = [newOwner(), newOwner()];
    const made = await create(from, [{ name: 'S', value: 'a value' }]);
    const input = { from, to, idempotencyKey: randomUUID() };
    const first = itemsOf(await run(input));
    await gateway.run(deleteSecret, { input: { id: made[0]?.secret?.id } }, { token });
    expect(itemsOf(await run(input))).toEqual(first);
    expect((await left(to)).events.totalCount).toBe(1);
    expect(refusalOf(await run({ ...input, to: newOwner() })).broken).toEqual([
      'idempotencyKey idempotency_key_reused',
    ]);
  });

  it('copies the value that its event tells of, while others change it', async () => {
    const from = newOwner();
    // Large values are read one by one, so that they also change after the secrets were listed.
    const valueOfVersion = (version: number) => `value ${version}`.padStart(60_000);
    const [made, ...others] = await create(
      from,
      ['S', ...'TUVW'].map((name) => ({ name, value: valueOfVersion(1) })),
    );
    const change = async (id: string | undefined, version: number) =>
      expect(
        (await gateway.run(updateSecret(), { input: { id, value: valueOfVersion(version) } }, { token })).errors,
      ).toEqual([]);
    const changing = (async () => {
      for (let version = 2; version < 9; version += 1) {
        await change(made?.secret?.id, version);
        await change(others[version % others.length]?.secret?.id, version);
      }
    })();
    const copies = await Promise.all(Array.from({ length: 3 }, () => run({ from, to: newOwner() })));
    await changing;
    const told = (await left(from)).events.nodes.filter(
      ({ type, secretName }) => type === 'secret.duplicated' && secretName === 'S',
    );
    const values = await Promise.all(
      copies.map(async (copy) => (await gateway.openValue(itemsOf(copy)[0]?.secret?.id ?? '')).value),
    );
    expect(values.toSorted()).toEqual(told.map((event) => valueOfVersion(event.version)).toSorted());
  });
});
