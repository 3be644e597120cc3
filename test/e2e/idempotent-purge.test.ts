import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminClaims } from '../support/api-keys.ts';
import { openDatabaseWriter } from '../support/database-writer.ts';
import { type GraphQLAnswer, storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, deleteSecret, newSecret, updateSecret } from '../support/graphql.ts';

const shown = 'id placeholder name provider notes tags maskedValue version createdAt updatedAt';
const create = createSecret(shown);
const update = updateSecret();
const restore = `mutation ($input: RestoreSecretInput!) { restoreSecret(input: $input) { secret { ${shown} } } }`;
const purge = 'mutation ($input: PurgeSecretInput!) { purgeSecret(input: $input) { id } }';
const newKey = () => randomUUID();

function expectReused({ errors }: GraphQLAnswer): void {
  expect(errors[0]?.extensions).toMatchObject({
    code: 'UNPROCESSABLE_ENTITY',
    errors: [{ field: 'idempotencyKey', type: 'idempotency_key_reused' }],
  });
}

describe.each(storeNames)('with an idempotency key, on %s, a secret', (store) => {
  let gateway: TestGateway;
  let admin: string;

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
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
  const chainOfRed = async () => {
    const query = '{ auditEvents(owner: { teamId: "red" }) { totalCount } }';
    return (await gateway.run(query, {}, { token: admin })).data.auditEvents.totalCount as number;
  };
  const codeFor = async (query: string, input: object, claims: Record<string, unknown>) =>
    (await run(query, input, await gateway.issuer.token(claims))).errors[0]?.extensions.code;
  /** Which of these texts are in what is kept of calls. */
  async function keptOf(texts: readonly string[]): Promise<string[]> {
    const writer = openDatabaseWriter(gateway.databaseUrl);
    const kept = JSON.stringify(await writer.keptResults().finally(() => writer.close()));
    return texts.filter((text) => kept.includes(text));
  }

  it('is restored once: the same call again gets the secret as it was restored, and lost rights are refused', async () => {
    const input = { ...newSecret(), owner: { teamId: 'red' }, notes: 'first' };
    const { id } = (await good(create, input)).createSecret.secret;
    await good(deleteSecret, { id });
    const restoration = { id, idempotencyKey: newKey() };
    const first = await good(restore, restoration);
    expect(first.restoreSecret.secret).toMatchObject({ id, notes: 'first', version: 2 });
    await good(update, { id, notes: 'second' });
    const before = await chainOfRed();
    expect(await good(restore, restoration)).toEqual(first);
    // It was deleted again since: it stays so.
    await good(deleteSecret, { id });
    expect(await good(restore, restoration)).toEqual(first);
    expect(await chainOfRed()).toBe(before + 1);
    expect((await gateway.run(`{ secret(id: "${id}") { id } }`)).data.secret).toBeNull();
    expectReused(await run(restore, { ...restoration, id: randomUUID() }));
    expect(await codeFor(restore, restoration, { teams: [] })).toBe('NOT_FOUND');
    for (const scope of ['secrets:read', 'secrets:write']) {
      expect(await codeFor(restore, restoration, { scope })).toBe('PERMISSION_ERROR');
    }
  });

  it('is purged once: the same call again gets the id, lost rights are refused, and other results of the secret are gone', async () => {
    for (const isDeleted of [false, true]) {
      const input = { ...newSecret(), owner: { teamId: 'red' }, notes: `marker-${newKey()}`, idempotencyKey: newKey() };
      const { id } = (await good(create, input)).createSecret.secret;
      const change = { id, notes: `marker-${newKey()}`, idempotencyKey: newKey() };
      await good(update, change);
      if (isDeleted) await good(deleteSecret, { id, idempotencyKey: newKey() });
      const purging = { id, idempotencyKey: newKey() };
      const markers = [input.name, input.notes, change.notes];
      expect(await keptOf(markers)).toEqual(markers);
      expect((await good(purge, purging, admin)).purgeSecret).toEqual({ id });
      const before = await chainOfRed();
      expect((await good(purge, purging, admin)).purgeSecret).toEqual({ id });
      expect(await chainOfRed()).toBe(before);
      expect((await run(purge, { id }, admin)).errors[0]?.extensions.code).toBe('NOT_FOUND');
      expectReused(await run(purge, { ...purging, id: randomUUID() }, admin));
      expect(await codeFor(purge, purging, { ...adminClaims, teams: ['red'] })).toBe('PERMISSION_ERROR');
      expect(await codeFor(purge, purging, { ...adminClaims, teams: [] })).toBe('NOT_FOUND');
      expect(await codeFor(purge, purging, { ...adminClaims, scope: 'secrets:read' })).toBe('PERMISSION_ERROR');
      expect(await keptOf(markers)).toEqual([]);
      // Nothing is known of these calls any more: they are made as new ones.
      expect((await run(update, change)).errors[0]?.extensions.code).toBe('NOT_FOUND');
      expect((await good(create, input)).createSecret.secret.id).not.toBe(id);
    }
  });
});
