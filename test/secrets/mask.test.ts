import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mask } from '../../src/secrets/mask.ts';

const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }).filter((text) => !text.includes('•'));

describe('a mask', () => {
  it('shows the first 6 and the last 3 characters of a long value', () => {
    expect(mask('sk-proj-0123456789abcdefghijklmnopqrstuvwxyz123456789')).toBe('sk-pro••••789');
  });

  it('shows nothing of a value under 16 characters', () => {
    for (const length of [1, 8, 15]) expect(mask('x'.repeat(length))).toBe('••••');
  });

  it('shows a quarter of a value of 16 characters or more, at most 9 characters', () => {
    expect(mask('abcdefghijklmnop')).toBe('abc••••p');
    expect(mask('abcdefghijklmnopqrstuvwx')).toBe('abcd••••wx');
    expect(mask('abcdefghijklmnopqrstuvwxyz012345678')).toBe('abcdef••••78');
    expect(mask('abcdefghijklmnopqrstuvwxyz0123456789')).toBe('abcdef••••789');
  });

  it('shows at most a quarter of the characters, at most 6 and 3 of them, from the two ends, unchanged', () => {
    fc.assert(
      fc.property(value, (text) => {
        const characters = [...text];
        const [first = '', last = ''] = mask(text).split('••••');
        const shown = [...first].length + [...last].length;
        expect(shown).toBeLessThanOrEqual(characters.length < 16 ? 0 : characters.length / 4);
        expect([...first].length).toBeLessThanOrEqual(6);
        expect([...last].length).toBeLessThanOrEqual(3);
        expect(text.startsWith(first) && text.endsWith(last)).toBe(true);
      }),
    );
  });

  it('has four bullets whatever the length, so that two long values of one prefix and ending look the same', () => {
    fc.assert(
      fc.property(value, (text) => {
        expect(mask(text).match(/•/g)).toHaveLength(4);
      }),
    );
    expect(mask(`abcdef${'-'.repeat(50)}xyz`)).toBe(mask(`abcdef${'-'.repeat(5000)}xyz`));
  });

  it('never cuts a character in two', () => {
    expect(mask('🔐'.repeat(40))).toBe('🔐🔐🔐🔐🔐🔐••••🔐🔐🔐');
  });
});
