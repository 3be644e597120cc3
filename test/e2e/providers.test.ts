import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { providers } from '../../src/broker/providers/providers.ts';
import { createClient } from '../../src/client/index.ts';
import { batch, create, Destinations, duplicate, openai, update } from '../support/destinations.ts';
import { storeNames } from '../support/gateway.ts';

const known = providers.map(({ id, title, destination }) => ({ id, title, destination, checkable: true }));
const list = '{ providers { id title destination { origin header format paths } checkable } }';
const [rest, other] = ['9f2c1e7a4b8d6053', 'e1c7a9d2f4b64680'];
const anthropicKey = `sk-ant-api03-${rest}`;
const acme = { origin: 'http://127.0.0.1:9', header: 'X-Api-Key', format: 'k {value}', paths: ['/v2'] };
const proxied = { ...openai, origin: 'https://openai.example.com' };

describe.each(storeNames)('providers on %s', (store) => {
  let directory: string;
  let on: Destinations;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'providers-'));
    const file = join(directory, 'providers.json');
    const rows = [
      { id: 'Acme', title: 'Acme Inc', destination: acme, keyPrefixes: ['acme_'] },
      { id: 'openai', destination: { origin: proxied.origin } },
    ];
    await writeFile(file, JSON.stringify({ providers: rows }));
    on = await Destinations.start(store, { BROKER_PROVIDERS_FILE: file });
  });
  afterAll(async () => {
    await on.gateway.close();
    await rm(directory, { recursive: true });
  });

  const inTeam = (input: object) => on.newInput(input);
  const told = async (query: string, input: object) => (await on.run(query, input)).warnings;
  const warning = { field: 'value', type: 'other_provider', message: expect.stringContaining('Anthropic') };

  it('are listed with those of the file, in the order of their ids, in the same way each time', async () => {
    const expected = [
      { id: 'acme', title: 'Acme Inc', destination: acme, checkable: false },
      // The check of a row is for its own origin.
      ...known.map((row) => (row.id === 'openai' ? { ...row, destination: proxied, checkable: false } : row)),
    ];
    for (let time = 0; time < 3; time += 1) {
      const { data, errors } = await on.gateway.run(list);
      expect(errors).toEqual([]);
      expect(data.providers).toEqual(expected);
    }
    const client = createClient({ url: on.gateway.url, token: await on.gateway.issuer.token() });
    expect(await client.providers()).toEqual(expected);
  });

  it('are listed to whoever has credentials, whatever these allow, and to nobody else', async () => {
    const token = await on.gateway.issuer.token({ scope: '', teams: [] });
    expect((await on.gateway.run(list, {}, { token })).data.providers).toHaveLength(known.length + 1);
    for (let time = 0; time < 2; time += 1) {
      const { errors, data } = await on.gateway.run(list, {}, { token: null });
      expect(errors[0]?.extensions.code).toBe('UNAUTHORIZED');
      expect(data ?? null).toBeNull();
    }
  });

  it('decide where new values go, those of the file too, under their aliases too', async () => {
    const places = {
      ACME: acme,
      OpenAI: proxied,
      gemini: known.find(({ id }) => id === 'google')?.destination,
      no: null,
    };
    for (const [provider, destination] of Object.entries(places))
      expect((await on.made({ provider })).destination).toEqual(destination);
  });

  it('have their keys told where another provider is named: on create and update, in clear and sealed', async () => {
    const name = `n ${randomUUID()}`;
    expect(await told(create, inTeam({ provider: 'openai', value: anthropicKey }))).toEqual([warning]);
    expect(await told(create, inTeam({ provider: 'custom', value: anthropicKey }))).toEqual([warning]);
    expect(await told(create, inTeam({ provider: 'anthropic', value: `acme_${rest}` }))).toMatchObject([
      { type: 'other_provider', message: expect.stringContaining('Acme Inc (provider acme)') },
    ]);
    const owner = { teamId: 'red' };
    const sealedValue = await on.sealing.seal(anthropicKey, { owner, name });
    const sealed = await on.run(create, inTeam({ name, provider: 'github', value: undefined, sealedValue }));
    expect(sealed.warnings).toEqual([{ ...warning, field: 'sealedValue' }]);
    const { id } = sealed.secret;
    expect(await told(update, { id, value: anthropicKey })).toEqual([warning]);
    expect(await told(update, { id, value: anthropicKey, destination: openai })).toEqual([warning]);
    const again = await on.sealing.seal(anthropicKey, { owner, id });
    expect(await told(update, { id, sealedValue: again, destination: null })).toEqual([
      { ...warning, field: 'sealedValue' },
    ]);
    expect(await told(update, { id, value: anthropicKey, provider: 'Anthropic' })).toEqual([]);
    expect(await told(update, { id, provider: 'openai' })).toEqual([]);
    expect(await told(update, { id, value: anthropicKey })).toEqual([warning]);
    expect(await told(update, { id, provider: null, value: anthropicKey })).toEqual([]);
  });

  it('have nothing told of a key that could be of several, or is of the one that is named', async () => {
    for (const input of [
      { provider: 'anthropic', value: `sk-${rest}${other}` },
      { provider: 'claude', value: anthropicKey },
      { provider: null, value: anthropicKey },
      { value: anthropicKey },
      { provider: 'openai', value: undefined },
    ])
      expect(await told(create, inTeam(input))).toEqual([]);
  });

  it('have their keys told in a batch, by the provider that each secret has in the end', async () => {
    const [kept, changed, made] = [`k ${randomUUID()}`, `c ${randomUUID()}`, `m ${randomUUID()}`];
    for (const name of [kept, changed]) await on.made({ name, provider: 'openai' });
    const secrets = [
      { name: kept, value: anthropicKey },
      { name: changed, value: anthropicKey, provider: 'anthropic' },
      { name: made, value: `acme_${rest}`, provider: 'stripe' },
      { name: `${made} 2`, value: `acme_${rest}`, provider: 'acme' },
    ];
    const input = { owner: { teamId: 'red' }, secrets, onConflict: 'UPDATE' };
    const other = [{ field: 'value', type: 'other_provider' }];
    for (const dryRun of [true, false]) {
      const { items } = await on.run(batch, { ...input, dryRun });
      expect(items.map(({ warnings }) => warnings)).toEqual([other, [], other, []]);
    }
    const copied = { from: { teamId: 'red' }, to: { teamId: 'red', connectorId: 'c' }, names: [made] };
    expect((await on.runMatching(duplicate, copied)).items[0]?.warnings).toEqual([]);
  });

  it('have a warning told again where a call is repeated, and nothing of the value is in any answer or log', async () => {
    const input = inTeam({ provider: 'slack', value: `sk_live_${rest}`, idempotencyKey: randomUUID() });
    const answers = [await on.gateway.run(create, { input }), await on.gateway.run(create, { input })];
    for (const { data, text } of answers) {
      expect(data.createSecret.warnings).toMatchObject([{ field: 'value', type: 'other_provider' }]);
      expect(data.createSecret.warnings[0].message).toContain('Stripe (provider stripe)');
      expect(text).not.toContain(rest.slice(0, 6));
    }
    expect(on.gateway.log.join('')).not.toContain(rest.slice(0, 6));
  });
});
