import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { providers } from '../../../src/broker/providers/providers.ts';
import { readProviders } from '../../../src/broker/providers/read-providers.ts';
import { createAddressRule } from '../../../src/broker/upstream/addresses.ts';
import { maxProviders, type ProviderTable } from '../../../src/model/provider.ts';

let directory: string;
let path: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'providers-file-'));
  path = join(directory, 'providers.json');
});
afterAll(() => rm(directory, { recursive: true }));

const production = { allowHttp: false, isAllowedAddress: createAddressRule([]) };
const development = { allowHttp: true, isAllowedAddress: createAddressRule(['127.0.0.0/8', '::1']) };

async function read(content: unknown, reach = production): Promise<ProviderTable> {
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o644 });
  return readProviders(path, reach);
}

async function refusalOf(content: unknown, reach = production): Promise<string> {
  const error = await read(content, reach).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'ConfigurationError' });
  const { message } = error as Error;
  expect(message.startsWith(`BROKER_PROVIDERS_FILE ${path}: `)).toBe(true);
  expect(message).not.toContain('hunter22');
  return message.slice(`BROKER_PROVIDERS_FILE ${path}: `.length);
}

const origin = 'https://api.acme.example';
const one = (row: object) => ({ providers: [row] });
const withDestination = (destination: object) => one({ id: 'acme', destination });

describe('BROKER_PROVIDERS_FILE', () => {
  it('may say no more than an id and an origin', async () => {
    const table = await read(withDestination({ origin }));
    expect(table.find('ACME')).toEqual({
      id: 'acme',
      title: 'acme',
      destination: { origin, header: 'Authorization', format: 'Bearer {value}', paths: null },
      keyPrefixes: [],
      check: null,
    });
    expect(table.rows).toHaveLength(providers.length + 1);
    expect(table.rows.map(({ id }) => id)).toEqual(table.rows.map(({ id }) => id).sort());
    expect(table.find('openai')?.destination.origin).toBe('https://api.openai.com');
  });

  it('may say everything, in any case and form, and begin with a byte order mark', async () => {
    const row = {
      id: 'Acme.Co',
      title: 'Acme & Co',
      destination: { origin: 'HTTPS://API.acme.example:443', header: 'X-Api-Key', format: '{value}', paths: ['/v2/'] },
      keyPrefixes: ['acme_'],
    };
    const table = await read(`\uFEFF${JSON.stringify(one(row))}`);
    expect(table.find('acme.co')).toEqual({
      ...row,
      id: 'acme.co',
      destination: { ...row.destination, origin, paths: ['/v2'] },
      check: null,
    });
    expect(table.ofKey('acme_1').map(({ id }) => id)).toEqual(['acme.co']);
  });

  it('puts a row in the place of one of the table, with its destination as a whole; what is left out of the rest stays', async () => {
    const known = (await readProviders(null, production)).find('anthropic');
    const table = await read(one({ id: 'Anthropic', destination: { origin } }));
    const destination = { origin, header: 'Authorization', format: 'Bearer {value}', paths: null };
    expect(table.find('anthropic')).toEqual({ ...known, destination, check: null });
    expect(table.find('claude')).toBe(table.find('anthropic'));
    expect(table.rows).toHaveLength(providers.length);
    const renamed = await read(one({ id: 'anthropic', title: 'Ours', destination: { origin }, keyPrefixes: [] }));
    expect(renamed.find('anthropic')).toEqual({
      id: 'anthropic',
      title: 'Ours',
      destination,
      keyPrefixes: [],
      sdkHeaders: ['authorization'],
      check: null,
    });
    expect(renamed.ofKey('sk-ant-api03-0123456789')).toEqual([]);
  });

  it('may take the place of an alias, and hold nothing', async () => {
    expect((await read(one({ id: 'gemini', destination: { origin } }))).find('Gemini')?.destination.origin).toBe(
      origin,
    );
    expect((await read({ providers: [] })).rows).toEqual(providers);
  });

  it('may name loopback over plain HTTP in development, and private addresses that the broker may reach', async () => {
    for (const local of ['http://127.0.0.1:8080', 'http://localhost:8080', 'https://127.0.0.1'])
      expect((await read(withDestination({ origin: local }), development)).find('acme')?.destination.origin).toBe(
        local,
      );
    const office = { ...production, isAllowedAddress: createAddressRule(['10.20.0.0/16']) };
    const table = await read(withDestination({ origin: 'https://10.20.0.7' }), office);
    expect(table.find('acme')?.destination.origin).toBe('https://10.20.0.7');
  });

  it('may fill the table, and no more', async () => {
    const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `p${i}`, destination: { origin } }));
    const most = maxProviders - providers.length;
    expect((await read({ providers: rows(most) })).rows).toHaveLength(maxProviders);
    expect(await refusalOf({ providers: rows(most + 1) })).toBe(`/providers must have at most ${most} providers.`);
  });

  const bad: [string, unknown, string | RegExp][] = [
    ['no JSON', '{"providers": [hunter22]}', /^it is not JSON\..* Put \{"providers":\[…\]\} there\.$/],
    ['a list', [], 'The file must be an object: {…}.'],
    ['no list', {}, /^\/providers is missing\. It must be a list of providers, such as /],
    ['a misspelt member of the file', { provider: [] }, /\/provider is not known\. Did you mean providers\?/],
    [
      'a misspelt member',
      one({ id: 'a', destination: { origin }, titel: 'A' }),
      '/providers/0/titel is not known. Did you mean title?',
    ],
    [
      'a misspelt member of a destination',
      withDestination({ origin, path: ['/v1'] }),
      '/providers/0/destination/path is not known. Did you mean paths?',
    ],
    [
      'a member that belongs elsewhere',
      one({ id: 'a', destination: { origin }, zone: 1 }),
      '/providers/0/zone is not known. There are: id, title, destination, keyPrefixes, check.',
    ],
    ['a member twice', '{"providers": [], "providers": []}', '/providers is there twice. Leave one of them.'],
    ['no id', one({ destination: { origin } }), '/providers/0/id is missing. It must be the id of a provider.'],
    [
      'an id with spaces',
      one({ id: 'hunter22 x', destination: { origin } }),
      /^\/providers\/0\/id must be an id of at most 100 letters/,
    ],
    ['no destination', one({ id: 'a' }), '/providers/0/destination is missing. It must be an object: {…}.'],
    ['no origin', withDestination({}), /^\/providers\/0\/destination\/origin is missing\. It must be an origin/],
    [
      'plain HTTP',
      withDestination({ origin: 'http://hunter22.example' }),
      /^\/providers\/0\/destination\/origin must begin with https:\/\//,
    ],
    [
      'HTTP to loopback in production',
      withDestination({ origin: 'http://127.0.0.1' }),
      /^\/providers\/0\/destination\/origin must /,
    ],
    [
      'a private address',
      withDestination({ origin: 'https://10.0.0.1' }),
      /^\/providers\/0\/destination\/origin must be a public address/,
    ],
    [
      'a path in the origin',
      withDestination({ origin: `${origin}/hunter22` }),
      /origin must end with the host or the port/,
    ],
    [
      'a user in the origin',
      withDestination({ origin: 'https://u:hunter22@acme.example' }),
      /origin must have no user/,
    ],
    [
      'a header with another meaning',
      withDestination({ origin, header: 'Host' }),
      /^\/providers\/0\/destination\/header must be a header for credentials/,
    ],
    [
      'a format without the value',
      withDestination({ origin, format: 'Bearer hunter22' }),
      /^\/providers\/0\/destination\/format must have exactly one \{value\}/,
    ],
    [
      'a path that climbs',
      withDestination({ origin, paths: ['/v1', '/../hunter22'] }),
      /^\/providers\/0\/destination\/paths\/1 must have no \. or \.\./,
    ],
    [
      'no paths at all',
      withDestination({ origin, paths: [] }),
      /^\/providers\/0\/destination\/paths must not be empty/,
    ],
    [
      'paths that are text',
      withDestination({ origin, paths: '/v1' }),
      '/providers/0/destination/paths must be a list of prefixes of paths, or null.',
    ],
    [
      'a title that is no text',
      one({ id: 'a', destination: { origin }, title: 22 }),
      '/providers/0/title must be a name for people.',
    ],
    [
      'a short prefix',
      one({ id: 'a', destination: { origin }, keyPrefixes: ['ab'] }),
      /^\/providers\/0\/keyPrefixes\/0 must be what its keys begin with: 3 to 100/,
    ],
    [
      'a prefix with a space',
      one({ id: 'a', destination: { origin }, keyPrefixes: ['hunter22 '] }),
      /^\/providers\/0\/keyPrefixes\/0 must be/,
    ],
    [
      'an id twice, in another case',
      {
        providers: [
          { id: 'a', destination: { origin } },
          { id: 'A', destination: { origin } },
        ],
      },
      '/providers/1/id is that of an earlier entry. Leave one of them.',
    ],
  ];
  it.each(bad)(
    'is refused with its place and the fix, and nothing of it is repeated: %s',
    async (_what, content, told) => {
      const refusal = await refusalOf(content);
      if (typeof told === 'string') expect(refusal).toBe(told);
      else expect(refusal).toMatch(told);
    },
  );

  it('tells the mistakes of several destinations at once, and at most five', async () => {
    const row = (id: string) => ({ id, destination: { origin: 'ftp://x', header: 'Host', format: 'x' } });
    const refusal = await refusalOf({ providers: [row('a'), row('b')] });
    expect(refusal.match(/\/providers\/\d\/destination\/\w+ must/g)).toHaveLength(5);
  });
});
