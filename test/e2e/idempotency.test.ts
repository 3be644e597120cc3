import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminClaims, createApiKey, revokeApiKey, rotateApiKey } from '../support/api-keys.ts';
import { CommandLine } from '../support/command-line.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { newRecipient, resolver, resolveSecrets } from '../support/deliveries.ts';
import { type GraphQLAnswer, newDatabaseUrl, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret } from '../support/graphql.ts';
import { expectSealRefused, Sealing } from '../support/sealing.ts';

const shown = 'id placeholder name provider notes tags maskedValue version createdAt updatedAt';
const create = createSecret(shown, 'warnings { field type }');
const update = `mutation ($input: UpdateSecretInput!) { updateSecret(input: $input) { secret { ${shown} } } }`;
const remove = `mutation ($input: DeleteSecretInput!) { deleteSecret(input: $input) { id secret { ${shown} } } }`;
const total = '{ secrets { totalCount } }';
const newKey = () => randomUUID();

function expectRefused(answer: GraphQLAnswer, code: string, type: string): void {
  expect(answer.errors).toHaveLength(1);
  expect(answer.errors[0]?.extensions).toMatchObject({
    code,
    errors: [{ field: 'idempotencyKey', loc: ['input', 'idempotencyKey'], type }],
  });
}

describe.each(storeNames)('a mutation with an idempotency key, on %s', (name) => {
  let sealing: Sealing;
  let gateway: TestGateway;
  let admin: string;

  beforeAll(async () => {
    sealing = await Sealing.start(name);
    gateway = sealing.gateway;
    admin = await gateway.issuer.token(adminClaims);
  });
  afterAll(() => gateway?.close());

  const run = async (query: string, input: object, token?: string) =>
    gateway.run(query, { input }, token === undefined ? {} : { token });
  const good = async (query: string, input: object, token?: string) => {
    const answer = await run(query, input, token);
    expect(answer.errors).toEqual([]);
    return answer.data;
  };
  const count = async () => (await gateway.run(total)).data.secrets.totalCount as number;
  const events = async () => {
    const { data } = await gateway.run('{ auditEvents { totalCount } }');
    return data.auditEvents.totalCount as number;
  };

  it('gets the first result again, as it was then, and writes nothing', async () => {
    const input = { ...newSecret(), value: '"a value in quotes"', notes: 'first', idempotencyKey: newKey() };
    const first = await good(create, input);
    const { id } = first.createSecret.secret;
    const change = { id, notes: 'second', expectedVersion: 1, idempotencyKey: newKey() };
    const second = await good(update, change);
    await good(update, { id, notes: 'third' });
    const before = [await count(), await events()];
    expect(await good(create, input)).toEqual(first);
    expect(await good(update, change)).toEqual(second);
    expect(first.createSecret).toMatchObject({
      secret: { notes: 'first', version: 1 },
      warnings: [{ field: 'value' }],
    });
    expect([await count(), await events()]).toEqual(before);

    const removal = { id, idempotencyKey: newKey() };
    const removed = await good(remove, removal);
    expect(removed.deleteSecret.secret).toMatchObject({ notes: 'third', version: 3 });
    expect(await good(remove, removal)).toEqual(removed);
    expect(await good(create, input)).toEqual(first);
    expect(await events()).toBe((before[1] ?? 0) + 1);
  });

  it('is the same whatever is selected and in whatever order its members come; lists are read anew', async () => {
    const { name, value, provider } = newSecret();
    const idempotencyKey = newKey();
    const { id } = (await good(create, { name, value, provider, idempotencyKey })).createSecret.secret;
    const before = await count();
    const withList = createSecret('id', 'secrets { totalCount }');
    const again = await good(withList, { idempotencyKey, provider, value, name });
    expect(again.createSecret).toEqual({ secret: { id }, secrets: { totalCount: before } });
    await good(create, newSecret());
    expect((await good(withList, { name, value, provider, idempotencyKey })).createSecret.secrets.totalCount).toBe(
      before + 1,
    );
  });

  it('that changes nothing keeps its result, too', async () => {
    const { id, name } = (await good(create, newSecret())).createSecret.secret;
    const input = { id, name, idempotencyKey: newKey() };
    const first = await good(update, input);
    expect(first.updateSecret.secret.version).toBe(1);
    await good(update, { id, name: `${name}_2` });
    expect(await good(update, input)).toEqual(first);
    expect((await gateway.run(`{ secret(id: "${id}") { name version } }`)).data.secret).toEqual({
      name: `${name}_2`,
      version: 2,
    });
  });

  it('is refused for another input and for another mutation, and never for another caller', async () => {
    const input = { ...newSecret(), idempotencyKey: newKey() };
    const { id } = (await good(create, input)).createSecret.secret;
    const { idempotencyKey } = input;
    const reused = ['UNPROCESSABLE_ENTITY', 'idempotency_key_reused'] as const;
    expectRefused(await run(create, { ...input, value: 'another value' }), ...reused);
    expectRefused(await run(create, { ...input, notes: null }), ...reused);
    expectRefused(await run(update, { id, notes: 'x', idempotencyKey }), ...reused);
    expectRefused(await run(remove, { id, idempotencyKey }), ...reused);
    const bob = await gateway.issuer.token({ sub: 'bob' });
    expect((await good(create, input, bob)).createSecret.secret.id).not.toBe(id);
    expect((await gateway.run(`{ secret(id: "${id}") { version } }`)).data.secret).toEqual({ version: 1 });
  });

  it('that fails leaves nothing behind', async () => {
    const idempotencyKey = newKey();
    const taken = newSecret();
    await good(create, taken);
    const failed = await run(create, { ...taken, idempotencyKey });
    expect(failed.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR', errors: [{ type: 'taken' }] });
    await good(create, { ...newSecret(), idempotencyKey });
    const { id } = (await good(create, newSecret())).createSecret.secret;
    const key = newKey();
    const stale = { id, notes: 'x', expectedVersion: 7, idempotencyKey: key };
    expect((await run(update, stale)).errors[0]?.extensions).toMatchObject({
      code: 'CONFLICT_ERROR',
      currentVersion: 1,
    });
    await good(update, { id, notes: 'x', idempotencyKey: key });
  });

  it('is authorised again: lost rights are refused', async () => {
    const input = { owner: { teamId: 'red' }, name: randomUUID(), idempotencyKey: newKey() };
    const { id } = (await good(create, input)).createSecret.secret;
    const change = { id, notes: 'x', idempotencyKey: newKey() };
    await good(update, change);
    const code = async (query: string, of: object, claims: object) =>
      (await run(query, of, await gateway.issuer.token({ ...claims }))).errors[0]?.extensions.code;
    expect(await code(create, input, { teams: [] })).toBe('FORBIDDEN');
    expect(await code(update, change, { teams: [] })).toBe('NOT_FOUND');
    expect(await code(update, change, { scope: 'secrets:read' })).toBe('PERMISSION_ERROR');
    expect(await code(update, change, { scope: 'secrets:write' })).toBe('PERMISSION_ERROR');
  });

  it('needs a key of 1 to 255 characters, and every other broken field is told with it', async () => {
    for (const idempotencyKey of ['', 'k'.repeat(256)]) {
      const answer = await run(create, { name: '1', value: '', provider: 'aws', idempotencyKey });
      const fields = answer.errors[0]?.extensions.errors?.map(({ field }) => field);
      expect(fields?.sort()).toEqual(['idempotencyKey', 'name', 'value']);
      expect((await run(update, { id: 'x', name: '', idempotencyKey })).errors[0]?.extensions.errors).toHaveLength(3);
    }
    await good(create, { ...newSecret(), idempotencyKey: '🔑'.repeat(255) });
  });

  it('with a sealed value gets the first answer, though its jti is spent', async () => {
    const { name, provider } = newSecret();
    const sealedValue = await sealing.seal('a sealed value', { name });
    const input = { name, provider, sealedValue, idempotencyKey: newKey() };
    const first = await good(create, input);
    expect(await good(create, input)).toEqual(first);
    expectSealRefused(await run(create, { ...input, idempotencyKey: newKey() }), 'replayed');
    const anew = await sealing.seal('a sealed value', { name });
    expectRefused(await run(create, { ...input, sealedValue: anew }), 'UNPROCESSABLE_ENTITY', 'idempotency_key_reused');
  });

  it('for API keys gets the key once, and null with the first result', async () => {
    const input = { teamId: 'red', name: 'ci', scopes: ['secrets:read'], idempotencyKey: newKey() };
    const { apiKey, key } = (await good(createApiKey, input, admin)).createApiKey;
    expect(key).toMatch(/^sgk_/);
    expect((await good(createApiKey, input, admin)).createApiKey).toEqual({ apiKey, key: null });
    const rotation = { id: apiKey.id, idempotencyKey: newKey() };
    const rotated = (await good(rotateApiKey, rotation, admin)).rotateApiKey;
    expect((await good(rotateApiKey, rotation, admin)).rotateApiKey).toEqual({ apiKey: rotated.apiKey, key: null });
    const revocation = { id: rotated.apiKey.id, idempotencyKey: newKey() };
    const revoked = await good(revokeApiKey, revocation, admin);
    expect(await good(revokeApiKey, revocation, admin)).toEqual(revoked);
    const weaker = await gateway.issuer.token({ ...adminClaims, scope: 'keys:manage' });
    expect((await run(rotateApiKey, rotation, weaker)).errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
    const member = await gateway.issuer.token({ ...adminClaims, teams: ['red'] });
    expect((await run(revokeApiKey, revocation, member)).errors[0]?.extensions.code).toBe('PERMISSION_ERROR');
  });

  it('for a delivery keeps nothing: the same call delivers and audits again, another is refused', async () => {
    const secret = newSecret();
    await good(create, secret);
    const { publicJwk } = await newRecipient();
    const token = await resolver(gateway);
    const input = { names: [secret.name], recipient: publicJwk, idempotencyKey: newKey() };
    const before = await events();
    const jwes = new Set<string>();
    for (let call = 0; call < 2; call += 1) {
      const { deliveries } = (await good(resolveSecrets('id name'), input, token)).resolveSecrets;
      jwes.add(deliveries[0].jwe);
    }
    expect(jwes.size).toBe(2);
    expect(await events()).toBe(before + 2);
    const another = await run(resolveSecrets('id'), { ...input, purpose: 'deploy' }, token);
    expectRefused(another, 'UNPROCESSABLE_ENTITY', 'idempotency_key_reused');
  });

  it('ten at once are written once: each other one gets the equal answer, or is told to wait', async () => {
    for (let round = 0; round < 3; round += 1) {
      const input = { ...newSecret(), idempotencyKey: newKey() };
      const before = await count();
      const answers = await Promise.all(Array.from({ length: 10 }, () => run(create, input)));
      expect(await count()).toBe(before + 1);
      const made = answers.filter(({ errors }) => errors.length === 0);
      expect(made.length).toBeGreaterThan(0);
      for (const { data } of made) expect(data).toEqual(made[0]?.data);
      for (const answer of answers.filter(({ errors }) => errors.length > 0)) {
        expectRefused(answer, 'CONFLICT_ERROR', 'idempotency_key_in_use');
      }
      expect(await good(create, input)).toEqual(made[0]?.data);
    }
  });

  it.runIf(name === 'mongodb')('ten at once at two gateways are written once', async () => {
    const other = await TestGateway.start(name, {
      DATABASE_URL: gateway.databaseUrl,
      KEYRING_FILE: join(gateway.directory, 'keyring.json'),
      JWT_JWKS_URL: gateway.issuer.jwksUrl,
      RATE_LIMIT: 'off',
    });
    try {
      const token = await gateway.issuer.token();
      for (let round = 0; round < 5; round += 1) {
        const name = newSecret().name;
        const sealedValue = await sealing.seal('a sealed value', { name });
        const input = { name, provider: 'aws', sealedValue, idempotencyKey: newKey() };
        const before = await count();
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, index) => (index % 2 ? other : gateway).run(create, { input }, { token })),
        );
        expect(await count()).toBe(before + 1);
        const made = answers.filter(({ errors }) => errors.length === 0);
        expect(made.length).toBeGreaterThan(0);
        for (const { data } of made) expect(data).toEqual(made[0]?.data);
        for (const answer of answers.filter(({ errors }) => errors.length > 0)) {
          expectRefused(answer, 'CONFLICT_ERROR', 'idempotency_key_in_use');
        }
      }
    } finally {
      await other.close();
    }
  });

  it('keeps no value and no key in clear, and what something else changed is not answered', async () => {
    const idempotencyKey = `marker-${newKey()}`;
    const input = { ...newSecret(), value: `marker-${newKey()}`, idempotencyKey };
    await good(create, input);
    const writer = openDatabaseWriter(gateway.databaseUrl);
    try {
      const kept = await writer.keptResults();
      const text = JSON.stringify(kept);
      expect(text).toContain(input.name);
      for (const secret of [input.value, idempotencyKey]) {
        for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
          expect(text).not.toContain(Buffer.from(secret).toString(encoding).replace(/=+$/, ''));
        }
      }
      await writer.replaceKeptResults(
        kept.map((row) => ({ ...row, result: String(row.result).replace(input.name, 'FORGED') })),
      );
      expect((await run(create, input)).errors[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
      await writer.replaceKeptResults(kept);
      await good(create, input);
    } finally {
      await writer.close();
    }
  });

  it('is answered after the gateway was killed between the write and the answer', async () => {
    const shell = await CommandLine.open();
    try {
      const env: Record<string, string> =
        name === 'mongodb' ? { DATABASE_URL: newDatabaseUrl(name, shell.directory) } : {};
      const killed = await shell.serve(env, [new URL('../support/killed-at-answer.ts', import.meta.url).href]);
      const variables = { input: { ...newSecret(), idempotencyKey: newKey() } };
      await expect(killed.run(create, variables)).rejects.toThrow();
      const restarted = await shell.serve(env);
      const first = await restarted.run(create, variables, killed.token);
      expect(first.errors).toBeUndefined();
      expect(first.data.createSecret.secret.version).toBe(1);
      expect(await restarted.run(create, variables, killed.token)).toEqual(first);
      const { data } = await restarted.run('{ secrets { totalCount } auditEvents { totalCount } }', {}, killed.token);
      expect(data).toEqual({ secrets: { totalCount: 1 }, auditEvents: { totalCount: 1 } });
      await restarted.stop();
    } finally {
      await shell.close();
    }
  });
});
