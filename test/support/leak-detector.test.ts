import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragmentBytes, LeakDetector } from './leak-detector.ts';

// An escape right after a lone backslash loses its first character, so a marker is a little longer than a fragment.
const marker = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 16, maxLength: 60 }),
  fc.string({ unit: 'binary-ascii', minLength: 16, maxLength: 60 }),
  fc.base64String({ minLength: 16, maxLength: 60 }),
  fc.bigInt({ min: 10n ** 16n }).map(String),
);

const surroundings = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.base64String({ maxLength: 200 }),
  fc.json({ maxDepth: 2 }),
  fc.constantFrom('', '\\', '%', '=', 'a', 'ab', 'abc'),
);

const everyUnit = (text: string, write: (unit: string) => string) =>
  Array.from({ length: text.length }, (_, at) => write(text.charCodeAt(at).toString(16).padStart(4, '0'))).join('');
const everyByte = (text: string, write: (byte: string) => string) =>
  [...Buffer.from(text)].map((byte) => write(byte.toString(16).padStart(2, '0'))).join('');
const bytes = (text: string, prefix: number) =>
  Buffer.concat([randomBytes(prefix), Buffer.from(text), randomBytes(prefix)]);

const encodings: Record<string, (text: string) => string | Uint8Array> = {
  'as it is': (text) => text,
  'as bytes among bytes': (text) => bytes(text, 5),
  'in upper case': (text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
  'as a JSON string': (text) => JSON.stringify(text),
  'as a JSON string in a JSON string': (text) => JSON.stringify(JSON.stringify({ text })),
  'with every character as \\u0000': (text) => everyUnit(text, (hex) => `\\u${hex}`),
  'with every character as \\u{0}': (text) => [...text].map((c) => `\\u{${c.codePointAt(0)?.toString(16)}}`).join(''),
  'with every byte as \\x00': (text) => everyByte(text, (hex) => `\\x${hex}`),
  'percent-encoded': (text) => encodeURIComponent(text),
  'percent-encoded twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'with every byte percent-encoded': (text) => everyByte(text, (hex) => `%${hex.toUpperCase()}`),
  'as hex': (text) => bytes(text, 0).toString('hex'),
  'as hex in upper case': (text) => bytes(text, 3).toString('hex').toUpperCase(),
  'as hex after half a byte': (text) => `a${bytes(text, 0).toString('hex')}`,
  'as base64, aligned': (text) => bytes(text, 0).toString('base64'),
  'as base64, one byte in': (text) => bytes(text, 1).toString('base64'),
  'as base64, two bytes in': (text) => bytes(text, 2).toString('base64'),
  'as base64url': (text) => bytes(text, 7).toString('base64url'),
  'as base64 in JSON that escapes its slashes': (text) => bytes(text, 1).toString('base64').replaceAll('/', '\\/'),
  'as base64 in a URL': (text) => encodeURIComponent(bytes(text, 2).toString('base64')),
};

describe('the leak detector', () => {
  it.each(Object.entries(encodings))('finds any marker %s, in any surrounding text', (_name, encode) => {
    fc.assert(
      fc.property(marker, surroundings, surroundings, (text, before, after) => {
        const well = text.toWellFormed();
        const encoded = encode(well);
        const haystack = Buffer.concat([before, encoded, after].map((part) => Buffer.from(part as string)));
        expect(new LeakDetector([well]).find(haystack)).toContain(well);
      }),
      { numRuns: 200 },
    );
  });

  it('finds any part of a marker that has at least the length of a fragment', () => {
    const secret = randomBytes(20).toString('hex');
    const detector = new LeakDetector([secret]);
    for (let at = 0; at + fragmentBytes <= secret.length; at += 1) {
      const part = secret.slice(at, at + fragmentBytes);
      expect(detector.find(`Unexpected token, ..."${part}"... is not valid JSON`)).toContain(secret);
      expect(detector.find(Buffer.from(`.${part}.`).toString('base64'))).toContain(secret);
      expect(detector.find(`"${part.slice(1)}"`)).not.toContain(secret);
    }
  });

  it('finds bytes, and the text of them in hex and base64', () => {
    const key = randomBytes(32);
    const detector = new LeakDetector([key]);
    expect(detector.find(Buffer.concat([randomBytes(7), key, randomBytes(7)]))).toEqual(new Set([key]));
    expect(detector.find(randomBytes(64))).toEqual(new Set());
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(detector.find(`{"d":"${key.toString(encoding)}"}`)).toEqual(new Set([key]));
    }
  });

  it('reports which of many markers it found', () => {
    const markers = Array.from({ length: 100 }, () => randomBytes(16).toString('hex'));
    const [first = '', second = ''] = markers;
    expect(new LeakDetector(markers).find(`${first}, ${btoa(second)}`)).toEqual(new Set([first, second]));
  });

  it('finds nothing in text or bytes without the marker', () => {
    const detector = new LeakDetector([
      randomBytes(16).toString('hex'),
      `sk-CANARY-${randomBytes(16).toString('base64url')}`,
    ]);
    fc.assert(
      fc.property(
        fc.oneof(surroundings, fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 500 })),
        (haystack) => {
          expect(detector.find(haystack)).toEqual(new Set());
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('refuses a marker so short that it could occur by chance', () => {
    expect(() => new LeakDetector(['a'.repeat(fragmentBytes - 1)])).toThrow(/at least/);
  });
});
