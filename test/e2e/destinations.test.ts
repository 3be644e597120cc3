import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  anthropic,
  byHand,
  create,
  Destinations,
  entity,
  github,
  openai,
  required,
  rollback,
  update,
  value,
} from '../support/destinations.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';

describe.each(storeNames)('where a value may be sent, on %s', (store) => {
  let on: Destinations;
  let origin: string;
  beforeAll(async () => {
    on = await Destinations.start(store);
    origin = new URL(on.gateway.url).origin;
  });
  afterAll(() => on.gateway.close());

  const team = { teamId: 'red' };

  it.each([
    ['openai', openai],
    ['OpenAI', openai],
    ['anthropic', anthropic],
    ['GITHUB', github],
    ['another', null],
  ])('is where the keys of its provider go: %s', async (provider, destination) => {
    const secret = await on.made({ provider });
    const useUrl = destination && `${origin}/v1/use/${secret.id}`;
    expect(secret).toMatchObject({ provider, destination, useUrl, lastUsedAt: null, version: 1 });
    expect(await on.find(secret.id)).toEqual({ ...secret, versions: [{ version: 1, destination }] });
    const of = [{ __typename: 'Secret', id: secret.id }];
    expect((await on.gateway.run(entity, { of })).data._entities).toEqual([secret]);
    expect((await on.gateway.openValue(secret.id)).value).toBe(value);
  });

  it('is nowhere without a provider, without a value, and where the caller says so', async () => {
    for (const input of [{}, { provider: 'openai', value: null }, { provider: 'openai', destination: null }])
      expect(await on.made(input)).toMatchObject({ destination: null, useUrl: null });
  });

  it('is what the caller says, whatever the provider is, with defaults for the header and the format', async () => {
    const { origin: only } = byHand;
    for (const provider of ['openai', null]) {
      expect((await on.made({ provider, destination: byHand })).destination).toEqual(byHand);
      expect((await on.made({ provider, destination: { origin: only } })).destination).toEqual({
        ...openai,
        origin: only,
      });
    }
    expect(
      (await on.made({ destination: { ...byHand, origin: 'HTTPS://API.example.com:443', paths: ['/a/', '/a'] } }))
        .destination,
    ).toEqual({ ...byHand, paths: ['/a'] });
  });

  it('has the same defaults where it stands in the document', async () => {
    const query = `mutation ($value: String!, $name: String!, $path: String!) {
      createSecret(input: { owner: { teamId: "red" }, name: $name, value: $value, destination: { origin: "https://api.example.com", paths: [$path] } }) {
        secret { destination { origin header format paths } }
      }
    }`;
    for (const path of ['/a', '/b']) {
      const { data } = await on.gateway.run(query, { value, name: `n ${randomUUID()}`, path });
      expect(data.createSecret.secret.destination).toEqual({ ...openai, origin: byHand.origin, paths: [path] });
    }
  });

  it('is of a sealed value, too', async () => {
    const name = `n ${randomUUID()}`;
    const sealedValue = await on.sealing.seal(value, { owner: team, name });
    const { id, destination } = await on.made({ name, value: undefined, sealedValue, destination: byHand });
    expect(destination).toEqual(byHand);
    expect(await on.refused(update, { id, sealedValue: await on.sealing.seal(value, { owner: team, id }) })).toEqual(
      required,
    );
    const short = await on.sealing.seal('short', { owner: team, id });
    expect(await on.refused(update, { id, sealedValue: short, destination: byHand })).toEqual([
      ['destination', 'input.destination', 'value_too_short'],
    ]);
    const again = await on.sealing.seal(value, { owner: team, id });
    expect((await on.changed({ id, sealedValue: again, destination: null })).destination).toBeNull();
  });

  it('changes only together with a value', async () => {
    const { id } = await on.made({ provider: 'openai' });
    const alone = [['destination', 'input.destination', 'value_required']];
    for (const destination of [byHand, null]) {
      expect(await on.refused(update, { id, destination })).toEqual(alone);
      expect(await on.refused(update, { id, notes: 'more', destination })).toEqual(alone);
    }
    expect(await on.refused(create, on.newInput({ value: undefined, destination: byHand }))).toEqual(alone);
    expect(await on.find(id)).toMatchObject({ destination: openai, version: 1 });
  });

  it('stays with every other change, a change of the provider too', async () => {
    const { id } = await on.made({ provider: 'openai' });
    for (const change of [
      { provider: 'anthropic' },
      { provider: null },
      { notes: 'more' },
      { name: `n ${randomUUID()}` },
    ])
      expect((await on.changed({ id, ...change })).destination).toEqual(openai);
    expect((await on.gateway.openValue(id)).value).toBe(value);
    const none = await on.made({ provider: 'another' });
    expect(await on.changed({ id: none.id, provider: 'openai' })).toMatchObject({ destination: null, version: 2 });
  });

  it('is that of the provider as it is with the new value', async () => {
    const { id } = await on.made({ provider: 'openai' });
    expect((await on.changed({ id, value: 'the second value', provider: 'anthropic' })).destination).toEqual(anthropic);
    expect((await on.changed({ id, value: 'the third value' })).destination).toEqual(anthropic);
    expect((await on.changed({ id, value: 'the fourth value', provider: null })).destination).toBeNull();
    expect((await on.changed({ id, value: 'the fifth value', provider: 'github' })).destination).toEqual(github);
    expect((await on.gateway.openValue(id)).value).toBe('the fifth value');
  });

  it('must be said again with a new value where it was given by hand', async () => {
    const { id } = await on.made({ provider: 'openai', destination: byHand });
    for (const more of [{}, { provider: 'anthropic' }])
      expect(await on.refused(update, { id, value: 'the second value', ...more })).toEqual(required);
    expect(await on.find(id)).toMatchObject({ version: 1, destination: byHand });
    expect((await on.gateway.openValue(id)).value).toBe(value);
    expect((await on.changed({ id, value: 'the second value', destination: byHand })).destination).toEqual(byHand);
    // Given by hand counts, not whether it is another than the provider's.
    expect((await on.changed({ id, value: 'the third value', destination: openai })).destination).toEqual(openai);
    expect(await on.refused(update, { id, value: 'the fourth value' })).toEqual(required);
    expect((await on.changed({ id, value: 'the fourth value', destination: null })).destination).toBeNull();
    expect((await on.changed({ id, value: 'the fifth value' })).destination).toEqual(openai);
  });

  it.each([
    ['a short one', 'short', 'value_too_short'],
    ['a long one', 'v'.repeat(8193), 'value_too_long'],
    ['one with a newline', 'a value\n', 'value_not_for_headers'],
  ])('is nowhere for a value that cannot be sent, with a warning, and refused by hand: %s', async (_what, of, type) => {
    const input = on.newInput({ provider: 'openai', value: of });
    const { secret, warnings } = await on.run(create, input);
    expect(secret).toMatchObject({ destination: null, useUrl: null });
    const [warning] = warnings.filter(({ field }) => field === 'destination');
    expect(warning).toEqual({ field: 'destination', type, message: expect.stringMatching(/^[A-Z].*\.$/) });
    expect((await on.gateway.openValue(secret.id)).value).toBe(of);
    const { secret: before } = await on.run(create, on.newInput({ provider: 'openai' }));
    const told = await on.run(update, { id: before.id, value: of });
    expect(told.secret.destination).toBeNull();
    expect(told.warnings.filter(({ field }) => field === 'destination')).toEqual([warning]);
    const all = [['destination', 'input.destination', type]];
    expect(await on.refused(create, on.newInput({ value: of, destination: byHand }))).toEqual(all);
    expect(await on.refused(update, { id: before.id, value: of, destination: byHand })).toEqual(all);
    expect(
      (await on.run(create, on.newInput({ value: of, provider: 'openai', destination: null }))).warnings,
    ).not.toContainEqual(warning);
  });

  it('is refused by what is wrong with it, field by field, also beside other mistakes', async () => {
    const destination = {
      origin: 'https://evil.example/evil',
      header: 'Cookie',
      format: 'evil',
      paths: ['/', '/evil/..'],
    };
    const wrong = [
      ['header', 'input.destination.header', 'header_not_allowed'],
      ['format', 'input.destination.format', 'format'],
      ['origin', 'input.destination.origin', 'origin'],
      ['paths', 'input.destination.paths.1', 'path'],
    ];
    expect(await on.refused(create, on.newInput({ destination }))).toEqual(wrong);
    const { id } = await on.made();
    expect(await on.refused(update, { id, value, destination })).toEqual(wrong);
    const unknown = { id: 'no uuid', value, destination };
    expect(await on.refused(update, unknown)).toEqual([['id', 'input.id', 'uuid'], ...wrong]);
  });

  it('is part of the input of an idempotent call, and of its result', async () => {
    const input = on.newInput({ provider: 'openai', destination: byHand, idempotencyKey: randomUUID() });
    const first = await on.run(create, input);
    await on.run(update, {
      id: first.secret.id,
      value: 'the second value',
      destination: { ...byHand, header: 'X-Other' },
    });
    expect(await on.run(create, input)).toEqual(first);
    for (const destination of [null, undefined, { ...byHand, paths: null }, { ...byHand, format: '{value}' }])
      expect(await on.refused(create, { ...input, destination })).toEqual([
        ['idempotencyKey', 'input.idempotencyKey', 'idempotency_key_reused'],
      ]);
  });

  it('belongs to each value: earlier ones keep theirs, and a rollback brings it back', async () => {
    const { id } = await on.made({ provider: 'openai' });
    await on.changed({ id, value: 'the second value', destination: byHand });
    await on.changed({ id, notes: 'more' });
    await on.changed({ id, value: 'the fourth value', destination: null });
    const versions = [
      { version: 4, destination: null },
      { version: 2, destination: byHand },
      { version: 1, destination: openai },
    ];
    expect((await on.find(id)).versions).toEqual(versions);
    const back = await on.run(rollback, { id, toVersion: 2 });
    expect(back.secret).toMatchObject({ version: 5, destination: byHand, useUrl: `${origin}/v1/use/${id}` });
    expect((await on.gateway.openValue(id)).value).toBe('the second value');
    expect(await on.refused(update, { id, value: 'the sixth value' })).toEqual(required);
    expect((await on.run(rollback, { id, toVersion: 1 })).secret).toMatchObject({ version: 6, destination: openai });
    expect((await on.changed({ id, value: 'the seventh value' })).destination).toEqual(openai);
    expect((await on.gateway.openValue(id)).value).toBe('the seventh value');
  });

  it('is for readers: who may only write changes it, and does not see it', async () => {
    const writer = await on.gateway.issuer.token({ scope: 'secrets:write' });
    const input = on.newInput({ destination: byHand });
    for (const field of ['destination { origin }', 'useUrl', 'lastUsedAt']) {
      const query = `mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id ${field} } } }`;
      const { errors } = await on.gateway.run(query, { input }, { token: writer });
      expect(errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
    }
    const query = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }';
    const { data } = await on.gateway.run(query, { input }, { token: writer });
    expect((await on.find(data.createSecret.secret.id)).destination).toEqual(byHand);
  });
});

describe('with other settings', () => {
  it('useUrl begins with PUBLIC_URL, and plain HTTP is for development', async () => {
    const gateway = await TestGateway.start('sqlite', {
      PUBLIC_URL: 'https://secrets.example.com/gateway/',
      NODE_ENV: 'production',
      REQUIRE_TLS: 'off',
    });
    try {
      const input = { owner: { teamId: 'red' }, name: 'a', value, provider: 'openai' };
      const { data } = await gateway.run(create, { input });
      const { id, useUrl } = data.createSecret.secret;
      expect(useUrl).toBe(`https://secrets.example.com/gateway/v1/use/${id}`);
      for (const [origin, type] of [
        ['http://127.0.0.1:3000', 'private_address'],
        ['http://localhost:3000', 'insecure_origin'],
      ]) {
        const { errors } = await gateway.run(create, { input: { ...input, name: 'b', destination: { origin } } });
        expect(errors[0]?.extensions.errors).toMatchObject([{ field: 'origin', type }]);
      }
    } finally {
      await gateway.close();
    }
  });
});
