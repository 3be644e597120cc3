import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOfApiKey, isApiKey, newApiKey, shownPrefixOf } from '../../src/identity/api-key.ts';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const vectors = [
  'sgk_000000000000000000000000000000000000000000049GfYP',
  'sgk_00000000000000000000000000000000000000000012jop9b',
  'sgk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp11KznMf',
  'sgk_MkJ13RwAJRQp61IewiNiGTKaJPECgYNzQPw5Q3XaWin1BPAB9',
  'sgk_PUrPCCs3Do3eNdHWUXpkwpCpgPfjVDSR9X3SOkJFFs33eug4k',
  'sgk_oNTJZ4D249oJyic2Go67bFYgz94ssxpiDco2S5VaixB3q6qE5',
  'sgk_IVBDt1D9KrwexsdG3VarT2hNEa2GMaeg4dSZ5Yxi3CA1RohDS',
  'sgk_HodX6D13VAX9X75DDasx2QGIvPmb4qO29a13ucnXB2Q2IA1mA',
  'sgk_u0XBiyX7RE7nIX5sFmynMwB8dCjqicLXNPXIokTgRRF08bb2a',
];

describe('an API key', () => {
  it('has the form and the checksum of another implementation: the frozen vectors', () => {
    // Made with Python's zlib.crc32.
    for (const key of vectors) expect(isApiKey(key)).toBe(true);
  });

  it('has 43 characters of base62 that are as random as 256 bits, and 6 of a checksum', () => {
    const keys = Array.from({ length: 2000 }, newApiKey);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(/^sgk_[0-9A-Za-z]{49}$/);
    const numbers = keys.map((key) => [...key.slice(4, 47)].reduce((n, c) => n * 62n + BigInt(digits.indexOf(c)), 0n));
    // Each of the 256 bits is set in about half of the keys: the limits are 8 standard deviations away.
    for (let bit = 0n; bit < 256n; bit += 1n) {
      const set = numbers.filter((number) => (number >> bit) & 1n).length;
      expect(Math.abs(set - 1000)).toBeLessThan(180);
    }
    expect(numbers.every((number) => number < 1n << 256n)).toBe(true);
  });

  it('is what it says, and nothing with a typing error in it is', () => {
    fc.assert(
      fc.property(fc.nat(52), fc.constantFrom(...digits), (at, other) => {
        const key = newApiKey();
        expect(isApiKey(key)).toBe(true);
        fc.pre(key[at] !== other);
        expect(isApiKey(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('is not one with two characters swapped, one left out or one more', () => {
    const key = newApiKey();
    for (let at = 4; at < key.length - 1; at += 1) {
      if (key[at] === key[at + 1]) continue;
      expect(isApiKey(key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2))).toBe(false);
    }
    for (let at = 0; at < key.length; at += 1) {
      expect(isApiKey(key.slice(0, at) + key.slice(at + 1))).toBe(false);
      expect(isApiKey(`${key.slice(0, at)}0${key.slice(at)}`)).toBe(false);
    }
    for (const text of ['', ' ', 'sgk_', ` ${key}`, `${key}\n`, key.toUpperCase(), key.replace('sgk_', 'SGK_')]) {
      expect(isApiKey(text)).toBe(false);
    }
  });

  it('is kept as its SHA-256', () => {
    const key = newApiKey();
    expect(hashOfApiKey(key)).toBe(createHash('sha256').update(key).digest('hex'));
  });

  it('shows a few characters only', () => {
    const key = newApiKey();
    expect(key.startsWith(shownPrefixOf(key))).toBe(true);
    expect(shownPrefixOf(key)).toHaveLength(9);
  });
});
