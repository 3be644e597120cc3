import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDelivery } from '../../src/client/open-delivery.ts';
import { newApiKey } from '../support/api-keys.ts';
import { curves, newRecipient, opened, resolve, resolver, resolveSecrets } from '../support/deliveries.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

const create = createSecret('id name placeholder version');
const red = { teamId: 'red' };
const connector = { teamId: 'red', connectorId: 'ci' };

describe.each(storeNames)('secrets that are resolved on %s', (store) => {
  let gateway: TestGateway;
  const made: Record<string, { id: string; placeholder: string }> = {};

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    for (const [owner, name, value] of [
      [{}, 'MINE', 'the value of mine'],
      [red, 'Ångström', 'the value of Ångström'],
      [red, 'b', 'the value of b'],
      [red, 'without', undefined],
      [connector, 'connected', 'the value of connected'],
    ] as const) {
      const input = { owner, name, value, provider: 'p', notes: `notes of ${name}`, tags: ['t'] };
      made[name] = (await gateway.run(create, { input })).data.createSecret.secret;
    }
  });
  afterAll(() => gateway.close());

  it.each(curves)('are delivered to a key on %s, with who, what and when in the header', async (curve) => {
    const recipient = await newRecipient(curve);
    const before = Math.floor(Date.now() / 1000);
    const answer = await resolve(gateway, { owner: red, names: ['b'] }, { recipient });
    const [{ secret, jwe }] = answer.data.resolveSecrets.deliveries;
    expect(secret).toEqual({ id: made.b?.id, name: 'b', version: 1 });
    expect(await openDelivery(jwe, recipient.privateKey)).toEqual({
      value: 'the value of b',
      secretId: secret.id,
      version: 1,
    });
    const { iat, epk, ...header } = decodeProtectedHeader(jwe);
    expect(header).toEqual({
      alg: 'ECDH-ES+A256KW',
      enc: 'A256GCM',
      typ: 'delivered-secret+jwe',
      secretId: secret.id,
      version: 1,
      sub: 'ada',
    });
    expect(iat).toBeGreaterThanOrEqual(before);
    expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
    expect(epk).toMatchObject({ crv: curve });
    expect(epk).not.toHaveProperty('d');
  });

  it('are all of the owner when no list is there, in the order of their names; null is no list', async () => {
    const recipient = await newRecipient();
    for (const lists of [{}, { names: null, placeholders: null, ids: null }]) {
      const answer = await resolve(gateway, { owner: red, ...lists }, { recipient });
      expect(Object.entries(await opened(answer, recipient))).toEqual([
        ['b', 'the value of b'],
        ['Ångström', 'the value of Ångström'],
      ]);
      expect(answer.data.resolveSecrets.missing).toEqual(['without']);
    }
    const mine = await resolve(gateway, {}, { recipient });
    expect(await opened(mine, recipient)).toEqual({ MINE: 'the value of mine' });
  });

  it('are those that are named, each once; what is not there or has no value is told as it was sent', async () => {
    const recipient = await newRecipient();
    const decomposed = 'Ångström'.normalize('NFD');
    const [mine, b] = [made.MINE, made.b];
    const unknown = crypto.randomUUID().toUpperCase();
    const answer = await resolve(
      gateway,
      {
        owner: red,
        names: [decomposed, 'b', 'b', 'nobody', 'Nøbody'.normalize('NFD'), 'without', 'B'],
        placeholders: [b?.placeholder, mine?.placeholder, 'sec_000000000', 'b'],
        ids: [b?.id.toUpperCase(), b?.id, mine?.id, unknown, made.without?.id],
      },
      { recipient },
    );
    expect(await opened(answer, recipient)).toEqual({ b: 'the value of b', Ångström: 'the value of Ångström' });
    expect(answer.data.resolveSecrets.deliveries).toHaveLength(2);
    expect(answer.data.resolveSecrets.missing).toEqual([
      'nobody',
      'Nøbody'.normalize('NFD'),
      'without',
      'B',
      mine?.placeholder,
      'sec_000000000',
      'b',
      mine?.id,
      unknown,
      made.without?.id,
    ]);
  });

  it('are none when an empty list is all that is asked for', async () => {
    for (const lists of [{ names: [] }, { ids: [], placeholders: null }, { names: [], placeholders: [], ids: [] }]) {
      const { data } = await resolve(gateway, { owner: red, ...lists });
      expect(data.resolveSecrets).toEqual({ deliveries: [], missing: [] });
    }
  });

  it('show their metadata to who may only resolve, and no list', async () => {
    const fields = 'id name notes maskedValue tags provider owner { ... on Team { id } }';
    const { data } = await resolve(gateway, { owner: red, names: ['b'] }, { fields });
    expect(data.resolveSecrets.deliveries[0].secret).toMatchObject({
      notes: 'notes of b',
      maskedValue: '••••',
      tags: ['t'],
      owner: { id: 'red' },
    });
    const lists = 'id name owner { ... on Team { secrets { totalCount } } }';
    const { data: none, errors } = await resolve(gateway, { owner: red, names: ['b'] }, { fields: lists });
    expect(none?.resolveSecrets).toBeUndefined();
    expect(errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
    const token = await resolver(gateway, { scope: 'secrets:resolve secrets:read' });
    const both = await resolve(gateway, { owner: red, names: ['b'] }, { fields: lists, token });
    expect(both.data.resolveSecrets.deliveries[0].secret.owner.secrets.totalCount).toBe(3);
  });

  it('are refused to who may not resolve, or is not in the team', async () => {
    const codeFor = async (claims: Record<string, unknown>, owner: object) => {
      const { errors } = await resolve(gateway, { owner }, { token: await gateway.issuer.token(claims) });
      return errors[0]?.extensions.code;
    };
    expect(await codeFor({ scope: 'secrets:read secrets:write' }, red)).toBe('PERMISSION_ERROR');
    expect(await codeFor({ scope: 'secrets:resolve' }, { teamId: 'blue' })).toBe('FORBIDDEN');
    const { errors, status } = await gateway.run(resolveSecrets(), { input: { recipient: 1 } }, { token: null });
    expect([status, errors[0]?.extensions.code]).toEqual([401, 'UNAUTHORIZED']);
  });

  it('go to an API key as its team or its connector, and the event names the key', async () => {
    const recipient = await newRecipient();
    const { id, key } = await newApiKey(gateway, { ...connector, scopes: ['secrets:resolve'] });
    const headers = { 'x-api-key': key };
    const answer = await resolve(gateway, {}, { recipient, headers });
    expect(await opened(answer, recipient)).toEqual({ connected: 'the value of connected' });
    expect(decodeProtectedHeader(answer.data.resolveSecrets.deliveries[0].jwe)).toMatchObject({ sub: id });
    const sibling = await resolve(gateway, { owner: red }, { recipient, headers });
    expect(sibling.errors[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
