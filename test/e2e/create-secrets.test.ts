import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionsOf, createSecrets, itemsOf, leftOf, refusalOf } from '../support/batches.ts';
import { storeNames } from '../support/gateway.ts';
import { deleteSecret } from '../support/graphql.ts';
import { Sealing } from '../support/sealing.ts';

describe.each(storeNames)('createSecrets on %s', (store) => {
  let sealing: Sealing;
  let token: string;
  /** The same without secrets:match. */
  let plain: string;
  let count = 0;
  beforeAll(async () => {
    sealing = await Sealing.start(store);
    const scope = 'secrets:read secrets:write secrets:match keys:manage';
    token = await sealing.gateway.issuer.token({ scope, teams: [{ id: 'red', role: 'admin' }] });
    plain = await sealing.gateway.issuer.token({ scope: 'secrets:read secrets:write' });
  });
  afterAll(() => sealing.gateway.close());

  const run = (input: object, options: { token?: string } = {}) =>
    sealing.gateway.run(createSecrets, { input }, { token, ...options });
  /** A connector that nobody has used. */
  const newOwner = () => {
    count += 1;
    return { teamId: 'red', connectorId: `of test ${count}` };
  };
  const left = (owner: object) => leftOf(sealing.gateway, owner, { token });

  it('creates 500 in one call, each with an audit event, and changes them in another', async () => {
    const owner = newOwner();
    const secrets = Array.from({ length: 500 }, (_, index) => ({ name: `S ${index}`, value: `the value ${index}` }));
    const created = await run({ owner, secrets });
    expect(created.errors).toEqual([]);
    expect(created.data.createSecrets.totalCount).toBe(500);
    expect(itemsOf(created).map(({ index, secret }) => [index, secret?.name])).toEqual(
      secrets.map(({ name }, index) => [index, name]),
    );
    expect(new Set(itemsOf(created).map(({ secret }) => secret?.placeholder)).size).toBe(500);
    const updated = await run({ owner, secrets: secrets.map((one) => ({ ...one, notes: 'n' })), onConflict: 'UPDATE' });
    expect(new Set(actionsOf(updated))).toEqual(new Set(['UPDATED']));
    const { secrets: listed, events } = await left(owner);
    expect(listed.totalCount).toBe(500);
    expect(listed.nodes.every(({ version, notes }) => version === 2 && notes === 'n')).toBe(true);
    expect(events.totalCount).toBe(1000);
    expect(events.nodes.slice(0, 500).every(({ type }) => type === 'secret.created')).toBe(true);
    const { id } = itemsOf(updated)[123]?.secret ?? { id: '' };
    expect((await sealing.gateway.openValue(id)).value).toBe('the value 123');
  });

  it('tells every broken field of every item by its index, with doubles in the batch, and writes nothing', async () => {
    const owner = newOwner();
    const id = randomUUID();
    const answer = await run({
      owner,
      secrets: [
        { name: 'good', value: 'a value' },
        { name: ' bad ', value: '', id: 'no uuid' },
        { name: 'no value' },
        { name: 'caf\u00e9', value: 'a value', id },
        { name: 'cafe\u0301', value: 'a value', id: id.toUpperCase() },
        { name: 'many', value: 'a value', tags: ['a', ' '], notes: 'n'.repeat(5000), provider: '' },
        { name: 'masked', value: 'abc\u2022\u2022\u2022\u2022x' },
      ],
    });
    expect(answer.status).toBe(422);
    expect(refusalOf(answer)).toEqual({
      code: 'UNPROCESSABLE_ENTITY',
      broken: [
        'secrets.1.value required',
        'secrets.1.id uuid',
        'secrets.1.name surrounding_space',
        'secrets.2.value required',
        'secrets.4.name duplicate',
        'secrets.4.id duplicate',
        'secrets.5.notes too_long',
        'secrets.5.provider required',
        'secrets.5.tags.1 surrounding_space',
        'secrets.6.value masked_value',
      ],
    });
    expect(answer.text).not.toContain('caf');
    expect(await left(owner)).toMatchObject({ secrets: { totalCount: 0 }, events: { totalCount: 0 } });
  });

  it('bounds what it tells: 500 items with 50 broken tags each', async () => {
    const secrets = Array.from({ length: 500 }, (_, index) => ({
      name: `S ${index}`,
      value: 'a value',
      tags: Array.from({ length: 50 }, () => ' '),
    }));
    const answer = await run({ owner: newOwner(), secrets });
    expect(answer.errors[0]?.extensions.errors).toHaveLength(5000);
    expect(answer.errors[0]?.extensions.description).toContain('Only the first 5,000 are listed.');
    expect(answer.text.length).toBeLessThan(1024 * 1024);
    const tooMany = await run({ owner: newOwner(), secrets: Array.from({ length: 501 }, () => ({ name: 'S' })) });
    expect(refusalOf(tooMany)).toEqual({ code: 'UNPROCESSABLE_ENTITY', broken: ['secrets too_many'] });
  });

  it('takes sealed values, tells each that is refused, and no sealed value works for two items', async () => {
    const owner = newOwner();
    const seal = (name: string, value = 'a sealed value') => sealing.seal(value, { owner, name });
    const twice = await seal('two');
    const refused = await run({
      owner,
      secrets: [
        { name: 'one', sealedValue: await seal('one') },
        { name: 'two', sealedValue: twice },
        { name: 'three', sealedValue: await seal('another name') },
        { name: 'two', sealedValue: twice },
        { name: 'four', sealedValue: await seal('four'), value: 'a value' },
      ],
    });
    expect(refused.status).toBe(422);
    expect(refusalOf(refused)).toEqual({
      code: 'UNPROCESSABLE_CONTENT',
      broken: [
        'secrets.2.sealedValue wrong_name',
        'secrets.3.sealedValue replayed',
        'secrets.3.name duplicate',
        'secrets.4.value exclusive',
        'secrets.4.sealedValue exclusive',
      ],
    });
    const secrets = [
      { name: 'one', sealedValue: await seal('one') },
      { name: 'two', sealedValue: twice },
    ];
    // Neither a refusal nor a dry run uses a sealed value up.
    expect(actionsOf(await run({ owner, secrets, dryRun: true }))).toEqual(['CREATED', 'CREATED']);
    const [first] = itemsOf(await run({ owner, secrets }));
    expect((await sealing.gateway.openValue(first?.secret?.id ?? '')).value).toBe('a sealed value');
    const again = await run({ owner, secrets, onConflict: 'UPDATE' }, { token: plain });
    expect(refusalOf(again)).toEqual({ code: 'UNPROCESSABLE_CONTENT', broken: ['secrets.0.sealedValue replayed'] });
  });

  it('refuses names that are taken, leaves them, or updates them', async () => {
    const owner = newOwner();
    const before = { name: 'there', value: 'the first value of it', provider: 'aws', notes: 'old', tags: ['old'] };
    const [made] = itemsOf(await run({ owner, secrets: [before] }));
    const secrets = [
      { name: 'new', value: 'another value' },
      { name: 'there', value: 'the second value of it', notes: null, tags: ['new'] },
    ];
    const failed = await run({ owner, secrets });
    expect(failed.status).toBe(409);
    expect(refusalOf(failed)).toEqual({ code: 'CONFLICT_ERROR', broken: ['secrets.1.name taken'] });
    expect((await left(owner)).secrets.totalCount).toBe(1);

    const skipped = itemsOf(await run({ owner, secrets, onConflict: 'SKIP' }));
    expect(skipped.map(({ action }) => action)).toEqual(['CREATED', 'SKIPPED']);
    expect(skipped[1]?.secret).toEqual(made?.secret);

    const updated = itemsOf(await run({ owner, secrets, onConflict: 'UPDATE' }));
    expect(updated[1]).toMatchObject({
      action: 'UPDATED',
      secret: { id: made?.secret?.id, version: 2, provider: 'aws', notes: null, tags: ['new'] },
    });
    expect((await sealing.gateway.openValue(made?.secret?.id ?? '')).value).toBe('the second value of it');
  });

  it('finds ids that somebody has or had, also of others, and an id that is not that of the name', async () => {
    const [owner, other] = [newOwner(), newOwner()];
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    const made = await run({
      owner: other,
      secrets: ids.slice(0, 2).map((id) => ({ id, name: id, value: 'a value' })),
    });
    expect(made.errors).toEqual([]);
    await sealing.gateway.run(deleteSecret, { input: { id: ids[1] } }, { token });
    await run({ owner, secrets: [{ name: 'there', value: 'a value' }] });
    const secrets = [...ids, randomUUID()].map((id, index) => ({
      id,
      name: ['a', 'b', 'c', 'there'][index],
      value: 'a value',
    }));
    for (const dryRun of [true, false]) {
      expect(refusalOf(await run({ owner, secrets, onConflict: 'UPDATE', dryRun }))).toEqual({
        code: 'CONFLICT_ERROR',
        broken: ['secrets.0.id taken', 'secrets.1.id taken', 'secrets.3.id other_id'],
      });
    }
    expect((await left(owner)).secrets.totalCount).toBe(1);
  });

  it('refuses the mask of what it would replace', async () => {
    const owner = newOwner();
    const [made] = itemsOf(await run({ owner, secrets: [{ name: 'S', value: 'sk-proj-0123456789abcdefghij' }] }));
    const masked = made?.secret?.maskedValue?.replaceAll('\u2022', '.');
    const answer = await run({ owner, secrets: [{ name: 'S', value: masked }], onConflict: 'UPDATE' });
    expect(refusalOf(answer)).toEqual({ code: 'UNPROCESSABLE_ENTITY', broken: ['secrets.0.value masked_value'] });
  });

  it('tells in a dry run what it would do, and what stands in the way, and writes nothing', async () => {
    const owner = newOwner();
    await run({ owner, secrets: [{ name: 'there', value: 'a value' }] });
    const before = await left(owner);
    const secrets = ['there', 'new'].map((name) => ({ name, value: ' a value' }));
    const key = { idempotencyKey: randomUUID() };
    const asked = itemsOf(await run({ owner, secrets, onConflict: 'UPDATE', dryRun: true, ...key }));
    expect(asked).toMatchObject([
      { action: 'UPDATED', secret: { name: 'there', version: 1 }, warnings: [{ type: 'surrounding_space' }] },
      { action: 'CREATED', secret: null, warnings: [{ type: 'surrounding_space' }] },
    ]);
    expect(refusalOf(await run({ owner, secrets, dryRun: true })).broken).toEqual(['secrets.0.name taken']);
    expect(await left(owner)).toEqual(before);
    // Nothing is kept of it, and the same call is made when it is none.
    expect((await run({ owner, secrets, onConflict: 'UPDATE', ...key })).errors).toEqual([]);
    expect((await left(owner)).events.totalCount).toBe(3);
  });

  it('tells that nothing changes: of values only with secrets:match, also in dry runs', async () => {
    const owner = newOwner();
    const secrets = [{ name: 'S', value: 'the same value' }];
    await run({ owner, secrets });
    for (const value of ['the same value', 'another value']) {
      const asked = await run(
        { owner, secrets: [{ name: 'S', value }], onConflict: 'UPDATE', dryRun: true },
        { token: plain },
      );
      expect(actionsOf(asked)).toEqual(['UPDATED']);
    }
    const ask = async (more: object) =>
      actionsOf(await run({ owner, secrets: [{ ...secrets[0], ...more }], onConflict: 'UPDATE', dryRun: true }));
    expect(await ask({})).toEqual(['UNCHANGED']);
    expect(await ask({ value: 'another value' })).toEqual(['UPDATED']);
    expect(await ask({ notes: 'n' })).toEqual(['UPDATED']);
    const unchanged = itemsOf(await run({ owner, secrets, onConflict: 'UPDATE' }));
    expect(unchanged).toMatchObject([{ action: 'UNCHANGED', secret: { version: 1 } }]);
    expect((await left(owner)).events.totalCount).toBe(1);
    const written = await run({ owner, secrets, onConflict: 'UPDATE' }, { token: plain });
    expect(itemsOf(written)).toMatchObject([{ action: 'UPDATED', secret: { version: 2 } }]);
  });

  it('is authorised before anything is looked at', async () => {
    const secrets = [{ name: ' bad ', value: '' }];
    const other = await run({ owner: { teamId: 'blue' }, secrets });
    expect({ status: other.status, code: refusalOf(other).code }).toEqual({ status: 403, code: 'FORBIDDEN' });
    const reader = await sealing.gateway.issuer.token({ scope: 'secrets:read' });
    const refused = await run({ owner: newOwner(), secrets }, { token: reader });
    expect(refusalOf(refused)).toEqual({ code: 'PERMISSION_ERROR', broken: [] });
    const writer = await sealing.gateway.issuer.token({ scope: 'secrets:write' });
    const query =
      'mutation ($input: CreateSecretsInput!) { createSecrets(input: $input) { items { action secret { name version } } totalCount } }';
    const input = { owner: newOwner(), secrets: [{ name: 'S', value: 'a value' }] };
    const { data, errors } = await sealing.gateway.run(query, { input }, { token: writer });
    expect(errors).toEqual([]);
    expect(data.createSecrets).toEqual({
      items: [{ action: 'CREATED', secret: { name: 'S', version: 1 } }],
      totalCount: 1,
    });
    expect(
      (await sealing.gateway.run(query, { input: { secrets: [] } }, { token: writer })).data.createSecrets.items,
    ).toEqual([]);
  });
});
