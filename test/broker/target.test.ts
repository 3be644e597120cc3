import { describe, expect, it } from 'vitest';
import { requireAllowedPath } from '../../src/broker/allowed-path.ts';
import { readTarget } from '../../src/broker/target.ts';
import { DomainError } from '../../src/errors.ts';

const id = '4c07bc67-57ea-42dd-b702-c2d6c45419fc';
const pathOf = (sent: string) => readTarget(`/v1/use/${id}${sent}`).path;
const badRequest = expect.objectContaining({ code: 'BAD_REQUEST' });

describe('what is read from a target', () => {
  it('the id of a secret in any case, or a placeholder', () => {
    const rest = { path: '/v1/models', query: '' };
    expect(readTarget(`/v1/use/${id}/v1/models`)).toEqual({ selector: id, ...rest });
    expect(readTarget(`/v1/use/${id.toUpperCase()}/v1/models`)).toEqual({ selector: id, ...rest });
    expect(readTarget('/v1/use/sec_a23f23d26/v1/models')).toEqual({ selector: 'sec_a23f23d26', ...rest });
  });

  it('the path / where there is none', () => {
    for (const sent of ['', '/'])
      expect(readTarget(`/v1/use/${id}${sent}`)).toEqual({ selector: id, path: '/', query: '' });
    for (const sent of ['', '/']) expect(readTarget(`/v1/use/${id}${sent}?x=/..`).path).toBe('/');
  });

  it('the query as it was sent', () => {
    for (const query of ['?', '?a=%2e%2e%2f&b=c%0Ad&e=%zz', '?filter[x]=a|b&q="\\"', '?a=?b=//c@d', '?%E4=%C3%A4+x'])
      expect(readTarget(`/v1/use/${id}/v1${query}`)).toEqual({ selector: id, path: '/v1', query });
  });

  it('the path in its one form', () => {
    expect(pathOf('/%761/%4dodels/%7Ex%2d%2E%5f')).toBe('/v1/Models/~x-._');
    expect(pathOf('/caf%c3%a9%3a')).toBe('/caf%C3%A9%3A');
  });

  it.each([
    '/repos/a/b/compare/v1.0...v2.0',
    '/v1beta/models/gemini-2.0:generateContent',
    '/calendars/ada@example.com/events',
    '/https://example.com/page',
    '/a//b/',
    '/v1/files/100%25/a%20b/%3Fx%23',
    '/v1/items/a%2520b',
    '/.well-known/x/.hidden/..a/a..',
    "/odata/Users('ada')/$value;v=1.5,2/[0]/{x}|y",
    '/日本'.replace(/[^/]+/, encodeURIComponent),
    `/files/${encodeURIComponent('見積／請求')}`,
  ])('a path that APIs have passes as it is: %s', (path) => {
    expect(pathOf(path)).toBe(path);
  });
});

describe('refused with BAD_REQUEST', () => {
  const dots = [
    '..',
    '.',
    '%2e%2E',
    '%2E.',
    '.%2e',
    '%2e',
    '..;',
    '..;x=y',
    '.;x',
    '..%3b',
    '..%3Bx',
    '..%3fx',
    '..%23x',
  ];
  const wide = ['．．', '‥', '․․', '..／x', '．．＼x', '..∕x', '..⁄x', '.. ', ' ..', '...', '.. .'].map(
    encodeURIComponent,
  );
  const twice = [
    '%252e%252e',
    '%252E.',
    '%25%32%65.',
    '%25252e%25252e',
    '..%252f',
    '..%255C',
    '%25%35%63',
    '%2500',
    '%250d',
  ];
  const slashes = ['a%2fb', 'a%2Fb', '%2f', 'a%2f%2e%2e', 'a\\b', 'a%5cb', 'a%5Cb', '\\..', '..\\'];
  const characters = ['%00', '%0a', '%0D%0A', '%1f', '%7F', '%c2%85'];
  const bytes = ['%c0%ae%c0%ae', '%e0%80%ae', '%C0%AF', '%ff', '%E4', '%', '%2', '%zz', '%u002e', '%%32%65'];
  const places = (segment: string) => [`/${segment}`, `/v1/${segment}`, `/v1/${segment}/admin`, `/${segment}/v1?x`];
  it.each([...dots, ...wide, ...twice, ...slashes, ...characters, ...bytes])('the segment %s', (segment) => {
    for (const path of places(segment)) expect(() => pathOf(path), path).toThrow(badRequest);
  });

  it.each([
    '//evil.test',
    '//evil.test/v1',
    '///evil.test',
    '//user:password@evil.test/',
    '/%2f/evil.test',
    '/\\evil.test',
    '/%5cevil.test',
    '/@evil.test',
    '/%40evil.test/v1',
    '/:443@evil.test',
    '/user:password@evil.test/v1',
    '@evil.test/v1',
    '.evil.test/v1',
    ':443@evil.test/v1',
    '%2fv1',
    '\\v1',
    ';x/v1',
    '%00/v1',
  ])('what names another host, joined with an origin: %s', (rest) => {
    expect(() => readTarget(`/v1/use/${id}${rest}`)).toThrow(badRequest);
  });

  it.each([
    '/a#b',
    '?a#b',
    '#',
    '/a b',
    '?a b',
    '/é',
    '?é',
    '/a\tb',
    '?a\rb',
    '?a\u0000',
    '/\u007f',
    '?\u0085',
    '/a\u{1f600}',
  ])('a character that a target has not: %j', (rest) => {
    expect(() => readTarget(`/v1/use/${id}${rest}`)).toThrow(badRequest);
  });

  it.each([
    '',
    '/x',
    'x',
    'sec_a23f23d2',
    'sec_a23f23d266',
    'SEC_a23f23d26',
    'sec_A23F23D26',
    'sec%5fa23f23d26',
    '%73ec_a23f23d26',
    id.slice(1),
    `{${id}}`,
    `urn:uuid:${id}`,
    id.replaceAll('-', ''),
    id.replace('4', '%34'),
    `${id};x`,
  ])('a selector in another form: %s', (selector) => {
    expect(() => readTarget(`/v1/use/${selector}/v1`)).toThrow(badRequest);
  });

  it('another prefix, and what is too long', () => {
    expect(() => readTarget(`/v1/used/${id}`)).toThrow(badRequest);
    const room = 16 * 1024 - `/v1/use/${id}`.length;
    expect(pathOf(`/${'a'.repeat(room - 1)}`)).toHaveLength(room);
    expect(() => pathOf(`/${'a'.repeat(room)}`)).toThrow(badRequest);
    expect(() => pathOf(`?${'a'.repeat(room)}`)).toThrow(badRequest);
  });

  it('and nothing that was sent is repeated', () => {
    for (const rest of [
      '/%00marker',
      '//marker',
      '/marker@x',
      '/%zmarker',
      '/marker%2f',
      '/marker\\',
      '/marker#',
      '/é-marker',
      '.marker/',
    ]) {
      try {
        readTarget(`/v1/use/${id}${rest}`);
        expect.unreachable(rest);
      } catch (error) {
        expect(error).toBeInstanceOf(DomainError);
        expect(JSON.stringify((error as DomainError).details)).not.toMatch(/marker|4c07/);
      }
    }
  });
});

describe('the paths of a destination are prefixes of whole segments', () => {
  const isAllowed = (path: string, ...paths: string[]) => {
    try {
      requireAllowedPath(pathOf(path), { paths });
      return true;
    } catch (error) {
      expect(error).toMatchObject({
        code: 'UNPROCESSABLE_ENTITY',
        details: { errors: [{ field: 'path', loc: ['path'], type: 'path_not_allowed' }] },
      });
      return false;
    }
  };

  it.each(['/v1', '/v1/', '/v1/models', '/%76%31/models', '/v1//x', '/v1/.x'])('/v1 allows %s', (path) => {
    expect(isAllowed(path, '/v1')).toBe(true);
    expect(isAllowed(path, '/other', '/v1/')).toBe(true);
  });

  it.each([
    '/',
    '/v1x',
    '/v1;x',
    '/v1;x/models',
    '/v1%3B/models',
    '/v1.',
    '/V1/models',
    '/v',
    '/v2',
    '/x/v1',
    '/v1%20',
    '/v11/v1',
  ])('/v1 does not allow %s', (path) => {
    expect(isAllowed(path, '/v1')).toBe(false);
    expect(isAllowed(path, '/other', '/v1/')).toBe(false);
  });

  it('/ allows every path, as no paths do; an empty list allows none', () => {
    for (const path of ['/', '/v1', '/a//b']) expect(isAllowed(path, '/')).toBe(true);
    for (const path of ['/', '/v1', '/a//b']) expect(() => requireAllowedPath(path, { paths: null })).not.toThrow();
    expect(isAllowed('/')).toBe(false);
  });

  it('encoded characters are compared in their one form', () => {
    expect(isAllowed('/caf%c3%a9/x', '/caf%C3%A9')).toBe(true);
    expect(isAllowed('/a%3ab', '/a:b')).toBe(false);
  });
});
