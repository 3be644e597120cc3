import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awkwardValues } from '../support/awkward-values.ts';
import { curves, newRecipient, opened, resolve } from '../support/deliveries.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret } from '../support/graphql.ts';

describe.each(storeNames)('awkward values on %s', (store) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off' });
    const owner = { teamId: 'red' };
    const made = await Promise.all(
      awkwardValues.map((value, index) => gateway.run(createSecret(), { input: { owner, name: `v${index}`, value } })),
    );
    expect(made.flatMap(({ errors }) => errors)).toEqual([]);
  });
  afterAll(() => gateway.close());

  it('are at least 62', () => {
    expect(new Set(awkwardValues).size).toBeGreaterThanOrEqual(62);
  });

  it.each(curves)('are delivered byte for byte to a key on %s', async (curve) => {
    const recipient = await newRecipient(curve);
    const values = await opened(await resolve(gateway, { owner: { teamId: 'red' } }, { recipient }), recipient);
    const wrong = awkwardValues.filter((value, index) => values[`v${index}`] !== value);
    expect(wrong).toEqual([]);
    expect(Object.keys(values)).toHaveLength(awkwardValues.length);
  });
});
