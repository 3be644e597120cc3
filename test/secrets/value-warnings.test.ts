import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { warningsOf } from '../../src/secrets/value-warnings.ts';

const warnings = (value: string) => warningsOf({ field: 'value', value });
const typesOf = (value: string) => warnings(value).map(({ type }) => type);

describe('a value is told to look pasted by mistake', () => {
  it.each<[string, string[]]>([
    ['sk-1234\n', ['trailing_newline']],
    ['sk-1234\r\n', ['trailing_newline']],
    ['one\ntwo\n', ['trailing_newline']],
    [' sk-1234', ['surrounding_space']],
    ['sk-1234\t', ['surrounding_space']],
    ['"sk-1234"', ['quotes']],
    ["'sk-1234'", ['quotes']],
    ['`sk-1234`', ['quotes']],
    ['“sk-1234”', ['quotes']],
    ['„sk-1234“', ['quotes']],
    ['"sk-1234",', ['quotes']],
    ['Bearer sk-1234', ['authentication_scheme']],
    ['bearer  sk-1234', ['authentication_scheme']],
    ['Basic dXNlcjpwYXNz', ['authentication_scheme']],
    ['Token sk-1234', ['authentication_scheme']],
    ['Authorization: Bearer sk-1234', ['header', 'authentication_scheme']],
    ['-H "Authorization: Bearer sk-1234"', ['header']],
    ['x-api-key: sk-1234', ['header']],
    ['OPENAI_API_KEY=sk-1234', ['assignment']],
    ['OPENAI_API_KEY: sk-1234', ['assignment']],
    ['export OPENAI_API_KEY=sk-1234', ['assignment']],
    ['set token=sk-1234', ['assignment']],
    ['$env:OPENAI_API_KEY = "sk-1234"', ['quotes', 'assignment']],
    ['"api_key": "sk-1234",', ['quotes', 'assignment']],
    ['export OPENAI_API_KEY="sk-1234"\n', ['trailing_newline', 'quotes', 'assignment']],
    ['\uFEFFsk-1234', ['surrounding_space', 'invisible_characters']],
    ['sk-\u200B1234', ['invisible_characters']],
    ['sk-\u001b[0m1234', ['invisible_characters']],
    [`\${OPENAI_API_KEY}`, ['placeholder']],
    ['<your key>', ['placeholder']],
    ['your-api-key-here', ['placeholder']],
    ['sec_a23f23d26', ['placeholder']],
    ['sk-pro••••789', ['mask']],
  ])('%j', (value, types) => {
    expect(typesOf(value)).toEqual(types);
    for (const { field, message } of warnings(value)) {
      expect(field).toBe('value');
      expect(message).toMatch(/^The value .*\. It was kept as it was sent\./);
      expect(message).not.toContain('1234');
    }
  });
});

describe('a value is told nothing about', () => {
  it.each([
    'sk-proj-0123456789abcdef',
    'QUJDRA==',
    'abc=',
    'AccountName=store;AccountKey=QUJDRA==',
    'Server=db;Password=hunter2',
    'postgres://ada:hunter2@db/app',
    '{"type":"service_account"}',
    'line one\nline two',
    'a real pass phrase',
    'Token of my affection',
    'ssh-ed25519 AAAAC3Nza ada@example.com',
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n',
    '"one" and "two"',
    'correct•horse',
  ])('%j', (value) => {
    expect(typesOf(value)).toEqual([]);
  });
});

it('each layer around a value is told, in whatever order they were pasted', () => {
  const layer = fc.constantFrom<[string, (text: string) => string]>(
    ['trailing_newline', (text) => `${text}\n`],
    ['quotes', (text) => (text.includes('"') ? `'${text}'` : `"${text}"`)],
    ['assignment', (text) => `API_KEY=${text}`],
    ['header', (text) => `Authorization: ${text}`],
  );
  fc.assert(
    fc.property(fc.uniqueArray(layer, { selector: ([type]) => type, maxLength: 4 }), (around) => {
      const value = around.reduce((text, [, put]) => put(text), 'sk-1234');
      expect(new Set(typesOf(value))).toEqual(new Set(around.map(([type]) => type)));
    }),
  );
});

it('is found in time that is linear in the value, whatever it is made of', () => {
  // Quadratic time would be over an hour for one of them.
  for (const part of ['\n', ' ', '"', 'A=', 'export ', '-----BEGIN A KEY-----', '-----END A KEY-----', '\\"', '<']) {
    const value = part.repeat(Math.floor(65_536 / part.length));
    expect(warnings(`${value}x`).length).toBeLessThan(5);
    expect(warnings(`x${value}`).length).toBeLessThan(5);
  }
});
