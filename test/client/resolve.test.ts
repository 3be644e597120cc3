import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient, createRecipient, openDelivery } from '../../src/client/index.ts';
import { adminClaims } from '../support/api-keys.ts';
import { awkwardValues } from '../support/awkward-values.ts';
import { refusalOf, rejectionOf } from '../support/client.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';

const red = { teamId: 'red' };

describe.each(storeNames)('values that a client resolves at a gateway on %s', (store) => {
  let gateway: TestGateway;
  /** May do everything but resolve. */
  let owner: Client;
  /** May do nothing but resolve. */
  let workload: Client;
  /** What a router in between sees, in both directions. */
  const seen: string[] = [];
  /** Changes an answer on its way. */
  let change = (text: string) => text;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    owner = createClient({ url: gateway.url, token: await gateway.issuer.token(), fetch: logging });
    const token = await gateway.issuer.token({ sub: 'workload', scope: 'secrets:resolve' });
    workload = createClient({ url: gateway.url, token, fetch: logging });
  });
  afterAll(() => gateway.close());

  async function logging(url: string, init: RequestInit): Promise<Response> {
    const response = await fetch(url, init);
    const text = change(await response.text());
    seen.push(String(init.body), text);
    return new Response(text, { status: response.status, headers: response.headers });
  }

  it('are those that another client sealed, byte by byte, and nobody in between sees one', async () => {
    const names = awkwardValues.map((_, index) => `value ${String(index).padStart(2, '0')}`);
    for (const [index, value] of awkwardValues.entries()) {
      await owner.createSecret({ owner: red, name: names[index] ?? '', value });
    }
    const { secrets, missing } = await workload.resolve({
      owner: red,
      names: [...names, 'not there'],
      purpose: 'test',
    });
    expect(missing).toEqual(['not there']);
    expect(secrets.map(({ name }) => name)).toEqual(names);
    for (const [index, { value }] of secrets.entries()) expect(value === awkwardValues[index]).toBe(true);
    for (const value of awkwardValues.filter(({ length }) => length > 20)) {
      const forms = [JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('base64url')];
      expect(seen.some((text) => forms.some((form) => text.includes(form)))).toBe(false);
    }
  });

  it('come with what the secret is, as it was delivered', async () => {
    const { secret } = await owner.createSecret({ owner: red, name: 'one', value: 'first', tags: ['t'] });
    await owner.updateSecret({ id: secret.id, owner: red, value: 'second' });
    for (const wanted of [{ names: ['one'] }, { ids: [secret.id] }, { placeholders: [secret.placeholder] }]) {
      const { secrets } = await workload.resolve({ owner: red, ...wanted });
      expect(secrets).toMatchObject([{ id: secret.id, name: 'one', version: 2, tags: ['t'], value: 'second' }]);
    }
    expect(await workload.resolve({ owner: red, names: [] })).toEqual({ secrets: [], missing: [] });
  });

  it('are all of its own, where a client asks for nothing in particular', async () => {
    const admin = createClient({ url: gateway.url, token: await gateway.issuer.token(adminClaims) });
    const scopes = ['secrets:write', 'secrets:resolve'];
    const { key } = await admin.createApiKey({ teamId: 'red', connectorId: 'job', name: 'job', scopes });
    const job = createClient({ url: gateway.url, apiKey: key ?? '' });
    for (const name of ['b', 'a']) await job.createSecret({ name, value: `the value of ${name}` });
    const { secrets } = await job.resolve();
    expect(secrets.map(({ name, value }) => [name, value])).toEqual([
      ['a', 'the value of a'],
      ['b', 'the value of b'],
    ]);
  });

  it('can be delivered to a recipient that lives longer than a call', async () => {
    const { publicJwk, privateKey } = await createRecipient();
    const wanted = { owner: red, names: ['one'], recipient: publicJwk };
    for (let call = 0; call < 2; call += 1) {
      const { deliveries } = await workload.resolveSecrets(wanted);
      expect(await openDelivery(deliveries[0]?.jwe ?? '', privateKey)).toMatchObject({ value: 'second', version: 2 });
    }
  });

  it('are refused without the scope, and for a recipient that is none', async () => {
    expect(await refusalOf(owner.resolve({ owner: red }))).toMatchObject({ code: 'PERMISSION_ERROR' });
    const recipient = { kty: 'OKP', crv: 'X25519', x: 'AAAA' };
    expect(await refusalOf(workload.resolveSecrets({ owner: red, recipient }))).toMatchObject({
      code: 'UNPROCESSABLE_ENTITY',
      errors: [{ field: 'recipient' }],
    });
  });

  it('are not taken for one another, whatever is exchanged on the way', async () => {
    await owner.createSecret({ owner: red, name: 'other', value: 'hunter2' });
    const changes: ((text: string) => string)[] = [
      (text) => text.replaceAll(/"jwe":"[^"]+"/g, '"jwe":"hunter2"'),
      (text) => text.replace(/"version":2/, '"version":3'),
      (text) => {
        const answer = JSON.parse(text);
        const [first, second] = answer.data.resolveSecrets.deliveries;
        [first.jwe, second.jwe] = [second.jwe, first.jwe];
        return JSON.stringify(answer);
      },
    ];
    for (const exchanged of changes) {
      change = exchanged;
      const error = await rejectionOf(workload.resolve({ owner: red, names: ['one', 'other'] }));
      expect(error).toMatchObject({ name: 'DeliveryError' });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
    }
    change = (text) => text;
    expect((await workload.resolve({ owner: red, names: ['one', 'other'] })).secrets).toHaveLength(2);
  });
});
