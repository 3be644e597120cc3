import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../src/client/index.ts';
import { adminClaims } from '../support/api-keys.ts';
import { refusalOf } from '../support/client.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';

const red = { teamId: 'red' };
const values = [
  'sk-proj-first-9f2c1e7a4b8d6053e1c7a9d2f4b6aaa',
  'sk-proj-second-9f2c1e7a4b8d6053e1c7a9d2f4bbb',
] as const;

describe.each(storeNames)('the history that a client reads at a gateway on %s', (store) => {
  let gateway: TestGateway;
  let client: Client;
  let admin: Client;

  beforeAll(async () => {
    gateway = await TestGateway.start(store);
    client = createClient({ url: gateway.url, token: await gateway.issuer.token() });
    admin = createClient({ url: gateway.url, token: await gateway.issuer.token(adminClaims) });
  });
  afterAll(() => gateway.close());

  it('has the versions of a secret, and gives it an earlier value again', async () => {
    const { secret } = await client.createSecret({ owner: red, name: 'rolled back', value: values[0] });
    const { id } = secret;
    await client.updateSecret({ id, owner: red, value: values[1] });
    expect(await client.versions(id)).toEqual([
      {
        version: 2,
        maskedValue: 'sk-pro••••bbb',
        destination: null,
        current: true,
        actor: { kind: 'USER', id: 'ada' },
        createdAt: expect.any(String),
      },
      expect.objectContaining({ version: 1, maskedValue: 'sk-pro••••aaa', current: false }),
    ]);
    expect(await client.versions(id, { first: 1 })).toMatchObject([{ version: 2 }]);
    expect(await client.versions(id, { before: 2 })).toMatchObject([{ version: 1 }]);

    const stale = client.rollbackSecret({ id, toVersion: 1, expectedVersion: 1 });
    expect(await refusalOf(stale)).toMatchObject({ code: 'CONFLICT_ERROR', currentVersion: 2 });
    expect(await client.rollbackSecret({ id, toVersion: 1 })).toMatchObject({ id, name: 'rolled back', version: 3 });
    expect((await gateway.openValue(id)).value).toBe(values[0]);
    expect(await client.versions('019dc6f0-8d3c-7b51-a2f4-6b1c3d5e7f90')).toBeNull();
  });

  it('has what was deleted, restores it, and removes it for good', async () => {
    const owner = { teamId: 'red', connectorId: 'undo' };
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const { secret } = await client.createSecret({ owner, name, value: values[0], notes: 'kept' });
      await client.deleteSecret({ id: secret.id });
      ids.push(secret.id);
    }
    const [first = '', second = '', third = ''] = ids;
    const page = await client.deletedSecrets({ owner, first: 2 });
    expect(page).toMatchObject({ totalCount: 3, nodes: [{ id: first, notes: 'kept' }, { id: second }] });
    expect(page.pageInfo.hasNextPage).toBe(true);
    const last = await client.deletedSecrets({ owner, after: page.pageInfo.endCursor });
    expect(last).toMatchObject({ nodes: [{ id: third }], pageInfo: { hasNextPage: false } });

    expect(await client.restoreSecret({ id: first })).toMatchObject({ id: first, name: 'a' });
    expect((await gateway.openValue(first)).value).toBe(values[0]);
    expect(await refusalOf(client.restoreSecret({ id: first }))).toMatchObject({ code: 'NOT_FOUND' });

    expect(await refusalOf(client.purgeSecret({ id: second }))).toMatchObject({ code: 'PERMISSION_ERROR' });
    for (const id of [first, second]) expect(await admin.purgeSecret({ id })).toEqual({ id });
    expect((await client.deletedSecrets({ owner })).nodes).toMatchObject([{ id: third }]);
    expect(await client.secret(first)).toBeNull();
  });

  it('works with credentials that may only write', async () => {
    const token = await gateway.issuer.token({ sub: 'writer', scope: 'secrets:write' });
    const writer = createClient({ url: gateway.url, token });
    const { secret } = await writer.createSecret({ name: 'WRITTEN', provider: 'p', value: values[0] });
    const { id } = secret;
    await writer.updateSecret({ id, owner: {}, value: values[1] });
    expect(await writer.rollbackSecret({ id, toVersion: 1 })).toMatchObject({ version: 3 });
    await writer.deleteSecret({ id });
    expect(await writer.restoreSecret({ id })).toMatchObject({ id, name: 'WRITTEN' });
  });

  it('has the audit events, page by page in both directions, and those that match', async () => {
    const owner = { teamId: 'red', connectorId: 'audited' };
    const { secret } = await client.createSecret({ owner, name: 'one', value: values[0] });
    await client.updateSecret({ id: secret.id, notes: 'new' });
    await client.deleteSecret({ id: secret.id });

    const first = await admin.auditEvents({ owner, first: 2 });
    expect(first.nodes).toMatchObject([
      { sequence: 1, type: 'secret.created', secretId: secret.id, secretName: 'one', version: 1, apiKeyId: null },
      { sequence: 2, type: 'secret.updated', actor: { kind: 'USER', id: 'ada' } },
    ]);
    expect(first.nodes[0]).toMatchObject({
      requestId: expect.stringMatching(/./),
      hash: expect.stringMatching(/^\w{64}$/),
    });
    const next = await admin.auditEvents({ owner, after: first.pageInfo.endCursor });
    expect(next).toMatchObject({ nodes: [{ sequence: 3, type: 'secret.deleted' }], pageInfo: { hasNextPage: false } });
    const before = await admin.auditEvents({ owner, last: 1, before: next.pageInfo.startCursor });
    expect(before).toMatchObject({ nodes: [{ sequence: 2 }], pageInfo: { hasPreviousPage: true } });

    const filter = { types: ['secret.deleted'], secretId: secret.id, actor: 'ada' };
    expect((await admin.auditEvents({ owner, filter })).nodes.map(({ sequence }) => sequence)).toEqual([3]);
    expect((await client.auditEvents()).nodes).toEqual([]);
    expect(await refusalOf(client.auditEvents({ owner }))).toMatchObject({ code: 'PERMISSION_ERROR' });
  });
});
