import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import type { WrittenSecret } from '../../src/model/secret.ts';
import type { Operations } from '../../src/operations.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { operationsOn } from '../support/documents.ts';
import { withTestMac } from '../support/keyring.ts';

interface Given {
  origin?: string;
  header?: string;
  format?: string;
  paths?: readonly string[] | null;
}

const usual = { origin: 'https://api.example.net', header: 'Authorization', format: 'Bearer {value}' };
const value = 'a value that goes far';

describe('the rules of destinations', () => {
  let store: Store;
  let operations: Operations;
  beforeAll(async () => {
    store = await openSqliteStore(':memory:', withTestMac);
    operations = await operationsOn(store);
  });
  afterAll(() => store.close());

  const create = (given: Given, of = value): Promise<WrittenSecret> =>
    operations.createSecret({
      owner: { teamId: 'red' },
      name: crypto.randomUUID(),
      value: of,
      destination: { ...usual, ...given },
    });
  const stored = async (given: Given) => (await create(given)).destination;
  /** What breaks a rule, and that it is not repeated. */
  async function brokenBy(given: Given, of = value): Promise<unknown> {
    try {
      await create(given, of);
      return [];
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const { errors = [] } = error.details;
      for (const { message } of errors) {
        for (const sent of [of, given.origin, given.header, given.format, ...(given.paths ?? [])])
          if (sent && sent.length > 8) expect(message).not.toContain(sent);
        expect(message).toMatch(/^[A-Z].*\.$/);
      }
      return errors.map(({ loc, type }) => [loc.join('.'), type]);
    }
  }

  describe('an origin', () => {
    it.each([
      ['https://api.example.net', 'https://api.example.net'],
      ['https://api.example.net:443', 'https://api.example.net'],
      ['https://api.example.net:8443', 'https://api.example.net:8443'],
      ['HTTPS://API.Example.NET', 'https://api.example.net'],
      ['https://xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
      ['https://1.1.1.1', 'https://1.1.1.1'],
      ['https://[2606:4700::1111]:9', 'https://[2606:4700::1111]:9'],
      ['https://internal', 'https://internal'],
      ['http://localhost:3000', 'http://localhost:3000'],
      ['http://127.0.0.1:80', 'http://127.0.0.1'],
      ['http://[::1]:3000', 'http://[::1]:3000'],
    ])('%s is stored as %s', async (origin, canonical) => {
      expect((await stored({ origin }))?.origin).toBe(canonical);
    });

    it.each([
      ...['', 'api.example.net', '//api.example.net', 'ftp://api.example.net', 'wss://api.example.net'],
      ...['javascript:alert(1)', 'https:api.example.net', 'https:///api.example.net', 'https://', 'https://:443'],
      ...['https://api.example.net/', 'https://api.example.net/v1', 'https://api.example.net?a'],
      ...['https://api.example.net#a', 'https://api.example.net\\a', 'https:\\\\api.example.net'],
      ...['https://user@api.example.net', 'https://user:password@api.example.net', 'https://@api.example.net'],
      ...['https://api.example.net:0', 'https://api.example.net:65536', 'https://api.example.net:'],
      ...['https://api.example.net:443:443', 'https://api.example.net:1e2', 'https://api.example.net.'],
      ...['https://api..example.net', 'https://.example.net', 'https://-api.example.net', 'https://*.example.net'],
      ...['https://api.example.net ', ' https://api.example.net', 'https://api.exam\tple.net'],
      ...['https://api.exam\nple.net', 'https://api%2eexample.net', 'https://bücher.example'],
      ...['https://api。example.net', 'https://ａｐｉ.example.net', 'https://apİ.example.net'],
      ...['https://api.example.net\u200B', 'https://2130706433', 'https://0x7f.1'],
      ...['https://0177.0.0.1', 'https://127.1', 'https://1.2.3.4.5', 'https://256.0.0.1'],
      ...['https://[::ffff:127.0.0.1]', 'https://[0:0:0:0:0:0:0:1]', 'https://[::1%25eth0]', 'https://[::1'],
      ...['https://::1', 'https://api.example.net,https://b.example.net'],
    ])('%j is refused', async (origin) => {
      expect(await brokenBy({ origin })).toEqual([['destination.origin', 'origin']]);
    });

    it('over plain HTTP is for loopback alone, and for development alone', async () => {
      for (const origin of ['http://api.example.net', 'http://1.1.1.1', 'http://localhost.example.net'])
        expect(await brokenBy({ origin })).toEqual([['destination.origin', 'insecure_origin']]);
    });

    it.each([
      'https://10.0.0.1',
      'https://192.168.1.1:8443',
      'https://169.254.169.254',
      'http://169.254.169.254',
      'https://0.0.0.0',
      'https://[fd00::1]',
      'https://[fe80::1]',
      'https://[::]',
    ])('%s is refused: the gateway does not connect to such an address', async (origin) => {
      expect(await brokenBy({ origin })).toEqual([['destination.origin', 'private_address']]);
    });

    it('of over 300 characters is refused', async () => {
      const origin = `https://${'a.'.repeat(150)}com`;
      expect(await brokenBy({ origin })).toEqual([['destination.origin', 'too_long']]);
    });
  });

  describe('a header', () => {
    it.each(['Authorization', 'x-api-key', 'X-Goog-Api-Key', 'api_key', 'DD-API-KEY', "!#$%&'*+.^_`|~"])(
      '%s is kept as it was given',
      async (header) => {
        expect((await stored({ header }))?.header).toBe(header);
      },
    );

    it.each([
      ...['Host', 'Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Expect', 'Via'],
      ...['Content-Length', 'content-type', 'Content-Encoding', 'Cookie', 'Set-Cookie', 'Proxy-Authorization'],
      ...['Proxy-Connection', 'Forwarded', 'X-Forwarded-For', 'x-forwarded-host', 'X-Real-IP', 'Accept-Encoding'],
      ...[
        'Secrets-Gateway-Error',
        'X-HTTP-Method-Override',
        'X-Original-URL',
        'User-Agent',
        'Referer',
        'Sec-Fetch-Mode',
      ],
    ])('%s is refused: it means something else', async (header) => {
      for (const spelt of [header, header.toUpperCase(), header.toLowerCase(), header.replaceAll('-', '_')])
        expect(await brokenBy({ header: spelt })).toEqual([['destination.header', 'header_not_allowed']]);
    });

    it.each<[string, string]>([
      ['', 'required'],
      ['x'.repeat(101), 'too_long'],
      ['Authorization:', 'header_name'],
      ['X Api Key', 'header_name'],
      ['X-Api-Key\r\nHost', 'header_name'],
      ['X-Api-K\u00E9y', 'header_name'],
      ['Host ', 'header_name'],
      ['\u212Aey', 'header_name'],
    ])('%j is refused', async (header, type) => {
      expect(await brokenBy({ header })).toEqual([['destination.header', type]]);
    });
  });

  describe('a format', () => {
    it.each(['{value}', 'Bearer {value}', 'token="{value}", v=1', `${'f'.repeat(193)}{value}`, '{}{value}'])(
      '%s is kept as it was given',
      async (format) => {
        expect((await stored({ format }))?.format).toBe(format);
      },
    );

    it.each<[string, string]>([
      ['', 'format'],
      ['Bearer', 'format'],
      ['Bearer {VALUE}', 'format'],
      ['{value}{value}', 'format'],
      ['{ value }', 'format'],
      [' {value}', 'characters'],
      ['{value} ', 'characters'],
      ['{value}\r\nHost: a', 'characters'],
      ['{value}\0', 'characters'],
      ['Bearer\t{value}', 'characters'],
      ['Schl\u00FCssel {value}', 'characters'],
      [`${'f'.repeat(194)}{value}`, 'too_long'],
    ])('%j is refused', async (format, type) => {
      expect(await brokenBy({ format })).toEqual([['destination.format', type]]);
    });
  });

  describe('paths', () => {
    it.each<[readonly string[] | null, readonly string[] | null]>([
      [null, null],
      [['/'], ['/']],
      [['/v1'], ['/v1']],
      [
        ['/v1/', '/v1', '/v2/models/'],
        ['/v1', '/v2/models'],
      ],
      [['/a%7eb/%c3%a9'], ['/a~b/%C3%A9']],
      [["/A.b-c_d~!$&'()*+,=:@"], ["/A.b-c_d~!$&'()*+,=:@"]],
      [[`/${'a'.repeat(199)}`], [`/${'a'.repeat(199)}`]],
    ])('%j are stored as %j', async (paths, canonical) => {
      expect((await stored({ paths }))?.paths).toEqual(canonical);
    });

    it.each([
      ...[
        '',
        'v1',
        '*',
        '/v1/..',
        '/..',
        '/v1/../v2',
        '/./v1',
        '/v1/.',
        '//v1',
        '/v1//v2',
        '/v1//',
        '/v1?a=b',
        '/v1#a',
      ],
      ...[
        '/v1\\v2',
        '/v1%2fv2',
        '/v1%2F',
        '/v1%5cv2',
        '/%2e%2e',
        '/.%2E/v1',
        '/v1%00',
        '/v1%0d%0a',
        '/v1%7f',
        '/v1;a=b',
      ],
      ...['/v1 ', '/v1\n', '/v1%', '/v1%zz', '/v1%ff', '/%252e%252e', '/é', '/v1/{id}', '/v1/*|'],
    ])('%j is refused', async (path) => {
      expect(await brokenBy({ paths: ['/fine', path] })).toEqual([['destination.paths.1', 'path']]);
    });

    it('are at most 20, of at most 200 characters, and not none', async () => {
      const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
      expect((await stored({ paths }))?.paths).toEqual(paths);
      expect(await brokenBy({ paths: [...paths, '/20'] })).toEqual([['destination.paths', 'too_many']]);
      expect(await brokenBy({ paths: [`/${'a'.repeat(200)}`] })).toEqual([['destination.paths.0', 'too_long']]);
      expect(await brokenBy({ paths: [] })).toEqual([['destination.paths', 'required']]);
    });
  });

  describe('a value for a destination', () => {
    it.each([
      ['of 8 characters', '12345678'],
      ['of two words', 'two words'],
      ['of 8 KiB', 'v'.repeat(8192)],
      ['of signs', '~!@#$%^&*()_+'],
    ])('%s can be sent', async (_what, of) => {
      expect((await create({}, of)).destination).toEqual({ ...usual, paths: null, byHand: true });
    });

    it.each<[string, string, string]>([
      ['of 7 characters', '1234567', 'value_too_short'],
      ['over 8 KiB', 'v'.repeat(8193), 'value_too_long'],
      ['with a newline', 'a value\n', 'value_not_for_headers'],
      ['with a space before it', ' a value', 'value_not_for_headers'],
      ['with a NUL', 'a\0value', 'value_not_for_headers'],
      ['with a tab', 'a\tvalue', 'value_not_for_headers'],
      ['with other letters than those of ASCII', 'ein Schl\u00FCssel', 'value_not_for_headers'],
      ['that goes on with a header', 'a\r\nHost: value', 'value_not_for_headers'],
    ])('%s cannot', async (_what, of, type) => {
      expect(await brokenBy({}, of)).toEqual([['destination', type]]);
    });
  });

  it('are all told at once', async () => {
    const given = { origin: 'api', header: 'Host', format: 'none', paths: ['/ok', 'no'] };
    expect(await brokenBy(given, 'short')).toEqual([
      ['destination', 'value_too_short'],
      ['destination.header', 'header_not_allowed'],
      ['destination.format', 'format'],
      ['destination.origin', 'origin'],
      ['destination.paths.1', 'path'],
    ]);
  });
});
