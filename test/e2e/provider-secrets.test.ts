import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, updateSecret } from '../support/graphql.ts';

const fields = 'id name provider maskedValue createdAt updatedAt';
const create = createSecret(fields);
const update = updateSecret(fields);
const value = 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyz0123456789';

describe.each(storeNames)('a user’s provider secrets on %s', (store) => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start(store);
  });
  afterAll(() => gateway.close());

  it('create: takes name, provider and value, and returns id, name, provider, masked value and dates, never the value', async () => {
    const { data, text } = await gateway.run(create, { input: { name: 'OPENAI_API_KEY', provider: 'openai', value } });
    const { secret } = data.createSecret;
    expect(secret).toMatchObject({ name: 'OPENAI_API_KEY', provider: 'openai', maskedValue: 'sk-pro••••789' });
    expect(secret.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(Date.parse(secret.createdAt)).toBe(Date.parse(secret.updatedAt));
    expect(text).not.toContain(value);
  });

  it('have a value that is encrypted at rest, after create and after update', async () => {
    const { data } = await gateway.run(create, { input: { name: 'AT_REST', provider: 'p', value } });
    const { id } = data.createSecret.secret;
    const first = await gateway.openValue(id);
    expect(first.value).toBe(value);
    await gateway.run(update, { input: { id, value: `${value}-new` } });
    const second = await gateway.openValue(id);
    expect(second.value).toBe(`${value}-new`);
    expect(JSON.stringify([first.record, second.record])).not.toContain(value);
    expect(second.record.sealed?.envelope.encrypted_key).not.toBe(first.record.sealed?.envelope.encrypted_key);
  });

  it('update: replaces the value by id, and the mask changes with it', async () => {
    const { data } = await gateway.run('{ secrets(filter: { name: "OPENAI_API_KEY" }) { nodes { id updatedAt } } }');
    const { id, updatedAt } = data.secrets.nodes[0];
    const replaced = await gateway.run(update, { input: { id, value: value.replace('sk-proj', 'sk-live') } });
    expect(replaced.data.updateSecret.secret).toMatchObject({ name: 'OPENAI_API_KEY', maskedValue: 'sk-liv••••789' });
    expect(replaced.data.updateSecret.secret.updatedAt >= updatedAt).toBe(true);
  });

  it('update: refuses the mask as a value, and keeps the old value', async () => {
    const { data } = await gateway.run('{ secrets(filter: { name: "OPENAI_API_KEY" }) { nodes { id maskedValue } } }');
    const { id, maskedValue } = data.secrets.nodes[0];
    const { status, errors } = await gateway.run(update, { input: { id, value: maskedValue } });
    expect(status).toBe(422);
    expect(errors[0]?.extensions.errors).toMatchObject([{ field: 'value', type: 'masked_value' }]);
    const creating = await gateway.run(create, { input: { name: 'COPIED', provider: 'p', value: maskedValue } });
    expect(creating.errors[0]?.extensions.errors).toMatchObject([{ field: 'value', type: 'masked_value' }]);
  });

  it('create and update: keep what looks pasted by mistake, and tell it, in words that repeat no value', async () => {
    const warnings = 'warnings { field type message }';
    const pasted = `Bearer ${value}\n`;
    const creating = `mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } ${warnings} } }`;
    const made = await gateway.run(creating, { input: { name: 'PASTED', provider: 'p', value: pasted } });
    const { id } = made.data.createSecret.secret;
    expect((await gateway.openValue(id)).value).toBe(pasted);
    const updating = `mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) { secret { id } ${warnings} } }`;
    const changed = await gateway.run(updating, { input: { id, value: `"${value}"` } });
    expect((await gateway.openValue(id)).value).toBe(`"${value}"`);
    expect([made.data.createSecret.warnings, changed.data.updateSecret.warnings]).toMatchObject([
      [
        { field: 'value', type: 'trailing_newline', message: expect.stringContaining('newline') },
        { field: 'value', type: 'authentication_scheme', message: expect.stringContaining('Bearer') },
      ],
      [{ field: 'value', type: 'quotes', message: expect.stringContaining('quotes') }],
    ]);
    expect(made.text + changed.text).not.toContain(value.slice(0, 7));
    const renamed = await gateway.run(updating, { input: { id, notes: '"quoted"' } });
    expect(renamed.data.updateSecret.warnings).toEqual([]);
  });

  it('are accessible to that user only: another user cannot list, read or change them', async () => {
    const { data } = await gateway.run('{ secrets { nodes { id } } }');
    const { id } = data.secrets.nodes[0];
    const token = await gateway.issuer.token({ sub: 'eve', teams: ['red'] });
    const listed = await gateway.run('{ secrets { totalCount } }', {}, { token });
    expect(listed.data.secrets.totalCount).toBe(0);
    const missing = crypto.randomUUID();
    for (const query of [
      'query ($id: ID!) { secret(id: $id) { id } }',
      'mutation ($id: ID!) { updateSecret(input: { id: $id, notes: "x" }) { secret { id } } }',
      'mutation ($id: ID!) { deleteSecret(input: { id: $id }) { id } }',
    ]) {
      const foreign = await gateway.run(query, { id }, { token });
      const absent = await gateway.run(query, { id: missing }, { token });
      const blind = (text: string, requestId: string | null) => text.replaceAll(requestId ?? '', '');
      expect(blind(foreign.text, foreign.headers.get('x-request-id'))).toBe(
        blind(absent.text, absent.headers.get('x-request-id')),
      );
      expect(foreign.status).toBe(absent.status);
    }
  });

  it('409: a name that the user already has; another user may have it too', async () => {
    const input = { name: 'OPENAI_API_KEY', provider: 'openai', value };
    expect((await gateway.run(create, { input })).errors[0]?.extensions.code).toBe('CONFLICT_ERROR');
    const token = await gateway.issuer.token({ sub: 'bob' });
    expect((await gateway.run(create, { input }, { token })).errors).toEqual([]);
  });

  it.each(['1KEY', 'MY-KEY', 'MY KEY', '', 'KEY\n', 'CLÉ', 'A'.repeat(256)])(
    '422: the name %j is not valid for an environment variable',
    async (name) => {
      const { status, errors } = await gateway.run(create, { input: { name, provider: 'p', value } });
      expect(status).toBe(422);
      expect(errors[0]?.extensions.errors).toMatchObject([
        { field: 'name', loc: ['input', 'name'], type: 'environment_variable_name' },
      ]);
    },
  );

  it('422: provider and value are required, and the provider cannot be cleared', async () => {
    const { errors } = await gateway.run(create, { input: { name: 'KEY' } });
    expect(errors[0]?.extensions.errors?.map(({ field }) => field).sort()).toEqual(['provider', 'value']);
    const { data } = await gateway.run('{ secrets { nodes { id } } }');
    const cleared = await gateway.run(update, { input: { id: data.secrets.nodes[0].id, provider: null } });
    expect(cleared.errors[0]?.extensions.errors).toMatchObject([{ field: 'provider' }]);
  });

  it.each([
    ['one byte', 'x', true],
    ['64 KiB', 'x'.repeat(65_536), true],
    ['64 KiB and one byte', 'x'.repeat(65_537), false],
    ['64 KiB in characters of three bytes, and more', '€'.repeat(21_846), false],
    ['spaces and line ends, kept as they are', '  line\r\n\tline \u0000 ', true],
    ['a lone surrogate', 'a\ud800', false],
  ])('422 or stored unchanged: a value of %s', async (_case, candidate, accepted) => {
    const name = `V${crypto.randomUUID().replaceAll('-', '')}`;
    const { data, errors } = await gateway.run(create, { input: { name, provider: 'p', value: candidate } });
    if (accepted) expect((await gateway.openValue(data.createSecret.secret.id)).value).toBe(candidate);
    else expect(errors[0]?.extensions.errors).toMatchObject([{ field: 'value' }]);
  });
});

describe('a user’s provider secrets beyond loopback', () => {
  it('426: a value sent over plain HTTP; the rest of the API still works', async () => {
    const gateway = await TestGateway.start('sqlite', { REQUIRE_TLS: 'on', TRUST_PROXY: 'on' });
    try {
      const input = { name: 'OPENAI_API_KEY', provider: 'openai', value };
      const plain = { headers: { 'x-forwarded-proto': 'http' } };
      const { status, headers, errors } = await gateway.run(create, { input }, plain);
      expect(status).toBe(426);
      expect(headers.get('upgrade')).toBe('TLS/1.2, HTTP/1.1');
      expect(errors[0]?.extensions).toMatchObject({ code: 'UPGRADE_REQUIRED', type: 'upgrade_required_error' });
      expect((await gateway.run('{ secrets { totalCount } }', {}, plain)).data.secrets.totalCount).toBe(0);
      const tls = { headers: { 'x-forwarded-proto': 'https' } };
      expect((await gateway.run(create, { input }, tls)).errors).toEqual([]);
    } finally {
      await gateway.close();
    }
  });
});
