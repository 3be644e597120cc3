import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, storeNames } from '../support/gateway.ts';
import { newName, Sealing } from '../support/sealing.ts';

const red = { teamId: 'red' };

describe.each(storeNames)('a sealed value, on %s', (store) => {
  let sealing: Sealing;
  beforeAll(async () => {
    sealing = await Sealing.start(store);
  });
  afterAll(() => sealing.gateway.close());

  it('opens to a value that every rule of values applies to, under its own field', async () => {
    const { id, maskedValue } = await sealing.made();
    const expectRule = (answer: GraphQLAnswer, type: string) => {
      expect(answer.errors[0]?.extensions).toMatchObject({
        code: 'UNPROCESSABLE_ENTITY',
        errors: [{ field: 'sealedValue', loc: ['input', 'sealedValue'], type }],
      });
    };
    const name = newName();
    for (const [value, type] of [
      ['', 'required'],
      ['x'.repeat(65_537), 'too_long'],
      ['x'.repeat(400_000), 'too_long'],
      [Buffer.from([0x61, 0xff]), 'ill_formed'],
      [Buffer.from([0xed, 0xa0, 0x80]), 'ill_formed'],
      ['sk-pro••••789', 'masked_value'],
    ] as const) {
      expectRule(await sealing.create({ name, sealedValue: sealing.byHand(value, { name }) }), type);
    }
    expectRule(await sealing.update({ id, sealedValue: await sealing.seal(maskedValue, { id }) }), 'masked_value');
    const { data } = await sealing.update({ id, sealedValue: await sealing.seal('"quoted and so on"\n', { id }) });
    expect(data.updateSecret.warnings).toEqual([
      { field: 'sealedValue', type: 'trailing_newline' },
      { field: 'sealedValue', type: 'quotes' },
      { field: 'destination', type: 'value_not_for_headers' },
    ]);
  });

  it('is one of two ways to send a value: both, or null in an update, break a rule; one of them satisfies it', async () => {
    const name = newName();
    const { id } = await sealing.made();
    const both = await sealing.create({ name, value: 'v', sealedValue: await sealing.seal('v', { name }) });
    const bothInUpdate = await sealing.update({ id, value: 'v', sealedValue: await sealing.seal('v', { id }) });
    for (const { errors } of [both, bothInUpdate]) {
      expect(errors[0]?.extensions).toMatchObject({
        code: 'UNPROCESSABLE_ENTITY',
        errors: [
          { field: 'value', loc: ['input', 'value'], type: 'exclusive' },
          { field: 'sealedValue', loc: ['input', 'sealedValue'], type: 'exclusive' },
        ],
      });
    }
    const none = await sealing.create({ name });
    expect(none.errors[0]?.extensions.errors).toMatchObject([{ field: 'value', type: 'required' }]);
    const nothing = await sealing.update({ id, sealedValue: null });
    expect(nothing.errors[0]?.extensions.errors).toMatchObject([{ field: 'sealedValue', type: 'null' }]);
    expect((await sealing.create({ name, sealedValue: null, value: 'v' })).errors).toEqual([]);
  });

  it('is looked at only once the caller is authorised', async () => {
    const stranger = { token: await sealing.gateway.issuer.token({ sub: 'eve', teams: [] }) };
    const reader = { token: await sealing.gateway.issuer.token({ scope: 'secrets:read' }) };
    const { id } = await sealing.made();
    const name = newName();
    const code = async (answer: Promise<GraphQLAnswer>) => (await answer).errors[0]?.extensions.code;
    for (const sealedValue of [
      'nonsense',
      await sealing.seal('v', { id }),
      await sealing.seal('v', { subject: 'eve', id }),
    ]) {
      expect(await code(sealing.update({ id, sealedValue }, stranger))).toBe('NOT_FOUND');
      expect(await code(sealing.update({ id, sealedValue }, reader))).toBe('PERMISSION_ERROR');
      expect(await code(sealing.create({ name, owner: red, sealedValue }, stranger))).toBe('FORBIDDEN');
      expect(await code(sealing.create({ name, sealedValue }, reader))).toBe('PERMISSION_ERROR');
      expect(await code(sealing.create({ name, sealedValue }, { token: null }))).toBe('UNAUTHORIZED');
    }
  });

  it('needs sealing.keys that are published to who has credentials, and to nobody without', async () => {
    expect((await sealing.gateway.run('{ sealingKeys { kid } }', {}, { token: null })).status).toBe(401);
    for (const { kid, alg, jwk } of sealing.keys) {
      expect(alg).toBe('ECDH-ES+A256KW');
      expect(jwk).toMatchObject({ kid, alg, use: 'enc' });
      expect(Object.keys(jwk).toSorted()).toEqual(
        ['alg', 'crv', 'kid', 'kty', 'use', 'x', ...(jwk.crv === 'P-256' ? ['y'] : [])].toSorted(),
      );
    }
    const nobody = { token: await sealing.gateway.issuer.token({ scope: '', teams: [] }) };
    expect((await sealing.gateway.run('{ sealingKeys { kid alg jwk } }', {}, nobody)).data.sealingKeys).toEqual(
      sealing.keys,
    );
  });
});
