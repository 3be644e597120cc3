import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames, TestGateway } from '../support/gateway.ts';

const createSecrets = `mutation ($input: CreateSecretsInput!) {
  createSecrets(input: $input) {
    items { index action secret { id name version maskedValue provider notes tags } warnings { field type } } totalCount
  }
}`;

describe.each(storeNames)('createSecrets on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
  });
  afterAll(() => gateway.close());

  it('creates 500 in one call', async () => {
    const owner = { teamId: 'red', connectorId: 'five hundred' };
    const secrets = Array.from({ length: 500 }, (_, index) => ({ name: `S ${index}`, value: `value ${index}` }));
    const answer = await gateway.run(createSecrets, { input: { owner, secrets } });
    expect(answer.errors).toEqual([]);
    const { items, totalCount } = answer.data.createSecrets;
    expect(totalCount).toBe(500);
    expect(items[7]).toMatchObject({ index: 7, action: 'CREATED', secret: { name: 'S 7', version: 1 } });
    const again = await gateway.run(createSecrets, {
      input: { owner, secrets, onConflict: 'UPDATE', idempotencyKey: 'x' },
    });
    expect(again.errors).toEqual([]);
    expect(again.data.createSecrets.items[499]).toMatchObject({ action: 'UPDATED', secret: { version: 2 } });
    const replayed = await gateway.run(createSecrets, {
      input: { owner, secrets, onConflict: 'UPDATE', idempotencyKey: 'x' },
    });
    expect(replayed.data).toEqual(again.data);
    const failed = await gateway.run(createSecrets, { input: { owner, secrets } });
    expect(failed.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT_ERROR' });
    expect(failed.errors[0]?.extensions.errors).toHaveLength(500);
    expect(failed.errors[0]?.extensions.errors?.[3]?.loc).toEqual(['input', 'secrets', 3, 'name']);
  });
});
