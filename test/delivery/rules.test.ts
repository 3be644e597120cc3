import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newRecipient, resolve, resolver, resolveSecrets, type TestRecipient } from '../support/deliveries.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';
import { soundRecipients, unsoundRecipients } from '../support/recipients.ts';

const owner = { teamId: 'red' };

describe.each(storeNames)('the input of resolveSecrets on %s', (store) => {
  let gateway: TestGateway;
  let token: string;
  let recipient: TestRecipient;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    token = await resolver(gateway);
    recipient = await newRecipient();
    await gateway.run(createSecret(), { input: { owner, name: 'a', value: 'the value of a' } });
  });
  afterAll(() => gateway.close());

  const errorsOf = async (input: Record<string, unknown>) => {
    const { errors, status } = await resolve(gateway, { owner, ...input }, { recipient, token });
    const [error] = errors;
    return {
      status,
      code: error?.extensions.code,
      type: error?.extensions.type,
      errors: error?.extensions.errors ?? [],
    };
  };
  const many = (count: number, start = 0) => Array.from({ length: count }, (_, index) => `n${start + index}`);

  it('takes each sound recipient, in a variable and in the document', async () => {
    for (const [what, jwk] of Object.entries(soundRecipients)) {
      expect(await errorsOf({ recipient: jwk, names: ['a'] }), what).toMatchObject({ status: 200 });
    }
    const literal = `mutation { resolveSecrets(input: { owner: { teamId: "red" }, names: "a",
      recipient: { kty: "OKP", crv: "X25519", x: "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08", key_ops: [] } }) { missing } }`;
    expect((await gateway.run(literal, {}, { token })).data.resolveSecrets.missing).toEqual([]);
  });

  it('refuses what is no sound public key, names the field, and repeats nothing of it', async () => {
    for (const [what, jwk] of Object.entries(unsoundRecipients)) {
      const { status, errors, text } = await gateway.run(
        resolveSecrets(),
        { input: { owner, recipient: jwk } },
        { token },
      );
      const [code] = errors.map(({ extensions }) => extensions.code);
      expect([status, code], what).toEqual([422, 'UNPROCESSABLE_ENTITY']);
      expect(errors[0]?.extensions.errors).toMatchObject([
        { field: 'recipient', loc: ['input', 'recipient'], type: 'public_key' },
      ]);
      const sent = JSON.stringify(jwk).match(/[\w+/-]{20,}/g) ?? [];
      for (const part of sent) expect(text).not.toContain(part.slice(0, 20));
    }
    const missing = await gateway.run(resolveSecrets(), { input: { owner } }, { token });
    expect(missing.errors[0]?.extensions.code).toBe('BAD_REQUEST');
    const none = await gateway.run(resolveSecrets(), { input: { owner, recipient: null } }, { token });
    expect(none.errors[0]?.extensions.code).toBe('BAD_REQUEST');
  });

  it('names every broken field at once', async () => {
    const { status, errors } = await errorsOf({
      recipient: 7,
      purpose: 'two\nlines',
      names: ['a', 'x'.repeat(3000), '\ud800'],
      placeholders: [`a${'\u0301'.repeat(31)}`],
      ids: ['no uuid', crypto.randomUUID()],
    });
    expect(status).toBe(422);
    expect(errors.map(({ loc, type }) => [loc.slice(1).join('.'), type])).toEqual([
      ['names.1', 'too_long'],
      ['names.2', 'ill_formed'],
      ['placeholders.0', 'combining_marks'],
      ['ids.0', 'uuid'],
      ['recipient', 'public_key'],
      ['purpose', 'characters'],
    ]);
  });

  it.each([
    ['255 characters', 'p'.repeat(255), undefined],
    ['any language', 'ночной импорт 🚀', undefined],
    ['nothing', '', 'required'],
    ['256 characters', 'p'.repeat(256), 'too_long'],
    ['only spaces', '  ', 'surrounding_space'],
    ['nothing that shows', '\u3164', 'characters'],
    ['a control character', 'a\x1b[31m', 'characters'],
    ['half a character', '\ud800', 'characters'],
  ])('takes or refuses a purpose of %s', async (_, purpose, type) => {
    expect((await errorsOf({ purpose, names: [] })).errors.map((error) => error.type)).toEqual(type ? [type] : []);
  });

  it('takes a thousand different names, placeholders and ids together, and no more', async () => {
    const ids = Array.from({ length: 200 }, () => crypto.randomUUID());
    const thousand = { names: many(500), placeholders: many(300), ids };
    expect(await errorsOf(thousand)).toMatchObject({ status: 200 });
    const doubled = {
      names: [...many(500), ...many(500)],
      placeholders: many(300),
      ids: [...ids, ...ids.map((id) => id.toUpperCase())],
    };
    expect(await errorsOf(doubled)).toMatchObject({ status: 200 });
    const tooMany = { status: 400, code: 'BAD_REQUEST', type: 'delivery_limit_error' };
    expect(await errorsOf({ ...thousand, names: many(501) })).toMatchObject(tooMany);
    expect(await errorsOf({ names: many(1001) })).toMatchObject(tooMany);
    expect(await errorsOf({ names: many(1001), recipient: 7 })).toMatchObject(tooMany);
  });

  it('is refused to an owner that cannot be named, before the recipient is looked at', async () => {
    expect((await errorsOf({ owner: { teamId: 'blue' }, recipient: 7 })).code).toBe('FORBIDDEN');
    const noTeam = await errorsOf({ owner: { connectorId: 'c' } });
    expect(noTeam.errors).toMatchObject([{ field: 'teamId', loc: ['input', 'owner', 'teamId'] }]);
    const { errors } = await resolve(
      gateway,
      { owner, recipient: 7 },
      { recipient, token: await gateway.issuer.token() },
    );
    expect(errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
  });

  it('is refused by GET, and takes points for what it delivers', async () => {
    const query = `mutation { resolveSecrets(input: { recipient: 1 }) { missing } }`;
    const get = await gateway.send({ method: 'GET' }, { token }, `?${new URLSearchParams({ query })}`);
    expect([get.status, get.errors[0]?.extensions.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
  });
});

describe('what a delivery costs', () => {
  it('is 5 points, one for every 25 secrets and one for every MiB', async () => {
    const gateway = await TestGateway.start('sqlite', { RATE_LIMIT: '4000/1h' });
    try {
      const value = 'v'.repeat(64 * 1024);
      for (let made = 0; made < 60; made += 20) {
        const some = Array.from({ length: 20 }, (_, index) => ({ owner, name: `n${made + index}`, value }));
        await Promise.all(some.map((input) => gateway.run(createSecret(), { input })));
      }
      const token = await resolver(gateway, { sub: 'meter' });
      const recipient = await newRecipient();
      const remaining = async () =>
        Number((await gateway.run('{ __typename }', {}, { token })).headers.get('ratelimit-remaining'));
      const costOf = async (input: Record<string, unknown>) => {
        const before = await remaining();
        expect((await resolve(gateway, { owner, ...input }, { recipient, token })).status).toBe(200);
        // The look itself takes one.
        return before - (await remaining()) - 1;
      };
      // A thousand secrets, each in a delivery.
      const possibleObjects = 2000;
      expect(await costOf({ names: [] })).toBe(5);
      expect(await costOf({ names: ['n1', 'n2'] })).toBe(5);
      expect(await costOf({})).toBe(5 + Math.floor(60 / 25 + 60 / 16) + possibleObjects / 1000);
    } finally {
      await gateway.close();
    }
  });
});
