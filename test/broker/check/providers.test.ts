import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAskProvider } from '../../../src/broker/check/ask-provider.ts';
import { OpenUses } from '../../../src/broker/open-uses.ts';
import { providers } from '../../../src/broker/providers/providers.ts';
import type { Forwarder } from '../../../src/broker/upstream/forward.ts';
import type { CheckResult } from '../../../src/model/secret-health.ts';
import type { AskProvider } from '../../../src/secrets/dependencies.ts';
import { providerCheckOf } from '../../../src/secrets/provider-check-of.ts';
import { testForwarder } from '../../support/forwarding.ts';
import { RecordedProviders, recorded } from '../../support/recorded-providers.ts';

let fake: RecordedProviders;
let forwarder: Forwarder;
let askProvider: AskProvider;
beforeAll(async () => {
  fake = await RecordedProviders.start();
  forwarder = testForwarder();
  askProvider = createAskProvider({ forwarder, uses: new OpenUses(), version: '9.8.7', onCheck() {} });
});
afterEach(() => {
  fake.always = null;
  fake.asked.length = 0;
});
afterAll(async () => {
  forwarder.close();
  await fake.close();
});

/** What a check of a key says that is sent where the table says. */
async function resultOf(provider: string, value: string): Promise<CheckResult> {
  const table = fake.table;
  const row = table.find(provider);
  if (!row) throw new Error('no such provider');
  const destination = { ...row.destination, byHand: false };
  const check = providerCheckOf(value, destination, provider, { providers: table });
  if (!check) return 'UNSUPPORTED';
  return askProvider({ owner: { type: 'user', userId: 'ada' }, value, destination, check });
}

it('what each provider answers is recorded, with its sources', () => {
  expect(Object.keys(recorded)).toEqual(providers.map(({ id }) => id));
  for (const { sources } of Object.values(recorded)) {
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(source).toMatch(/^https:\/\/[\w.-]+\/\S+$/);
  }
});

describe.each(Object.entries(recorded))('a check of a key of %s', (id, provider) => {
  it('says that a made-up key is rejected, and that a good one is valid', async () => {
    expect(await resultOf(id, provider.madeUp.key)).toBe('REJECTED');
    expect(await resultOf(id, provider.good.key)).toBe('VALID');
  });

  it('is one request as the provider documents it, with the key in its header once', async () => {
    const { request, good, key } = provider;
    await resultOf(id.toUpperCase(), good.key);
    const [asked, ...others] = fake.asked;
    expect(others).toEqual([]);
    expect(asked).toMatchObject({ id, method: request.method, path: request.path, body: request.body ?? '' });
    const headers: [string, string][] = [];
    for (let at = 0; at < (asked?.rawHeaders.length ?? 0); at += 2)
      headers.push([asked?.rawHeaders[at]?.toLowerCase() ?? '', asked?.rawHeaders[at + 1] ?? '']);
    const expected = {
      host: new URL(fake.originOf(id)).host,
      'user-agent': 'secrets-gateway/9.8.7',
      accept: 'application/json',
      'accept-encoding': 'identity',
      connection: 'close',
      ...(request.method === 'POST' && { 'content-length': String(request.body?.length) }),
      ...request.headers,
      [key.header]: `${key.before}${good.key}`,
    };
    expect(headers.sort()).toEqual(Object.entries(expected).sort());
  });

  it.each([
    [429, 'RATE_LIMITED'],
    [500, 'UNREACHABLE'],
    [503, 'UNREACHABLE'],
    [599, 'UNREACHABLE'],
    [302, 'UNSUPPORTED'],
    [404, 'UNSUPPORTED'],
    [418, 'UNSUPPORTED'],
  ] as const)('says of a %d the same as with all providers, whatever its body is', async (status, result) => {
    for (const body of [provider.madeUp.body, provider.good.body, '<html>no</html>']) {
      fake.always = { status, body };
      expect(await resultOf(id, provider.good.key)).toBe(result);
    }
    expect(fake.asked).toHaveLength(3);
  });

  it.each((provider.others ?? []).map((one) => [one.what, one] as const))('knows %s', async (_what, one) => {
    expect(await resultOf(id, one.key)).toBe(one.result);
    expect(fake.asked).toHaveLength(1);
  });

  it('is not made of keys that it cannot tell', async () => {
    for (const key of provider.notAsked ?? []) expect(await resultOf(id, key)).toBe('UNSUPPORTED');
    expect(fake.asked).toEqual([]);
    const { notForPrefixes = [] } = providers.find((row) => row.id === id)?.check ?? {};
    expect(notForPrefixes.every((prefix) => provider.notAsked?.some((key) => key.startsWith(prefix)))).toBe(true);
  });
});
