import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { providers } from '../../../src/broker/providers/providers.ts';
import { readProviders } from '../../../src/broker/providers/read-providers.ts';
import { createAddressRule } from '../../../src/broker/upstream/addresses.ts';
import type { Provider } from '../../../src/model/provider.ts';

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'checks-'));
  file = join(directory, 'providers.json');
});
afterAll(() => rm(directory, { recursive: true }));

async function read(row: object): Promise<Provider | undefined> {
  await writeFile(file, JSON.stringify({ providers: [row] }), { mode: 0o644 });
  const table = await readProviders(file, { allowHttp: false, isAllowedAddress: createAddressRule([]) });
  return table.find((row as { id: string }).id);
}

const destination = { origin: 'https://api.acme.example', header: 'X-Api-Key', format: '{value}', paths: ['/v2'] };
const withCheck = (check: unknown) => read({ id: 'acme', destination, check });

async function refusalOf(check: unknown): Promise<string> {
  const error = await withCheck(check).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'ConfigurationError' });
  const { message } = error as Error;
  expect(message).not.toContain('hunter22');
  return message.slice(`BROKER_PROVIDERS_FILE ${file}: /providers/0/`.length);
}

describe('a check in BROKER_PROVIDERS_FILE', () => {
  it('may say no more than a path', async () => {
    expect((await withCheck({ path: '/v2/me' }))?.check).toEqual({
      method: 'GET',
      path: '/v2/me',
      headers: {},
      body: null,
      results: {},
      notForPrefixes: [],
    });
  });

  it('may say everything; its path is put into the form in which paths are compared', async () => {
    const rules = [
      { at: '/keys/*/a~1b~0', is: ['x', 1, true], forPrefixes: ['acme_'], result: 'REJECTED' },
      { at: '', result: 'VALID' },
    ];
    const check = {
      method: 'POST',
      path: '/v2/%6de%3a?q=%2F..',
      headers: { Accept: 'text/plain', 'User-Agent': 'acme', 'Content-Type': 'application/json' },
      body: '{"q":"é"}',
      results: { 200: rules, 403: 'REJECTED', 429: 'UNREACHABLE', 503: [{ at: '/x', result: 'RATE_LIMITED' }] },
      notForPrefixes: ['acme_root_'],
    };
    expect((await withCheck(check))?.check).toEqual({ ...check, path: '/v2/me%3A?q=%2F..' });
  });

  it('is that of the row in whose place it is put, where values go to the same place in the same way', async () => {
    const known = providers.find(({ id }) => id === 'cloudflare');
    const at = known?.destination;
    const checkOf = async (own: object) => (await read({ id: 'cloudflare', ...own }))?.check;
    expect(await checkOf({ destination: at })).toBe(known?.check);
    expect(await checkOf({ destination: { ...at, header: 'AUTHORIZATION', paths: null } })).toBe(known?.check);
    expect(await checkOf({ destination: { ...at, paths: ['/client/v4/user'] } })).toBe(known?.check);
    for (const other of [
      { origin: 'https://api.acme.example' },
      { header: 'X-Key' },
      { format: '{value}' },
      { paths: ['/v5'] },
    ])
      expect(await checkOf({ destination: { ...at, ...other } })).toBeNull();
    expect(await checkOf({ destination: at, check: null })).toBeNull();
    const own = await checkOf({ destination: at, check: { path: '/client/v4/ips' } });
    expect(own).toMatchObject({ path: '/client/v4/ips', results: {} });
    expect((await read({ id: 'acme', destination }))?.check).toBeNull();
  });

  const path = '/v2/me';
  const rule = (one: object) => ({ path, results: { 200: [{ at: '/a', result: 'VALID', ...one }] } });
  const bad: [string, unknown, string | RegExp][] = [
    ['no object', 'hunter22', 'check must be an object: {…}.'],
    ['no path', {}, 'check/path is missing. It must be a path, such as "/v1/me".'],
    ['a misspelt member', { path, metod: 'GET' }, 'check/metod is not known. Did you mean method?'],
    [
      'a member that is none',
      { path, zone: 1 },
      /^check\/zone is not known\. There are: method, path, headers, body, /,
    ],
    ['another method', { path, method: 'PUT' }, /^check\/method must be one of: GET, POST\./],
    [
      'a method in small letters',
      { path, method: 'post' },
      /^check\/method must be one of: GET, POST\. Did you mean POST\?/,
    ],
    ['an address', { path: 'https://hunter22.test/' }, /^check\/path must be a path of at most 1,000 characters/],
    [
      'a path beyond those of the destination',
      { path: '/v20' },
      'check/path must begin with one of the paths of the destination.',
    ],
    [
      'a path that climbs',
      { path: '/v2/../hunter22' },
      /^check\/path must be one that every server reads in the same way\. The path must have no segment \. or \.\./,
    ],
    ['a path that hides a slash', { path: '/v2%2fhunter22' }, /^check\/path must be one that .* no encoded slash\./],
    ['a space in the path', { path: '/v2/hunter 22' }, /^check\/path must be one that .* visible ASCII/],
    ['a fragment', { path: '/v2/me#hunter22' }, /^check\/path must be one that .* no fragment/],
    [
      'the value in the path',
      { path: '/v2/me?key={value}' },
      'check/path must have no {value}: the value stands in the header of the destination alone.',
    ],
    ['the value in a header', { path, headers: { 'X-Key': 'a {value}' } }, /^check\/headers must have no \{value\}/],
    [
      'the value in the body',
      { path, method: 'POST', body: '{"key":"{value}"}' },
      /^check\/body must have no \{value\}/,
    ],
    [
      'the header of the destination',
      { path, headers: { 'x-api-key': 'hunter22' } },
      'check/headers must not have the header of the destination, which gets the value.',
    ],
    [
      'its header in another spelling',
      { path, headers: { X_Api_Key: 'hunter22' } },
      /^check\/headers must not have the header of the destination/,
    ],
    [
      'a host',
      { path, headers: { Host: 'hunter22.test' } },
      /^check\/headers must have no header about the connection/,
    ],
    [
      'a length',
      { path, headers: { 'Content-Length': '0' } },
      /^check\/headers must have no header about the connection/,
    ],
    [
      'a coding',
      { path, headers: { 'accept-encoding': 'gzip' } },
      /^check\/headers must have no header about the connection/,
    ],
    ['a name that is none', { path, headers: { 'a b': 'x' } }, /^check\/headers must have names of headers/],
    ['a header twice', { path, headers: { Accept: 'a', accept: 'b' } }, /^check\/headers must have each header once/],
    [
      'two lines in a header',
      { path, headers: { 'X-A': 'a\r\nX-B: hunter22' } },
      /^check\/headers must have values that a header can have/,
    ],
    ['a header that is no text', { path, headers: { 'X-A': 22 } }, 'check/headers/X-A must be text.'],
    [
      'a body with GET',
      { path, body: 'hunter22' },
      'check/body must not be there with GET. Leave it out, or write "method": "POST".',
    ],
    ['a body of over 4 KiB', { path, method: 'POST', body: 'é'.repeat(2049) }, 'check/body must have at most 4 KiB.'],
    ['a status beyond all', { path, results: { 600: 'VALID' } }, /^check\/results must have statuses from 100 to 599/],
    [
      'a class of statuses',
      { path, results: { '4xx': 'VALID' } },
      /^check\/results must have statuses from 100 to 599/,
    ],
    [
      'an unknown result',
      { path, results: { 200: 'VALIDE' } },
      'check/results/200 must be one of: VALID, REJECTED, RATE_LIMITED, UNREACHABLE, UNSUPPORTED. Did you mean VALID?',
    ],
    [
      'an outage that rejects',
      { path, results: { 503: 'REJECTED' } },
      /^check\/results must not have REJECTED for 429 and 5xx/,
    ],
    [
      'a rate limit that rejects by its body',
      { path, results: { 429: [{ at: '', result: 'REJECTED' }] } },
      /^check\/results must not have REJECTED for 429 and 5xx/,
    ],
    ['no rules', { path, results: { 200: [] } }, 'check/results/200 must not be empty.'],
    [
      'too many rules',
      { path, results: { 200: Array(21).fill({ at: '', result: 'VALID' }) } },
      /^check\/results\/200 must have at most 20/,
    ],
    [
      'a misspelt member of a rule',
      rule({ resutl: 'VALID' }),
      'check/results/200/0/resutl is not known. Did you mean result?',
    ],
    ['a pointer without a slash', rule({ at: 'hunter22' }), /^check\/results\/200\/0\/at must be a JSON Pointer/],
    ['a pointer with a bare ~', rule({ at: '/a~2' }), /^check\/results\/200\/0\/at must be a JSON Pointer/],
    ['a pointer of great depth', rule({ at: '/*'.repeat(21) }), /^check\/results\/200\/0\/at must be a JSON Pointer/],
    ['values that are none', rule({ is: [] }), /^check\/results\/200\/0\/is must not be empty/],
    ['a value that is a list', rule({ is: [['hunter22']] }), /^check\/results\/200\/0\/is\/0 must be text/],
    ['an empty prefix', { path, notForPrefixes: [''] }, /^check\/notForPrefixes\/0 must be how keys begin/],
  ];
  it.each(bad)(
    'is refused with its place and the fix, and nothing of it is repeated: %s',
    async (_what, check, told) => {
      const refusal = await refusalOf(check);
      if (typeof told === 'string') expect(refusal).toBe(told);
      else expect(refusal).toMatch(told);
    },
  );
});
