import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { userKinds } from '../support/broker.ts';
import { FakeProvider, settingsOf } from '../support/fake-provider.ts';
import { type GraphQLAnswer, storeNames } from '../support/gateway.ts';
import { Keeper } from '../support/health.ts';
import { newName, Sealing } from '../support/sealing.ts';

const payload = 'secret { id version maskedValue health { status source } } warnings { field type message }';
const create = `mutation ($input: CreateSecretInput!) { createSecret(input: $input) { ${payload} } }`;
const update = `mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) { ${payload} } }`;
const valid = { status: 'VALID', source: 'CHECK' };

/** The code, and the field, place and type of each broken field. */
function refusal({ data, errors }: GraphQLAnswer): unknown[] {
  const [{ extensions } = { extensions: null }] = errors;
  return [
    data,
    extensions?.code,
    ...(extensions?.errors ?? []).map(({ field, loc, type }) => `${field} at ${loc.join('.')}: ${type}`),
  ];
}

describe.each(storeNames)('verify, on %s', (store) => {
  let sealing: Sealing;
  let provider: FakeProvider;
  beforeAll(async () => {
    provider = await FakeProvider.start();
    sealing = await Sealing.start(store, await settingsOf(provider));
  });
  afterEach(() => {
    provider.status = null;
    provider.onArrival = () => {};
    provider.arrived.length = 0;
  });
  afterAll(async () => {
    await sealing?.gateway.close();
    await provider?.close();
  });

  const newKeeper = (kind?: (typeof userKinds)[number]) => Keeper.new(sealing.gateway, provider, kind);
  const input = (more: object) => ({ name: newName(), provider: 'acme', verify: true, ...more });
  const madeUp = () => `acme-${randomUUID()}`;
  const named = async (keeper: Keeper, name: string) => {
    const { data } = await keeper.run('query ($name: String) { secrets(filter: { name: $name }) { nodes { id } } }', {
      name,
    });
    return data.secrets.nodes.length;
  };

  describe.each(userKinds)('by %s', (kind) => {
    it('writes a value that the provider knows, with its health, and sends it after its event', async () => {
      const keeper = await newKeeper(kind);
      const [first, second] = [provider.newKey(), provider.newKey()];
      const made = (await keeper.run(create, { input: input({ value: first }) })).data.createSecret;
      expect([made.secret.health, made.warnings]).toEqual([valid, []]);
      const { id } = made.secret;
      const changed = (await keeper.run(update, { input: { id, value: second, verify: true } })).data.updateSecret;
      expect([changed.secret.version, changed.secret.health, changed.warnings]).toEqual([2, valid, []]);
      expect([await keeper.health(id), provider.arrived.map(({ key }) => key)]).toEqual([
        ['VALID', 'CHECK'],
        [first, second],
      ]);
      const told = (await keeper.eventsOf(id)).map(({ type, version, method }) => [type, version, method]);
      expect(told).toEqual([
        ['secret.checked', 1, 'GET'],
        ['secret.created', 1, null],
        ['secret.checked', 1, 'GET'],
        ['secret.updated', 2, null],
      ]);
      const unverified = await keeper.run(update, { input: { id, value: madeUp(), verify: null } });
      expect(unverified.data.updateSecret.secret.health).toBeNull();
    });

    it('writes nothing but the event where the provider refuses the value', async () => {
      const keeper = await newKeeper(kind);
      const [name, value] = [newName(), madeUp()];
      const created = await keeper.run(create, { input: input({ name, value }) });
      expect(refusal(created)).toEqual([null, 'UNPROCESSABLE_ENTITY', 'value at input.value: rejected_by_provider']);
      expect(created.text).not.toContain(value);
      expect(await named(keeper, name)).toBe(0);
      const secret = await keeper.newSecret();
      await keeper.result(secret.id);
      const updated = await keeper.run(update, { input: { id: secret.id, value, name, verify: true } });
      expect(refusal(updated)).toEqual([null, 'UNPROCESSABLE_ENTITY', 'value at input.value: rejected_by_provider']);
      expect(await keeper.events(secret.id)).toEqual(['created', 'checked', 'checked']);
      // It has the value that it had.
      expect([await keeper.health(secret.id), await keeper.use(secret.id)]).toEqual([['VALID', 'CHECK'], 200]);
      expect([await named(keeper, name), await named(keeper, secret.name)]).toEqual([0, 1]);
    });
  });

  it('takes sealed values: a refusal names the field, and does not use the value up', async () => {
    const keeper = await newKeeper();
    const subject = keeper.user.id;
    const [name, value] = [newName(), madeUp()];
    const sealedValue = await sealing.seal(value, { subject, name });
    const refused = await keeper.run(create, { input: input({ name, sealedValue }) });
    const field = 'sealedValue at input.sealedValue: rejected_by_provider';
    expect(refusal(refused)).toEqual([null, 'UNPROCESSABLE_ENTITY', field]);
    provider.known.add(value);
    const { data } = await keeper.run(create, { input: input({ name, sealedValue }) });
    expect(data.createSecret.secret.health).toEqual(valid);
    const { id } = data.createSecret.secret;
    const next = madeUp();
    const sealedUpdate = { id, sealedValue: await sealing.seal(next, { subject, id }), verify: true };
    expect(refusal(await keeper.run(update, { input: sealedUpdate }))).toEqual([null, 'UNPROCESSABLE_ENTITY', field]);
    provider.known.add(next);
    expect((await keeper.run(update, { input: sealedUpdate })).data.updateSecret.secret.health).toEqual(valid);
    const again = await keeper.run(update, { input: sealedUpdate });
    expect(again.errors[0]?.extensions.errors?.[0]?.type).toBe('replayed');
  });

  it('writes the value with a warning that says why, where the provider could not tell', async () => {
    const keeper = await newKeeper();
    const { id } = await keeper.newSecret();
    for (const [status, health, why] of [
      [429, 'RATE_LIMITED', /too many requests/],
      [503, 'UNREACHABLE', /cannot be reached/],
      [403, null, /did not say/],
    ] as const) {
      provider.status = status;
      const value = madeUp();
      const answers = [
        (await keeper.run(create, { input: input({ value }) })).data.createSecret,
        (await keeper.run(update, { input: { id, value, verify: true } })).data.updateSecret,
      ];
      for (const { secret, warnings } of answers) {
        expect([status, secret.health]).toEqual([status, health && { status: health, source: 'CHECK' }]);
        expect(warnings).toEqual([{ field: 'verify', type: 'not_verified', message: expect.stringMatching(why) }]);
      }
    }
    provider.arrived.length = 0;
    const unsupported = input({ provider: 'custom', value: madeUp(), destination: { origin: provider.origin } });
    const { secret, warnings } = (await keeper.run(create, { input: unsupported })).data.createSecret;
    expect([secret.health, warnings.map(({ type }: { type: string }) => type)]).toEqual([null, ['not_verified']]);
    expect([provider.arrived, await keeper.events(secret.id)]).toEqual([[], ['created']]);
  });

  it('sends nothing for an input that breaks another rule, nor for a secret that could not be written', async () => {
    const keeper = await newKeeper();
    const [taken, secret] = [await keeper.newSecret(), await keeper.newSecret()];
    const { id } = secret;
    const value = provider.newKey();
    const good = { id, value, verify: true };
    const refusals: [string, object, string[]][] = [
      [
        create,
        { name: newName(), provider: 'acme', verify: true },
        ['value at input.value: required', 'verify at input.verify: value_required'],
      ],
      [create, input({ value, name: '1 bad name' }), []],
      [create, input({ value, notes: 'x'.repeat(5000) }), []],
      [create, input({ value, sealedValue: 'a.b.c.d.e' }), []],
      [create, input({ value, idempotencyKey: '' }), []],
      [create, input({ value, name: taken.name }), ['name at input.name: taken']],
      [create, input({ value, id: taken.id }), ['id at input.id: taken']],
      [update, { ...good, value: undefined }, ['verify at input.verify: value_required']],
      [update, { id, notes: 'n', verify: true }, ['verify at input.verify: value_required']],
      [update, { ...good, tags: [''] }, []],
      [update, { ...good, id: 'no id', verify: true }, []],
      [update, { ...good, id: randomUUID() }, []],
      [update, { ...good, expectedVersion: 7 }, []],
      [update, { ...good, name: taken.name }, ['name at input.name: taken']],
    ];
    for (const [query, sent, fields] of refusals) {
      const [data, code, ...broken] = refusal(await keeper.run(query, { input: sent }));
      expect([data, code]).toEqual([null, expect.stringMatching(/^(UNPROCESSABLE_ENTITY|CONFLICT_ERROR|NOT_FOUND)$/)]);
      if (fields.length > 0) expect(broken).toEqual(fields);
    }
    expect([provider.arrived, await keeper.events(id)]).toEqual([[], ['created']]);
    // None of them counted, either.
    for (let times = 0; times < 30; times += 1) expect(await keeper.result(id)).toBe('VALID');
  });

  it('needs secrets:use besides secrets:write, which is told before anything else', async () => {
    const keeper = await newKeeper();
    const secret = await keeper.newSecret();
    const token = await sealing.gateway.issuer.token({
      sub: keeper.user.id,
      teams: [],
      scope: 'secrets:read secrets:write',
    });
    const run = (query: string, sent: object) => sealing.gateway.run(query, { input: sent }, { token });
    const value = provider.newKey();
    for (const answer of [
      await run(create, input({ value })),
      await run(create, input({ value, name: 'not a name' })),
      await run(update, { id: secret.id, value, verify: true }),
      await run(update, { id: randomUUID(), value, verify: true }),
    ])
      expect(refusal(answer)).toEqual([null, 'PERMISSION_ERROR']);
    expect((await run(update, { id: secret.id, value, verify: false })).errors).toEqual([]);
    expect(provider.arrived).toEqual([]);
  });

  it('sends nothing again, and counts nothing, where the same call is made again', async () => {
    const keeper = await newKeeper();
    const sent = input({ value: provider.newKey(), idempotencyKey: randomUUID() });
    provider.status = 503;
    const first = await keeper.run(create, { input: sent });
    provider.status = null;
    for (let times = 0; times < 3; times += 1) {
      const { data } = await keeper.run(create, { input: sent });
      expect(data).toEqual(first.data);
    }
    expect(provider.arrived).toHaveLength(1);
    // A refusal is not kept: the same call may be made when the provider knows the value.
    const [value, idempotencyKey] = [madeUp(), randomUUID()];
    const refused = input({ value, idempotencyKey });
    expect(refusal(await keeper.run(create, { input: refused }))[1]).toBe('UNPROCESSABLE_ENTITY');
    provider.known.add(value);
    expect((await keeper.run(create, { input: refused })).data.createSecret.secret.health).toEqual(valid);
  });

  it('lets others change the secret while the provider is asked, and does not ask again for that', async () => {
    const keeper = await newKeeper();
    const { id } = await keeper.newSecret();
    const value = provider.newKey();
    const held = provider.hold();
    const verifying = keeper.run(update, { input: { id, value, verify: true } });
    await held.arrived;
    const notes = await keeper.run(update, { input: { id, notes: 'changed meanwhile' } });
    expect([notes.errors, notes.data.updateSecret.secret.version]).toEqual([[], 2]);
    held.release();
    const { secret, warnings } = (await verifying).data.updateSecret;
    expect([secret.version, secret.health, warnings]).toEqual([3, valid, []]);
    expect(provider.arrived).toHaveLength(1);
    const { value: stored } = await sealing.gateway.openValue(id);
    expect(stored).toBe(value);
  });

  it('says that a value is not verified where its provider was changed while it was asked', async () => {
    const keeper = await newKeeper();
    const { id } = await keeper.newSecret();
    const held = provider.hold();
    const verifying = keeper.run(update, { input: { id, value: provider.newKey(), verify: true } });
    await held.arrived;
    expect((await keeper.run(update, { input: { id, provider: 'custom' } })).errors).toEqual([]);
    held.release();
    const { secret, warnings } = (await verifying).data.updateSecret;
    expect([secret.version, secret.health]).toEqual([3, null]);
    expect(warnings).toMatchObject([
      { type: 'not_verified', message: expect.stringContaining('changed at the same time') },
    ]);
  });

  it('refuses a stale expectedVersion also where the secret is changed while the provider is asked', async () => {
    const keeper = await newKeeper();
    const { id } = await keeper.newSecret();
    const held = provider.hold();
    const verifying = keeper.run(update, { input: { id, value: provider.newKey(), verify: true, expectedVersion: 1 } });
    await held.arrived;
    await keeper.run(update, { input: { id, notes: 'n' } });
    held.release();
    expect(refusal(await verifying)[1]).toBe('CONFLICT_ERROR');
    expect(await keeper.health(id)).toBeNull();
  });

  it('of a guess at the key of somebody else costs its caller alone', async () => {
    const [ada, bob] = [await newKeeper(), await newKeeper()];
    const secret = await ada.newSecret();
    await ada.result(secret.id);
    for (let times = 0; times < 30; times += 1)
      expect(refusal(await bob.run(create, { input: input({ value: madeUp() }) }))[1]).toBe('UNPROCESSABLE_ENTITY');
    const guessed = await bob.run(create, { input: input({ value: secret.key }) });
    expect(refusal(guessed)[1]).toBe('TOO_MANY_REQUESTS');
    expect([await ada.health(secret.id), await ada.events(secret.id)]).toEqual([
      ['VALID', 'CHECK'],
      ['created', 'checked'],
    ]);
    expect(await ada.result(secret.id)).toBe('VALID');
  });
});
