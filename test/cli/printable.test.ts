import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../../src/cli/printable.ts';

describe('text for a terminal', () => {
  it.each([
    ['a kid', 'kek-0123456789ab', 'kek-0123456789ab'],
    ['an id', '4c07bc67-57ea-42dd-b702-c2d6c45419fc', '4c07bc67-57ea-42dd-b702-c2d6c45419fc'],
    ['text in any language', 'Ωμέγα 数 é "a/b\\c"', 'Ωμέγα 数 é "a/b\\c"'],
    ['an escape sequence', '\u001b[2Jk\u001b]0;title\u0007', '\\u{1b}[2Jk\\u{1b}]0;title\\u{7}'],
    ['an escape sequence of one character', 'k\u009b2J', 'k\\u{9b}2J'],
    ['lines and tabs', 'a\nb\r\tc\u2028d\u2029', 'a\\u{a}b\\u{d}\\u{9}c\\u{2028}d\\u{2029}'],
    ['text from right to left', '\u202ea\u2066b\u200f', '\\u{202e}a\\u{2066}b\\u{200f}'],
    [
      'what cannot be seen',
      'a\u200bb\ufeffc\u00a0d\u3164e\u{e0041}',
      'a\\u{200b}b\\u{feff}c\\u{a0}d\\u{3164}e\\u{e0041}',
    ],
    ['half a character', 'a\ud800b', 'a\\u{d800}b'],
  ])('%s', (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('has no character, whatever it is, that a terminal acts on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = printable(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(printable(shown)).toBe(shown);
      }),
      { numRuns: 2000 },
    );
  });
});
