import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Client, type ClientOptions, createClient, sealValue } from '../../src/client/index.ts';
import { adminClaims } from '../support/api-keys.ts';
import { refusalOf, rejectionOf } from '../support/client.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';

const value = 'sk-proj-9f2c1e7a4b8d6053e1c7a9d2f4b6789';
const red = { teamId: 'red' };

describe.each(storeNames)('a client of a gateway on %s seals what it sends', (store) => {
  let gateway: TestGateway;
  let client: Client;
  /** The bodies of its requests. */
  let bodies: string[];
  /** Changes an answer on its way. */
  let change: (text: string) => string;
  let made = 0;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());
  beforeEach(async () => {
    bodies = [];
    change = (text) => text;
    client = await clientOf({});
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function clientOf(options: Partial<ClientOptions>): Promise<Client> {
    const fetchAndLook = async (url: string, init: RequestInit) => {
      bodies.push(String(init.body));
      const response = await fetch(url, init);
      return new Response(change(await response.text()), { status: response.status, headers: response.headers });
    };
    return createClient({ url: gateway.url, token: await gateway.issuer.token(), fetch: fetchAndLook, ...options });
  }

  const newName = () => `secret ${++made}`;
  const operations = () => bodies.map((body) => /(?:query|mutation) (\w+)/.exec(body)?.[1]);

  it('byte by byte, whatever the value is, and never sends it in clear', async () => {
    for (const [first, second] of [
      [value, `${value}!`],
      ['\ufeffa\r\n\0 🔑 ', ' '],
      ['x'.repeat(65_536), 'y'],
    ] as const) {
      const { secret } = await client.createSecret({ owner: red, name: newName(), value: first });
      expect((await gateway.openValue(secret.id)).value === first).toBe(true);
      await client.updateSecret({ id: secret.id, owner: red, value: second });
      expect((await gateway.openValue(secret.id)).value).toBe(second);
    }
    expect(bodies.join()).not.toMatch(new RegExp(`${value}|xxxxxxxxx|"value"`));
  });

  it('for the owner of the secret, which it asks for where it is not told', async () => {
    const owners = [{}, red, { teamId: 'red', connectorId: 'crm' }];
    for (const owner of owners) {
      const { secret } = await client.createSecret({ owner, name: `S${++made}`, provider: 'p', value });
      bodies.length = 0;
      await client.updateSecret({ id: secret.id, value: 'the second value' });
      expect(operations()).toEqual(['SecretOwner', 'UpdateSecret']);
      await client.updateSecret({ id: secret.id, owner, value: 'the third value' });
      expect(operations()).toHaveLength(3);
      expect((await gateway.openValue(secret.id)).value).toBe('the third value');
    }
    const missing = '019dc6f0-8d3c-7b51-a2f4-6b1c3d5e7f90';
    expect(await refusalOf(client.updateSecret({ id: missing, value }))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('with an API key, for the owner that the key acts for', async () => {
    const admin = await clientOf({ token: await gateway.issuer.token(adminClaims) });
    const scopes = ['secrets:read', 'secrets:write'];
    const { key } = await admin.createApiKey({ teamId: 'red', connectorId: 'ci', name: 'CI', scopes });
    const machine = await clientOf({ token: undefined, apiKey: key ?? '' });
    const { secret } = await machine.createSecret({ name: newName(), value });
    await machine.updateSecret({ id: secret.id, value: 'the second value' });
    expect((await gateway.openValue(secret.id)).value).toBe('the second value');
  });

  it('and asks for nothing when there is no value', async () => {
    const { secret } = await client.createSecret({ owner: red, name: newName() });
    await client.updateSecret({ id: secret.id, notes: 'a note' });
    expect(operations()).toEqual(['CreateSecret', 'UpdateSecret']);
    expect(await refusalOf(client.updateSecret({ id: secret.id, value: null }))).toMatchObject({
      errors: [{ field: 'value', type: 'null' }],
    });
  });

  it('when it asks whose value it is', async () => {
    const scope = 'secrets:read secrets:write secrets:match';
    client = await clientOf({ token: await gateway.issuer.token({ sub: 'finder', scope }) });
    const leaked = 'a leaked value, which two secrets have';
    const ids: string[] = [];
    for (const name of ['leaked here', 'leaked there']) {
      ids.push((await client.createSecret({ owner: red, name, value: leaked })).secret.id);
    }
    await client.createSecret({ name: 'OF_ITS_OWN', provider: 'p', value: leaked });
    bodies.length = 0;
    const found = await client.matchesSecret({ owner: red, value: leaked });
    expect(found.map(({ id }) => id)).toEqual(ids);
    expect(await client.matchesSecret({ value: leaked })).toMatchObject([{ name: 'OF_ITS_OWN', version: 1 }]);
    expect(await client.matchesSecret({ owner: red, value: `${leaked}!` })).toEqual([]);
    expect(operations()).toEqual(['MatchesSecret', 'MatchesSecret', 'MatchesSecret']);
    expect(bodies.join()).not.toMatch(/a leaked value|"value"/);
    client = await clientOf({});
    expect(await refusalOf(client.matchesSecret({ value: leaked }))).toMatchObject({ code: 'PERMISSION_ERROR' });
  });

  it('and passes on what was sealed before, but nothing beside a value', async () => {
    const [sealingKey] = await client.sealingKeys();
    if (!sealingKey) throw new Error('no key');
    const name = newName();
    const sealedValue = await sealValue(value, { sealingKey, subject: 'ada', owner: red, name });
    bodies.length = 0;
    expect(await rejectionOf(client.createSecret({ owner: red, name, value, sealedValue }))).toBeInstanceOf(TypeError);
    expect(bodies).toEqual([]);
    const { secret } = await client.createSecret({ owner: red, name, sealedValue });
    expect((await gateway.openValue(secret.id)).value).toBe(value);
  });

  it('to a key that it reads again after 300 seconds', async () => {
    vi.useFakeTimers({ now: Date.now(), toFake: ['Date'] });
    const create = () => client.createSecret({ owner: red, name: newName(), value });
    await create();
    vi.setSystemTime(Date.now() + 25_000);
    await create();
    expect(operations()).toEqual(['Sealing', 'CreateSecret', 'CreateSecret']);
    // The gateway has this clock, too.
    vi.setSystemTime(Date.now() + 275_000);
    await create();
    expect(operations().slice(3)).toEqual(['Sealing', 'CreateSecret']);
  });

  it('again, once, when its key was replaced', async () => {
    const unknown = (text: string) => text.replaceAll(/"kid":"[^"]*"/g, '"kid":"replaced"');
    change = (text) => {
      if (!text.includes('sealingKeys')) return text;
      change = (next) => next;
      return unknown(text);
    };
    const { secret } = await client.createSecret({ owner: red, name: newName(), value });
    expect((await gateway.openValue(secret.id)).value).toBe(value);
    expect(operations()).toEqual(['Sealing', 'CreateSecret', 'Sealing', 'CreateSecret']);

    change = unknown;
    client = await clientOf({});
    bodies.length = 0;
    const error = await refusalOf(client.createSecret({ owner: red, name: newName(), value }));
    expect(error).toMatchObject({ code: 'UNPROCESSABLE_CONTENT', errors: [{ type: 'unknown_key' }] });
    expect(operations()).toEqual(['Sealing', 'CreateSecret', 'Sealing', 'CreateSecret']);
  });

  it('again, once, when somebody else has signed in', async () => {
    let sub = 'ada';
    client = await clientOf({ token: () => gateway.issuer.token({ sub }) });
    await client.createSecret({ name: `S${++made}`, provider: 'p', value });
    sub = 'grace';
    const { secret } = await client.createSecret({ name: `S${++made}`, provider: 'p', value });
    expect(secret.owner).toEqual({ __typename: 'User', id: 'grace' });
    expect(operations()).toEqual(['Sealing', 'CreateSecret', 'CreateSecret', 'Sealing', 'CreateSecret']);
  });

  it('and does nothing again after any other error', async () => {
    const name = newName();
    await client.createSecret({ owner: red, name, value });
    expect(await refusalOf(client.createSecret({ owner: red, name, value }))).toMatchObject({ code: 'CONFLICT_ERROR' });
    expect(operations()).toEqual(['Sealing', 'CreateSecret', 'CreateSecret']);
  });
});
