import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlType, isJson, jsonType, preferredType, prefersHtml } from '../../src/http/media-type.ts';

const graphqlType = 'application/graphql-response+json';
const types = [graphqlType, jsonType] as const;

describe('of the types that can be sent, an Accept header prefers', () => {
  it.each<[string, string | null]>([
    ['*/*', graphqlType],
    ['application/*', graphqlType],
    ['text/html, */*;q=0.1', graphqlType],
    [jsonType, jsonType],
    [`${jsonType}, ${graphqlType}`, jsonType],
    [`${graphqlType}, ${jsonType}`, graphqlType],
    [`${jsonType};q=0.5, ${graphqlType};q=0.6`, graphqlType],
    [`${jsonType};q=0.5, */*`, graphqlType],
    [`*/*, ${jsonType}`, jsonType],
    [`${graphqlType};q=0, */*`, jsonType],
    [`${graphqlType};q=0, application/*;q=0.5`, jsonType],
    ['application/*;q=0.2, */*;q=0.9', graphqlType],
    [`application/*;q=0, ${jsonType}`, jsonType],
    ['APPLICATION/JSON;Q=0.3', jsonType],
    [` ${jsonType} ; q = 0.5 , ${graphqlType};q=0.6`, graphqlType],
    [`${jsonType};q=no, ${graphqlType};q=0.1`, graphqlType],
    [`${jsonType}; charset=utf-8`, jsonType],
    [`${jsonType}; charset="UTF-8"`, jsonType],
    [`${jsonType}; charset=iso-8859-1, ${graphqlType};q=0.1`, graphqlType],
    [`text/html,,;q=1,${jsonType}`, jsonType],
    ['', null],
    [',', null],
    ['text/html', null],
    ['text/*', null],
    ['json', null],
    [`${jsonType}x`, null],
    [`${jsonType};q=0`, null],
    [`${jsonType};q=no`, null],
    ['*/*;q=0', null],
    ['application/*;q=0, */*', null],
    [`${jsonType}; charset=utf-16`, null],
  ])('%j: %s', (accept, preferred) => {
    expect(preferredType(accept, types)).toBe(preferred);
  });

  it('one of them or none, for any header', () => {
    const accept = fc.oneof(fc.string(), fc.array(fc.constantFrom(...types, '*/*', ';q=0', ';q=.5', ',', '=', ' ')));
    fc.assert(
      fc.property(accept, (header) => {
        expect([...types, null]).toContain(preferredType(String(header), types));
      }),
    );
  });

  it('none that the header excludes by name', () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.string(), (refused, more) => {
        expect(preferredType(`${refused};q=0, ${more.replaceAll(refused, '')}`, types)).not.toBe(refused);
      }),
    );
  });
});

describe('a browser navigates with', () => {
  it.each([
    htmlType,
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    `text/html, ${jsonType};q=0.9`,
  ])('%s', (accept) => expect(prefersHtml(accept, types)).toBe(true));
});

describe('a client asks for data with', () => {
  it.each([
    undefined,
    '',
    '*/*',
    'text/*',
    jsonType,
    `${jsonType}, text/html`,
    `text/html;q=0.5, ${jsonType}`,
    'text/html, */*',
    'text/html;q=0',
    'text/html;charset=utf-16',
  ])('%s', (accept) => expect(prefersHtml(accept, types)).toBe(false));
});

describe('a Content-Type is JSON in UTF-8:', () => {
  it.each([
    jsonType,
    'APPLICATION/JSON',
    ' application/json ',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; charset=utf8',
    'application/json; profile=x',
    'application/json;',
  ])('%j', (type) => expect(isJson(type)).toBe(true));
});

describe('a Content-Type is not JSON in UTF-8:', () => {
  it.each([
    undefined,
    '',
    'text/plain',
    'application/graphql',
    'application/json5',
    'application/json+x',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=application/json',
    'text/plain; application/json',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
  ])('%j', (type) => expect(isJson(type)).toBe(false));
});
