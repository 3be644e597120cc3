import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashOfApiKey } from '../../src/identity/api-key.ts';
import {
  adminClaims,
  createApiKey,
  type MadeApiKey,
  newApiKey,
  revokeApiKey,
  rotateApiKey,
  withApiKey,
} from '../support/api-keys.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { createSecret, newSecret, updateSecret } from '../support/graphql.ts';
import { LeakDetector } from '../support/leak-detector.ts';
import { stored } from '../support/stored.ts';
import { ToldSpans } from '../support/told-spans.ts';

let spans: ToldSpans;

beforeAll(() => {
  spans = new ToldSpans();
});
afterAll(() => spans.stop());

describe.each(storeNames)('an API key that works, on %s,', (store) => {
  let gateway: TestGateway;
  const keys: Record<string, MadeApiKey> = {};
  /** Everything but the answers that issued the keys. */
  const answers: string[] = [];
  let metrics = '';

  beforeAll(async () => {
    gateway = await TestGateway.start(store, { RATE_LIMIT: 'off', LOG_LEVEL: 'trace' });
    const admin = { token: await gateway.issuer.token(adminClaims) };
    for (const name of ['live', 'revoked', 'rotated']) keys[name] = await newApiKey(gateway, { name });
    const rotated = await gateway.run(rotateApiKey, { input: { id: keys.rotated?.id, graceSeconds: 9 } }, admin);
    keys.successor = { id: rotated.data.rotateApiKey.apiKey.id, key: rotated.data.rotateApiKey.key };
    await gateway.run(revokeApiKey, { input: { id: keys.revoked?.id } }, admin);
    for (const { key } of Object.values(keys)) await sendEverywhere(key, admin);
    const all = '{ apiKeys(teamId: "red") { nodes { id prefix name } } }';
    answers.push((await gateway.run(all, {}, admin)).text);
    metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
  }, 120_000);
  afterAll(() => gateway.close());

  async function sendEverywhere(key: string, admin: { token: string }): Promise<void> {
    const keep = async (answer: Promise<{ text: string; headers: Headers }>) => {
      const { text, headers } = await answer;
      answers.push(text, JSON.stringify([...headers]));
    };
    const viewer = '{ viewer { subject } }';
    const typo = key.slice(0, 30) + (key[30] === 'x' ? 'y' : 'x') + key.slice(31);
    const headers: Record<string, string>[] = [
      { 'x-api-key': key },
      { 'x-api-key': typo },
      { 'x-api-key': `${key}, ${key}` },
      { 'x-api-key': `Bearer ${key}` },
      { authorization: `Bearer ${key}` },
      { authorization: `Bearer ${typo}` },
      { authorization: `Basic ${btoa(`${key}:${key}`)}` },
      { authorization: key },
      { authorization: `Bearer ${key}`, 'x-api-key': key },
      { 'x-api-key': key, 'x-request-id': key },
      { 'x-api-key': key, accept: key },
      { 'x-api-key': key, 'content-type': key },
      { 'x-api-key': key, cookie: `k=${key}`, origin: `https://${key}.test`, 'user-agent': key },
      { 'proxy-authorization': `Bearer ${key}` },
      { [key.replace('sgk_', 'sgk-')]: key },
    ];
    for (const one of headers) {
      await keep(gateway.send({ body: JSON.stringify({ query: viewer }) }, { token: null, headers: one }));
    }
    await keep(gateway.send({ method: 'GET' }, withApiKey(key), `?query={__typename}&api_key=${key}`));
    await keep(gateway.send({ method: 'GET' }, withApiKey(key), `/${key}?query=${key}`));
    await keep(gateway.send({ body: key }, withApiKey(key)));
    await keep(gateway.send({ body: JSON.stringify({ query: viewer, apiKey: key }) }, withApiKey(key)));
    for (const document of [
      key,
      `{ ${key} }`,
      `{ viewer(apiKey: "${key}") { subject } }`,
      `query ($k: String = "${key}") { x }`,
    ]) {
      await keep(gateway.run(document, { [key]: key }, withApiKey(key)));
    }
    const { value: _, ...rest } = newSecret();
    const inputs = [
      { id: key },
      { value: key },
      { owner: { teamId: key } },
      { owner: { connectorId: key } },
      { expectedVersion: key },
    ];
    for (const fields of inputs) {
      const input = { owner: { teamId: 'red' }, ...rest, value: 'v', ...fields };
      await keep(
        gateway.run(
          createSecret('id maskedValue'),
          { input: { ...input, name: crypto.randomUUID() } },
          withApiKey(key),
        ),
      );
      await keep(
        gateway.run(updateSecret('id maskedValue'), { input: { id: crypto.randomUUID(), ...fields } }, withApiKey(key)),
      );
    }
    for (const fields of [
      { teamId: key },
      { name: `${key}\n` },
      { connectorId: ` ${key}` },
      { scopes: [key] },
      { expiresAt: key },
      { key },
    ]) {
      await keep(gateway.run(createApiKey, { input: { teamId: 'red', name: 'n', scopes: [], ...fields } }, admin));
    }
    await keep(gateway.run(rotateApiKey, { input: { id: key, graceSeconds: key } }, admin));
    await keep(gateway.run(revokeApiKey, { input: { id: key } }, admin));
    await keep(
      gateway.run(
        'query ($t: ID!, $a: String) { apiKeys(teamId: $t, after: $a) { totalCount } }',
        { t: key, a: key },
        admin,
      ),
    );
  }

  const detector = () => new LeakDetector(Object.values(keys).map(({ key }) => key));

  it('is in no answer but the one that issued it, in no log line, metric or span', () => {
    expect(detector().find(answers.join('\n'))).toEqual(new Set());
    expect(detector().find(gateway.log.join(''))).toEqual(new Set());
    expect(detector().find(metrics)).toEqual(new Set());
    expect(detector().find(spans.text())).toEqual(new Set());
  });

  it('is in no row: its SHA-256 is', async () => {
    const bytes = await stored(gateway);
    expect(detector().find(bytes)).toEqual(new Set());
    for (const { key } of Object.values(keys)) expect(bytes.includes(hashOfApiKey(key))).toBe(true);
  });

  it('would have been found, and was used', () => {
    const key = keys.live?.key ?? '';
    expect(detector().find(`{"x":"${key}"}`)).toEqual(new Set([key]));
    expect(detector().find(JSON.stringify([[key.slice(20, 40)]]))).toEqual(new Set([key]));
    expect(answers.join()).toContain(keys.live?.id);
    expect(spans.text()).toContain('store.apiKeys.findByHash');
    expect(gateway.log.join('')).toContain(keys.live?.id);
    expect(metrics).toContain('apiKeys');
  });
});
