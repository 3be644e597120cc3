import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../src/client/index.ts';
import { refusalOf, rejectionOf } from '../support/client.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';

const red = { teamId: 'red' };

describe.each(storeNames)('many secrets that a client creates at a gateway on %s', (store) => {
  let gateway: TestGateway;
  let client: Client;
  /** The bodies of its requests. */
  let bodies: string[];

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    client = await clientOf({});
  });
  afterAll(() => gateway.close());
  beforeEach(() => {
    bodies = [];
  });

  async function clientOf(claims: Record<string, unknown>): Promise<Client> {
    const fetchAndLook = (url: string, init: RequestInit) => {
      bodies.push(String(init.body));
      return fetch(url, init);
    };
    return createClient({ url: gateway.url, token: await gateway.issuer.token(claims), fetch: fetchAndLook });
  }

  const operations = () => bodies.map((body) => /(?:query|mutation) (\w+)/.exec(body)?.[1]);
  const newSecrets = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ name: `${prefix} ${n}`, value: `the value of ${prefix} ${n}` }));

  it('are sealed each for its name, and sent at once', async () => {
    const secrets = [...newSecrets('one of many', 3), { name: 'without a value' }];
    client = await clientOf({});
    const items = await client.createSecrets({ owner: red, secrets });
    expect(items).toMatchObject(
      secrets.map(({ name }, index) => ({ index, action: 'CREATED', secret: { name, version: 1 }, warnings: [] })),
    );
    for (const [index, { value }] of newSecrets('one of many', 3).entries()) {
      expect((await gateway.openValue(items[index]?.secret?.id ?? '')).value).toBe(value);
    }
    expect(operations()).toEqual(['Sealing', 'CreateSecrets']);
    expect(bodies.join()).not.toMatch(/the value of|"value"/);

    await client.createSecrets({ owner: red, secrets: [{ name: 'another without a value' }] });
    expect(operations()).toHaveLength(3);
  });

  it('are all created, or none, and each that is wrong is named', async () => {
    const taken = { name: 'taken', value: 'the first value' };
    await client.createSecrets({ owner: red, secrets: [taken] });
    const secrets = [...newSecrets('none of them', 2), { ...taken, value: 'Bearer the-second-value-of-it' }];
    const conflict = await refusalOf(client.createSecrets({ owner: red, secrets }));
    expect(conflict).toMatchObject({ code: 'CONFLICT_ERROR', errors: [{ loc: ['input', 'secrets', 2, 'name'] }] });
    const broken = [...secrets, { name: 'empty', value: '' }, { name: ' ', value: 'x' }];
    expect((await refusalOf(client.createSecrets({ owner: red, secrets: broken }))).errors).toMatchObject([
      { loc: ['input', 'secrets', 3, 'sealedValue'] },
      { loc: ['input', 'secrets', 4, 'name'] },
    ]);
    expect((await client.secrets({ owner: red, filter: { nameStartsWith: 'none of them' } })).totalCount).toBe(0);

    const preview = await client.createSecrets({ owner: red, secrets, onConflict: 'UPDATE', dryRun: true });
    expect(preview.map(({ action }) => action)).toEqual(['CREATED', 'CREATED', 'UPDATED']);
    const skipped = await client.createSecrets({ owner: red, secrets, onConflict: 'SKIP' });
    expect(skipped.map(({ action }) => action)).toEqual(['CREATED', 'CREATED', 'SKIPPED']);
    const [, , updated] = await client.createSecrets({ owner: red, secrets, onConflict: 'UPDATE' });
    expect(updated).toMatchObject({
      action: 'UPDATED',
      secret: { version: 2 },
      warnings: [{ type: 'authentication_scheme' }],
    });
  });

  it('work with credentials that may only write', async () => {
    const writer = await clientOf({ sub: 'writer', scope: 'secrets:write' });
    const secrets = [{ name: 'WRITTEN', provider: 'p', value: 'a value' }];
    expect(await writer.createSecrets({ secrets })).toMatchObject([{ action: 'CREATED', secret: { name: 'WRITTEN' } }]);
    const { errors } = await refusalOf(writer.createSecrets({ secrets }));
    expect(errors).toMatchObject([{ loc: ['input', 'secrets', 0, 'name'] }]);
  });

  it('are copied to another owner, or tell for each what stands in the way', async () => {
    const [from, to] = [red, { teamId: 'red', connectorId: 'copies' }];
    await client.createSecrets({ owner: from, secrets: newSecrets('original', 2) });
    const names = newSecrets('original', 2).map(({ name }) => name);
    const refused = await refusalOf(client.duplicateSecrets({ from, to, names }));
    expect(refused).toMatchObject({ code: 'PERMISSION_ERROR' });
    const copying = await clientOf({ scope: 'secrets:read secrets:write secrets:resolve' });
    const copies = await copying.duplicateSecrets({ from, to, names });
    expect(copies.map(({ action, secret }) => [action, secret?.name])).toEqual(names.map((name) => ['CREATED', name]));
    expect((await gateway.openValue(copies[1]?.secret?.id ?? '')).value).toBe('the value of original 1');
    const again = await refusalOf(copying.duplicateSecrets({ from, to, names: [...names, 'not there'] }));
    expect(again).toMatchObject({ code: 'DUPLICATION_FAILED', status: 409 });
    expect(again.errors).toHaveLength(3);
  });

  it('are refused before anything is sent, where one has a value beside a sealed value', async () => {
    const secrets = [...newSecrets('beside', 1), { name: 'beside', value: 'x', sealedValue: 'y' }];
    expect(await rejectionOf(client.createSecrets({ owner: red, secrets }))).toBeInstanceOf(TypeError);
    expect(bodies).toEqual([]);
  });
});
