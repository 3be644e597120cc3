import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

const owner = { teamId: 'red', connectorId: 'codeless-1' };

const create = createSecret(
  'placeholder name maskedValue owner { ... on Connector { teamId id } }',
  'secrets { totalCount nodes { placeholder name } }',
);

const list = `
  query ($owner: OwnerInput!) {
    secrets(owner: $owner) { totalCount nodes { placeholder name } }
  }`;

describe.each(storeNames)('connector secrets on %s', (store) => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start(store);
  });
  afterAll(() => gateway.close());

  it('create: takes a name and a value, generates the placeholder, and returns the updated list with its count', async () => {
    const first = await gateway.run(create, { input: { owner, name: 'client_id', value: 'my-super-secret-value' } });
    expect(first.errors).toEqual([]);
    const { secret, secrets } = first.data.createSecret;
    expect(secret).toMatchObject({ name: 'client_id', owner: { teamId: 'red', id: 'codeless-1' } });
    expect(secret.placeholder).toMatch(/^sec_[0-9a-f]{9}$/);
    expect(secrets).toEqual({ totalCount: 1, nodes: [{ placeholder: secret.placeholder, name: 'client_id' }] });

    const second = await gateway.run(create, { input: { owner, name: 'client_secret', value: 'another-value' } });
    expect(second.data.createSecret.secrets).toMatchObject({
      totalCount: 2,
      nodes: [{ name: 'client_id' }, { name: 'client_secret' }],
    });
  });

  it('list: returns the count, and the placeholder and the name of each secret, never the value', async () => {
    const { data, text } = await gateway.run(list, { owner });
    expect(data.secrets.totalCount).toBe(2);
    expect(data.secrets.nodes.map((node: { name: string }) => node.name)).toEqual(['client_id', 'client_secret']);
    expect(text).not.toContain('my-super-secret-value');
  });

  it('are scoped by team and connector: other connectors and the team itself have their own lists', async () => {
    for (const other of [{ teamId: 'red', connectorId: 'codeless-2' }, { teamId: 'red' }, {}]) {
      const { data } = await gateway.run(list, { owner: other });
      expect(data.secrets).toEqual({ totalCount: 0, nodes: [] });
    }
  });

  it('have a request id in every response: in a header, and in the error', async () => {
    const good = await gateway.run(list, { owner });
    const other = await gateway.run(list, { owner });
    expect(good.headers.get('x-request-id')).toMatch(/^[\w-]{20,}$/);
    expect(good.headers.get('x-request-id')).not.toBe(other.headers.get('x-request-id'));
    const bad = await gateway.run(list, { owner: { teamId: 'blue' } });
    expect(bad.errors[0]?.extensions.requestId).toBe(bad.headers.get('x-request-id'));
    const sent = { headers: { 'x-request-id': 'BXaEFVtjc7TXaJxgZhmFgSUD9edqq_CN' } };
    const kept = await gateway.run(list, { owner: { teamId: 'blue' } }, sent);
    expect(kept.headers.get('x-request-id')).toBe('BXaEFVtjc7TXaJxgZhmFgSUD9edqq_CN');
    expect(kept.errors[0]?.extensions.requestId).toBe('BXaEFVtjc7TXaJxgZhmFgSUD9edqq_CN');
    const replaced = await gateway.run(list, { owner }, { headers: { 'x-request-id': 'not well-formed' } });
    expect(replaced.headers.get('x-request-id')).not.toBe('not well-formed');
  });

  describe('errors have a stable code, a short message and the status', () => {
    it('BAD_REQUEST, 400: an unknown field', async () => {
      const { status, errors } = await gateway.run('{ secrets { count } }');
      expect(status).toBe(400);
      expect(errors[0]).toMatchObject({
        message: 'Cannot query field "count" on type "SecretConnection".',
        extensions: { code: 'BAD_REQUEST', status: 400, type: 'invalid_request_error' },
      });
    });

    it('UNAUTHORIZED, 401: no credentials', async () => {
      const { status, headers, errors } = await gateway.run(list, { owner }, { token: null });
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(errors[0]).toMatchObject({
        message: 'Authentication is required.',
        extensions: { code: 'UNAUTHORIZED', status: 401, type: 'authentication_error' },
      });
    });

    it('FORBIDDEN, 403: a team the caller is not in, whether it exists or not', async () => {
      for (const teamId of ['blue', 'no-such-team']) {
        const { status, errors } = await gateway.run(create, { input: { owner: { teamId }, name: 'a', value: 'b' } });
        expect(status).toBe(403);
        expect(errors[0]).toMatchObject({
          message: 'You do not have access to this resource.',
          extensions: { code: 'FORBIDDEN', status: 403 },
        });
      }
    });

    it('PERMISSION_ERROR, 403: the right team without the scope', async () => {
      const token = await gateway.issuer.token({ scope: 'secrets:read' });
      const { status, errors } = await gateway.run(create, { input: { owner, name: 'a', value: 'b' } }, { token });
      expect(status).toBe(403);
      expect(errors[0]?.extensions).toMatchObject({ code: 'PERMISSION_ERROR', type: 'permission_error' });
    });

    it('NOT_FOUND, 404: a mutation of a secret that does not exist', async () => {
      const update = updateSecret();
      const { status, errors } = await gateway.run(update, { input: { id: crypto.randomUUID(), value: 'v' } });
      expect(status).toBe(404);
      expect(errors[0]).toMatchObject({
        message: 'The requested resource was not found.',
        extensions: { code: 'NOT_FOUND' },
      });
    });

    it('CONFLICT_ERROR, 409: a name that is taken in the connector', async () => {
      const { status, errors } = await gateway.run(create, { input: { owner, name: 'client_id', value: 'b' } });
      expect(status).toBe(409);
      expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', errors: [{ field: 'name' }] });
    });

    it('UNPROCESSABLE_ENTITY, 422: a secret of a connector without a value, a connector without a team', async () => {
      const { status, errors } = await gateway.run(create, { input: { owner: { connectorId: 'c' }, name: 'a' } });
      expect(status).toBe(422);
      expect(errors[0]?.message).toBe('Validation failed for the request parameters.');
      expect(errors[0]?.extensions).toMatchObject({
        code: 'UNPROCESSABLE_ENTITY',
        type: 'validation_error',
        errors: [
          { field: 'teamId', loc: ['input', 'owner', 'teamId'] },
          { field: 'value', loc: ['input', 'value'] },
        ],
      });
    });

    it('the optional description of an error says how to fix the request', async () => {
      const { errors } = await gateway.run(create, { input: { owner, name: 'client_id', value: 'b' } });
      expect(errors[0]?.extensions.description).toMatch(/Choose another name/);
    });
  });
});
