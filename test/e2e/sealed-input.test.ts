import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newApiKey, withApiKey } from '../support/api-keys.ts';
import { type GraphQLAnswer, storeNames } from '../support/gateway.ts';
import { deleteSecret } from '../support/graphql.ts';
import { type ByHand, secondsFromNow } from '../support/seal-by-hand.ts';
import { expectSealRefused, newName, Sealing } from '../support/sealing.ts';

const red = { teamId: 'red' };
const plainHttp = { REQUIRE_TLS: 'on', TRUST_PROXY: 'on' };

describe.each(storeNames)('a sealed value, on %s', (store) => {
  let sealing: Sealing;
  beforeAll(async () => {
    sealing = await Sealing.start(store, plainHttp);
  });
  afterAll(() => sealing.gateway.close());

  it('is created, stored and masked like a value in clear, byte for byte, with a key of either curve', async () => {
    expect(sealing.keys.map(({ jwk }) => jwk.crv)).toEqual(['X25519', 'P-256']);
    for (const sealingKey of sealing.keys) {
      for (const value of ['sk-proj-0123456789abcdefghijklmnop', '\uFEFFa\r\nb\0c 😀 "d"', 'x'.repeat(65_536), 'y']) {
        const name = newName();
        const sealedValue = await sealing.seal(value, { sealingKey, name });
        const { data, errors } = await sealing.create({ name, sealedValue });
        expect(errors).toEqual([]);
        const { id } = data.createSecret.secret;
        expect((await sealing.gateway.openValue(id)).value).toBe(value);
        const clear = await sealing.create({ name: newName(), value });
        expect(data.createSecret.secret.maskedValue).toBe(clear.data.createSecret.secret.maskedValue);
        expect(data.createSecret.warnings).toEqual(
          clear.data.createSecret.warnings.map(({ field, type }: { field: string; type: string }) => ({
            field: field === 'value' ? 'sealedValue' : field,
            type,
          })),
        );
      }
    }
  });

  it('updates the secret of its id, written in either case, and nothing else', async () => {
    const { id } = await sealing.made();
    const sealedValue = await sealing.seal('the second value of it', { id: id.toUpperCase() });
    const { data } = await sealing.update({ id: id.toUpperCase(), sealedValue });
    expect(data.updateSecret.secret).toMatchObject({ id, version: 2 });
    expect((await sealing.gateway.openValue(id)).value).toBe('the second value of it');
  });

  it('is accepted over plain HTTP where a value in clear is not', async () => {
    const headers = { 'x-forwarded-proto': 'http' };
    const name = newName();
    const sealedValue = await sealing.seal('over plain HTTP', { name });
    expect((await sealing.create({ name, value: 'over plain HTTP' }, { headers })).status).toBe(426);
    expect((await sealing.create({ name, value: 'over plain HTTP', sealedValue }, { headers })).status).toBe(426);
    const { data } = await sealing.create({ name, sealedValue }, { headers });
    const { id } = data.createSecret.secret;
    expect((await sealing.update({ id, sealedValue: await sealing.seal('again', { id }) }, { headers })).status).toBe(
      200,
    );
  });

  it('belongs to an owner that is compared resolved: of an API key, its team or its connector', async () => {
    const connector = { teamId: 'red', connectorId: 'crm é' };
    const asKey = async (fields: Partial<Parameters<typeof newApiKey>[1]>) => {
      const { id, key } = await newApiKey(sealing.gateway, { ...fields, name: newName() });
      return { subject: id, options: withApiKey(key) };
    };
    const [team, ofConnector] = [await asKey(red), await asKey(connector)];
    const token = { subject: 'ada', options: {} };
    const decomposed = { ...connector, connectorId: 'crm e\u0301' };
    const good = [
      [token, red, red],
      [token, connector, connector],
      [token, connector, decomposed],
      [team, {}, {}],
      [team, {}, red],
      [team, red, {}],
      [team, connector, connector],
      [ofConnector, {}, connector],
      [ofConnector, connector, {}],
    ] as const;
    for (const [{ subject, options }, owner, sealedFor] of good) {
      const name = newName();
      const sealedValue = await sealing.seal('a value', { subject, owner: sealedFor, name });
      const { data, text } = await sealing.create({ owner, name, sealedValue }, options);
      expect(text).not.toContain('errors');
      const { id } = data.createSecret.secret;
      const again = await sealing.seal('another', { subject, owner: sealedFor, id });
      expect((await sealing.update({ id, sealedValue: again }, options)).errors).toEqual([]);
    }
    const bad = [
      [token, {}, red, {}],
      [token, red, {}, red],
      [token, red, connector, red],
      [token, connector, red, connector],
      [token, connector, { ...connector, connectorId: 'erp' }, connector],
      [token, red, { teamId: 'blue' }, red],
      [team, {}, connector, red],
      [ofConnector, {}, red, connector],
    ] as const;
    for (const [{ subject, options }, owner, sealedFor, resolved] of bad) {
      const name = newName();
      const sealedValue = await sealing.seal('a value', { subject, owner: sealedFor, name });
      expectSealRefused(await sealing.create({ owner, name, sealedValue }, options), 'wrong_owner');
      const { id } = await sealing.made({ owner: resolved });
      const change = await sealing.seal('a value', { subject, owner: sealedFor, id });
      expectSealRefused(await sealing.update({ id, sealedValue: change }, options), 'wrong_owner');
    }
  });

  it('belongs to a subject, to a name as it is stored or to an id, and to a create or an update', async () => {
    const name = newName();
    const { id } = await sealing.made();
    expectSealRefused(
      await sealing.create({ name, sealedValue: await sealing.seal('v', { subject: 'eve', name }) }),
      'wrong_subject',
    );
    expectSealRefused(
      await sealing.update({ id, sealedValue: await sealing.seal('v', { subject: 'eve', id }) }),
      'wrong_subject',
    );
    expectSealRefused(
      await sealing.create({ name, sealedValue: await sealing.seal('v', { name: newName() }) }),
      'wrong_name',
    );
    expectSealRefused(
      await sealing.create({ name, sealedValue: await sealing.seal('v', { name: name.toLowerCase() }) }),
      'wrong_name',
    );
    expectSealRefused(
      await sealing.update({ id, sealedValue: await sealing.seal('v', { id: randomUUID() }) }),
      'wrong_id',
    );
    expectSealRefused(await sealing.create({ name, id, sealedValue: await sealing.seal('v', { id }) }), 'wrong_name');
    const ofId = (await sealing.made()).name;
    expectSealRefused(
      await sealing.update({ id, name: ofId, sealedValue: await sealing.seal('v', { name: ofId }) }),
      'wrong_id',
    );
    const question = { use: 'match' as const };
    expectSealRefused(await sealing.create({ name, sealedValue: await sealing.seal('v', question) }), 'wrong_name');
    expectSealRefused(await sealing.update({ id, sealedValue: await sealing.seal('v', question) }), 'wrong_id');
    const [composed, decomposed] = [`caf\u00e9 ${randomUUID()}`, 'cafe\u0301'];
    const other = composed.replace('caf\u00e9', decomposed);
    const sealedValue = await sealing.seal('v', { owner: red, name: other });
    expect((await sealing.create({ owner: red, name: composed, sealedValue })).errors).toEqual([]);
    const again = await sealing.seal('v', { owner: red, name: `${composed}2` });
    expect((await sealing.create({ owner: red, name: `${other}2`, sealedValue: again })).errors).toEqual([]);
  });

  it('is refused for its header, its times or its key, each with a type of its own', async () => {
    const name = newName();
    const send = async (header: Record<string, unknown>, more?: ByHand) =>
      sealing.create({ name, sealedValue: sealing.byHand('v', { name, ...header }, more) });
    expectSealRefused(await send({ exp: secondsFromNow(-1), iat: secondsFromNow(-100) }), 'expired');
    expectSealRefused(await send({ kid: 'seal-x25519-0' }), 'unknown_key');
    expectSealRefused(await send({ kid: sealing.keys[1]?.kid }), 'undecryptable');
    for (const header of [
      { typ: 'JWE' },
      { enc: 'A256CBC-HS512' },
      { alg: 'ECDH-ES' },
      { jti: undefined },
      { iat: secondsFromNow(40), exp: secondsFromNow(60) },
      { exp: secondsFromNow(700), iat: secondsFromNow(20) },
    ]) {
      expectSealRefused(await send(header), 'invalid_header');
    }
    const good = sealing.byHand('v', { name });
    expectSealRefused(
      await sealing.create({ name, sealedValue: `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}` }),
      'undecryptable',
    );
    expectSealRefused(await sealing.create({ name, sealedValue: 'sk-in-clear-by-mistake' }), 'undecryptable');
    expect((await sealing.gateway.run('{ secrets { nodes { name } } }')).text).not.toContain(name);
    expect((await sealing.create({ name, sealedValue: good })).errors).toEqual([]);
  });

  it('works once: used again it is replayed, wherever and however often', async () => {
    const [name, jti] = [newName(), randomUUID()];
    const sealedValue = sealing.byHand('v', { name, jti });
    const { data } = await sealing.create({ name, sealedValue });
    const { id } = data.createSecret.secret;
    expectSealRefused(await sealing.create({ name, sealedValue }), 'replayed');
    expectSealRefused(
      await sealing.update({ id, sealedValue: sealing.byHand('w', { name: undefined, id, jti }) }),
      'replayed',
    );
    await sealing.gateway.run(deleteSecret, { input: { id } });
    expectSealRefused(await sealing.create({ name, sealedValue }), 'replayed');
    // Under another owner, sealed anew with the id of the first.
    const elsewhere = sealing.byHand('v', { name, jti, owner: red });
    expectSealRefused(await sealing.create({ owner: red, name, sealedValue: elsewhere }), 'replayed');
    await sealing.gateway.stop();
    await sealing.gateway.launch({ RATE_LIMIT: 'off', ...plainHttp });
    expectSealRefused(await sealing.create({ name, sealedValue }), 'replayed');
  });

  it('sent 20 times at once is written exactly once, and replayed otherwise', async () => {
    const name = newName();
    const sealedValue = await sealing.seal('v', { name });
    const creates = await Promise.all(Array.from({ length: 20 }, () => sealing.create({ name, sealedValue })));
    const [created, ...others] = creates.toSorted((a, b) => a.errors.length - b.errors.length);
    for (const answer of others) expectSealRefused(answer, 'replayed');
    const { id } = created?.data.createSecret.secret ?? {};
    const change = await sealing.seal('w', { id });
    const updates = await Promise.all(Array.from({ length: 20 }, () => sealing.update({ id, sealedValue: change })));
    const [updated, ...rest] = updates.toSorted((a, b) => a.errors.length - b.errors.length);
    for (const answer of rest) expectSealRefused(answer, 'replayed');
    expect(updated?.data.updateSecret.secret.version).toBe(2);
    expect((await sealing.gateway.openValue(id)).record.version).toBe(2);
  });

  it('is not used up by a write that fails', async () => {
    const { name: taken } = await sealing.made();
    const { id } = await sealing.made();
    const sealedValue = sealing.byHand('v', { name: taken });
    const conflict = async (answer: Promise<GraphQLAnswer>) =>
      expect((await answer).errors[0]?.extensions.code).toBe('CONFLICT_ERROR');
    await conflict(sealing.create({ name: taken, sealedValue }));
    const change = await sealing.seal('w', { id });
    await conflict(sealing.update({ id, name: taken, sealedValue: change }));
    await conflict(sealing.update({ id, expectedVersion: 7, sealedValue: change }));
    expect((await sealing.update({ id, notes: 'x'.repeat(5000), sealedValue: change })).status).toBe(422);
    expect((await sealing.update({ id, sealedValue: change })).data.updateSecret.secret.version).toBe(2);
    const { data } = await sealing.gateway.run(
      'query ($name: String!) { secrets(filter: { name: $name }) { nodes { id } } }',
      {
        name: taken,
      },
    );
    await sealing.gateway.run(deleteSecret, { input: { id: data.secrets.nodes[0].id } });
    expect((await sealing.create({ name: taken, sealedValue })).errors).toEqual([]);
  });
});
