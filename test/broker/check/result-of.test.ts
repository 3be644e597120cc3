import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { needsBody, resultOf } from '../../../src/broker/check/result-of.ts';
import { providers } from '../../../src/broker/providers/providers.ts';
import type { BodyRule, ProviderCheck } from '../../../src/model/provider-check.ts';
import { type CheckResult, checkResults } from '../../../src/model/secret-health.ts';

type Results = ProviderCheck['results'];

const key = 'a-key-0123';
const statuses = fc.integer({ min: 100, max: 599 });
const result = fc.constantFrom(...checkResults);
const names = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString', 'length', '0', '', '~', '/', '*', 'ü');
const escaped = names.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1'));
const pointer = fc
  .array(escaped, { maxLength: 6 })
  .map((segments) => segments.map((segment) => `/${segment}`).join(''));
const scalar = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constantFrom('invalid', 1e308, -0, 2 ** 53));
const rule: fc.Arbitrary<BodyRule> = fc.record(
  { at: pointer, is: fc.array(scalar, { minLength: 1, maxLength: 4 }), result },
  { requiredKeys: ['at', 'result'] },
);
const results: fc.Arbitrary<Results> = fc.dictionary(
  statuses.map(String),
  fc.oneof(result, fc.array(rule, { minLength: 1, maxLength: 5 })),
  { maxKeys: 6 },
);
const body = fc.oneof(
  fc.json(),
  fc.string(),
  fc.constant(null),
  fc.object({ key: names, maxDepth: 6, values: [scalar] }).map((value) => JSON.stringify(value)),
  fc.constantFrom('{"a":1,"__proto__":{"b":2}}', '[1e999]', '"x"', 'null', '', '{"a":', '\uFEFF{}', '<html></html>'),
);

const ofStatus = (status: number, own: Results = {}, text: string | null = null) =>
  resultOf({ status, body: text, key }, { results: own });
const byRules = (text: unknown, ...rules: BodyRule[]) => ofStatus(200, { 200: rules }, JSON.stringify(text));

describe('what the status alone says', () => {
  it.each([
    [200, 'VALID'],
    [204, 'VALID'],
    [299, 'VALID'],
    [199, 'UNSUPPORTED'],
    [301, 'UNSUPPORTED'],
    [304, 'UNSUPPORTED'],
    [400, 'UNSUPPORTED'],
    [401, 'REJECTED'],
    [402, 'UNSUPPORTED'],
    [403, 'UNSUPPORTED'],
    [404, 'UNSUPPORTED'],
    [407, 'UNSUPPORTED'],
    [429, 'RATE_LIMITED'],
    [499, 'UNSUPPORTED'],
    [500, 'UNREACHABLE'],
    [529, 'UNREACHABLE'],
    [599, 'UNREACHABLE'],
  ] as const)('%d: %s, without a rule and with rules for others', (status, said) => {
    expect(ofStatus(status)).toBe(said);
    expect(ofStatus(status, { 222: 'REJECTED', 444: [{ at: '', result: 'REJECTED' }] }, '{}')).toBe(said);
    expect(needsBody(status, { results: { 444: [{ at: '', result: 'VALID' }] } })).toBe(false);
  });

  it('is replaced by what a row says', () => {
    for (const said of checkResults) expect(ofStatus(403, { 403: said })).toBe(said);
    expect(ofStatus(401, { 401: 'UNSUPPORTED' })).toBe('UNSUPPORTED');
  });
});

describe('an outage or a rate limit', () => {
  it('is never a rejection, whatever the row and the body', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(429), fc.integer({ min: 500, max: 599 })),
        results,
        result,
        rule,
        body,
        (status, own, said, one, text) => {
          for (const rules of [own, { ...own, [status]: said }, { ...own, [status]: [{ ...one, result: said }] }])
            expect(ofStatus(status, rules, text)).not.toBe('REJECTED');
          const rejecting: Results = { [status]: 'REJECTED' };
          expect(ofStatus(status, rejecting)).toBe(status === 429 ? 'RATE_LIMITED' : 'UNREACHABLE');
        },
      ),
    );
  });
});

describe('what a body says', () => {
  it('is one of the five words for every status, row and body, and nothing is thrown', () => {
    fc.assert(
      fc.property(statuses, results, body, fc.string(), (status, own, text, value) => {
        expect(checkResults).toContain(resultOf({ status, body: text, key: value }, { results: own }));
      }),
      { numRuns: 1000 },
    );
  });

  it('is nothing where no rule holds: then the status counts for nothing, too', () => {
    const rules: Results = {
      200: [{ at: '/ok', is: [true], result: 'VALID' }],
      401: [{ at: '/x', result: 'REJECTED' }],
    };
    for (const text of [
      null,
      '',
      '<html></html>',
      '{"ok":false}',
      '{"ok":"true"}',
      '{"ok":1}',
      '[]',
      'null',
      '{"ok":tru',
    ])
      for (const status of [200, 401]) expect(ofStatus(status, rules, text)).toBe('UNSUPPORTED');
    expect(ofStatus(200, rules, '{"ok":true}')).toBe('VALID');
    expect(ofStatus(200, rules, ' \n{ "ok" : true } ')).toBe('VALID');
  });

  it('is what the first rule says that holds', () => {
    const first: BodyRule = { at: '/a', is: ['x', 1, false], result: 'REJECTED' };
    const second: BodyRule = { at: '/a', result: 'VALID' };
    for (const a of ['x', 1, false]) expect(byRules({ a }, first, second)).toBe('REJECTED');
    for (const a of ['X', '1', 0, true, null, {}, [], 'x ']) expect(byRules({ a }, first, second)).toBe('VALID');
    expect(byRules({ b: 'x' }, first, second)).toBe('UNSUPPORTED');
  });

  it('is found by pointers as RFC 6901 has them', () => {
    const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'g|h': 4, ' ': 7, 'm~n': 8, '~1': 9 };
    const found: [string, string | number][] = [
      ...([
        ['/foo/0', 'bar'],
        ['/', 0],
        ['/a~1b', 1],
        ['/c%d', 2],
        ['/e^f', 3],
        ['/g|h', 4],
      ] as const),
      ...([
        ['/ ', 7],
        ['/m~0n', 8],
        ['/~01', 9],
        ['/foo/*', 'baz'],
      ] as const),
    ] as [string, string | number][];
    for (const [at, value] of found) expect(byRules(document, { at, is: [value], result: 'VALID' }), at).toBe('VALID');
    for (const at of [
      '/foo/2',
      '/foo/00',
      '/foo/-',
      '/foo/length',
      '/foo/1/x',
      '/*',
      '/toString',
      '/__proto__',
      '/foo/1e0',
    ])
      expect(byRules(document, { at, result: 'VALID' }), at).toBe('UNSUPPORTED');
    for (const whole of [document, [], 0, null, 'x']) expect(byRules(whole, { at: '', result: 'VALID' })).toBe('VALID');
  });

  it('is what stands in any element of a list, for each *', () => {
    const document = { errors: [{}, { codes: [] }, 7, null, { codes: [1, 2] }, { codes: { '*': 3 } }] };
    const has = (at: string, value: number) => byRules(document, { at, is: [value], result: 'VALID' });
    expect([has('/errors/*/codes/*', 2), has('/errors/4/codes/1', 2), has('/errors/*/codes/*', 3)]).toEqual([
      'VALID',
      'VALID',
      'VALID',
    ]);
    expect([has('/errors/*/codes/*', 4), has('/errors/*', 8), has('/errors/*/*', 1)]).toEqual(
      Array<CheckResult>(3).fill('UNSUPPORTED'),
    );
  });

  it('has no members that it inherits', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])
      expect(byRules({}, { at: `/${name}`, result: 'REJECTED' })).toBe('UNSUPPORTED');
    expect(ofStatus(200, { 200: [{ at: '/__proto__/x', is: [1], result: 'VALID' }] }, '{"__proto__":{"x":1}}')).toBe(
      'VALID',
    );
    for (const status of ['constructor', 'toString']) expect(ofStatus(status as unknown as number)).not.toBe('VALID');
  });

  it('may be for keys that begin so alone', () => {
    const rules: BodyRule[] = [
      { at: '', forPrefixes: ['b_', 'a-'], result: 'REJECTED' },
      { at: '', result: 'VALID' },
    ];
    const of = (value: string) => resultOf({ status: 401, body: '{}', key: value }, { results: { 401: rules } });
    expect([of('a-key'), of('b_'), of('B_'), of('xa-'), of('')]).toEqual([
      'REJECTED',
      'REJECTED',
      'VALID',
      'VALID',
      'VALID',
    ]);
  });

  it('is looked for in the first 1,000 values that a pointer leads to, however deep, wide or long the body is', () => {
    const last = (length: number) => byRules([...Array(length).fill(0), 1], { at: '/*', is: [1], result: 'VALID' });
    expect([last(999), last(1000)]).toEqual(['VALID', 'UNSUPPORTED']);
    const depth = 32_000;
    const deep = `${'['.repeat(depth)}1${']'.repeat(depth)}`;
    const wide = `[${Array(21_000).fill('[]').join(',')}]`;
    const stars = (count: number): BodyRule[] =>
      Array(20).fill({ at: '/*'.repeat(count), is: [2], result: 'REJECTED' });
    for (const text of [deep, wide, '['.repeat(64_000), `{"a":${'9'.repeat(64_000)}}`, `"${'\\u0000'.repeat(10_000)}"`])
      for (const count of [1, 2, 20]) expect(ofStatus(200, { 200: stars(count) }, text)).toBe('UNSUPPORTED');
    const bottom: BodyRule = { at: '/*'.repeat(20), result: 'VALID' };
    expect(ofStatus(200, { 200: [bottom] }, deep)).toBe('VALID');
  });
});

it('no provider of the table rejects a key by 3xx, 429 or 5xx, and only Datadog and Sentry by 403', () => {
  const rejecting = new Map<string, number[]>();
  for (const { id, check } of providers) {
    const said = Object.entries(check?.results ?? {});
    const isRejected = (one: Results[number]) =>
      typeof one === 'string' ? one === 'REJECTED' : one.some((rule) => rule.result === 'REJECTED');
    rejecting.set(
      id,
      said.filter(([, one]) => isRejected(one)).map(([status]) => Number(status)),
    );
  }
  const by = (status: number) => [...rejecting].filter(([, all]) => all.includes(status)).map(([id]) => id);
  expect(by(403)).toEqual(['datadog', 'sentry']);
  expect([...new Set([...rejecting.values()].flat())].sort()).toEqual([200, 400, 401, 403]);
});
