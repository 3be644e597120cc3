import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batch, byHand, Destinations, duplicate, openai, required, update, value } from '../support/destinations.ts';
import { storeNames } from '../support/gateway.ts';

describe.each(storeNames)('where many values may be sent, on %s', (store) => {
  let on: Destinations;
  beforeAll(async () => {
    on = await Destinations.start(store);
  });
  afterAll(() => on.gateway.close());

  it('is copied with the value, and replaces the one that a copy has', async () => {
    const from = { teamId: 'red', connectorId: randomUUID() };
    const to = { teamId: 'red', connectorId: randomUUID() };
    await on.made({ owner: from, name: 'a', provider: 'openai' });
    await on.made({ owner: from, name: 'b', provider: 'openai', destination: byHand });
    await on.made({ owner: to, name: 'a', destination: byHand });
    const copied = await on.runMatching(duplicate, { from, to, onConflict: 'UPDATE' });
    expect(copied.items).toMatchObject([
      { action: 'UPDATED', secret: { destination: openai } },
      { action: 'CREATED', secret: { destination: byHand } },
    ]);
    for (const { secret } of copied.items) expect((await on.gateway.openValue(secret.id)).value).toBe(value);
    const again = await on.runMatching(duplicate, { from, to, onConflict: 'UPDATE' });
    expect(again.items).toMatchObject([{ action: 'UNCHANGED' }, { action: 'UNCHANGED' }]);
    expect(await on.refused(update, { id: copied.items[1]?.secret.id, value: 'a second value' })).toEqual(required);
  });

  it('is that of each item of a batch, with its warnings, in a dry run too', async () => {
    const owner = { teamId: 'red', connectorId: randomUUID() };
    const secrets = [
      { name: 'a', value, provider: 'openai' },
      { name: 'b', value, provider: 'openai', destination: byHand },
      { name: 'c', value, provider: 'openai', destination: null },
      { name: 'd', value: 'short', provider: 'openai' },
    ];
    const told = [[], [], [], [{ field: 'destination', type: 'value_too_short' }]];
    const tried = await on.run(batch, { owner, secrets, dryRun: true });
    expect(tried.items.map(({ warnings }) => warnings)).toEqual(told);
    const { items } = await on.run(batch, { owner, secrets });
    expect(items.map(({ secret }) => secret.destination)).toEqual([openai, byHand, null, null]);
    expect(items.map(({ warnings }) => warnings)).toEqual(told);
    for (const [index, { secret }] of items.entries())
      expect((await on.gateway.openValue(secret.id)).value).toBe(secrets[index]?.value);

    const renewed = secrets.map((secret) => ({ ...secret, destination: secret.destination }));
    const again = await on.runMatching(batch, { owner, secrets: renewed, onConflict: 'UPDATE' });
    expect(again.items.map(({ action }) => action)).toEqual(['UNCHANGED', 'UNCHANGED', 'UNCHANGED', 'UNCHANGED']);
    const moved = [
      { name: 'a', value, destination: byHand },
      { name: 'c', value },
    ];
    for (const dryRun of [true, false]) {
      const { items: written } = await on.runMatching(batch, { owner, secrets: moved, onConflict: 'UPDATE', dryRun });
      expect(written.map(({ action }) => action)).toEqual(['UPDATED', 'UPDATED']);
    }
    const { items: kept } = await on.run(batch, { owner, secrets: moved, onConflict: 'SKIP' });
    // The provider that is stored counts where an item names none.
    expect(kept.map(({ secret }) => secret.destination)).toEqual([byHand, openai]);
  });

  it('must be said again in a batch that updates, item by item, or nothing is written', async () => {
    const owner = { teamId: 'red', connectorId: randomUUID() };
    await on.run(batch, {
      owner,
      secrets: [
        { name: 'a', value, destination: byHand },
        { name: 'b', value },
      ],
    });
    const secrets = [
      { name: 'b', value: 'another value' },
      { name: 'a', value: 'another value', provider: 'openai' },
      { name: 'new', value, destination: { ...byHand, origin: 'http://evil.example' } },
    ];
    const send = (items: object[], dryRun = false) => ({ owner, secrets: items, onConflict: 'UPDATE', dryRun });
    expect(await on.refused(batch, send(secrets))).toEqual([
      ['origin', 'input.secrets.2.destination.origin', 'insecure_origin'],
    ]);
    for (const dryRun of [true, false])
      expect(await on.refused(batch, send(secrets.slice(0, 2), dryRun))).toEqual([
        ['destination', 'input.secrets.1.destination', 'destination_required'],
      ]);
    expect(await on.refused(batch, send([{ name: 'b', destination: byHand }]))).toContainEqual([
      'destination',
      'input.secrets.0.destination',
      'value_required',
    ]);
    const { items } = await on.run(batch, { ...send(secrets.slice(0, 2)), onConflict: 'SKIP' });
    expect(items.map(({ secret }) => secret.version)).toEqual([1, 1]);
  });
});
