import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNames, endOfPrefix, nameConditions } from '../../src/store/filter.ts';

/** Short strings of characters at the edges: ASCII, around the surrogates, U+FFFD, and the last code points. */
const edges = [
  'a',
  'b',
  '\x7F',
  '\u07FF',
  '\uD7FF',
  '\uE000',
  '\uFFFD',
  '\uFFFF',
  '\u{10000}',
  '\u{1F600}',
  '\u{10FFFF}',
];
const text = fc.array(fc.constantFrom(...edges), { maxLength: 4 }).map((characters) => characters.join(''));

describe('the range of names that a filter selects', () => {
  it('has exactly the names with the prefix', () => {
    fc.assert(
      fc.property(text, text, (prefix, name) => {
        const end = endOfPrefix(prefix);
        const isInRange = compareNames(name, prefix) >= 0 && (end === undefined || compareNames(name, end) < 0);
        expect(isInRange).toBe(name.startsWith(prefix));
      }),
      { numRuns: 5000 },
    );
  });

  it('has at most one bound on each side, and has the names that match every part of the filter', () => {
    const meets = {
      '=': (o: number) => o === 0,
      '>': (o: number) => o > 0,
      '>=': (o: number) => o >= 0,
      '<': (o: number) => o < 0,
    };
    const optional = fc.option(text, { nil: undefined });
    fc.assert(
      fc.property(text, optional, optional, optional, (name, prefix, after, before) => {
        const position = (at: string | undefined) => (at === undefined ? undefined : { name: at, id: '' });
        const filter = prefix === undefined ? {} : { nameStartsWith: prefix };
        const conditions = nameConditions(filter, position(after), position(before));
        expect(conditions.length).toBeLessThanOrEqual(2);
        const expected =
          name.startsWith(prefix ?? '') &&
          (after === undefined || compareNames(name, after) > 0) &&
          (before === undefined || compareNames(name, before) < 0);
        expect(conditions.every(([operator, bound]) => meets[operator](compareNames(name, bound)))).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });
});
