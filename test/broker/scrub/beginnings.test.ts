import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Beginnings } from '../../../src/broker/scrub/beginnings.ts';
import { windowBytesOf } from '../../../src/broker/scrub/find-forms.ts';
import { formsOf } from '../../../src/broker/scrub/value-forms.ts';

const valueWithBytes = (unit: fc.Arbitrary<string>) => fc.string({ unit, minLength: 8, maxLength: 24 });
const values = fc.oneof(
  valueWithBytes(fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))),
  valueWithBytes(fc.constantFrom(...'ab/')),
  valueWithBytes(fc.constantFrom(...'"\'<>&+/\\%= ')),
  // Of two to four bytes, too: the window may end within one.
  valueWithBytes(fc.constantFrom(...'aé€𝄞')),
);
const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)) });

/** The first bytes of a form, whole or not, or changed in one place; and something before it. */
const withTexts = (value: string, windows: readonly string[]) =>
  fc.record({
    value: fc.constant(value),
    windows: fc.constant(windows),
    text: fc
      .record({
        before: latin1,
        window: fc.constantFrom(...windows),
        length: fc.nat(17),
        after: latin1,
        at: fc.nat(40),
      })
      .chain(({ before, window, length, after, at }) => {
        const text = before + window.slice(0, length) + (length < window.length ? '' : after);
        const changed = `${text.slice(0, at)}x${text.slice(at + 1)}`;
        return fc.constantFrom(text, changed);
      }),
  });

const begins = (text: string, windows: readonly string[]) =>
  Array.from(text, (_, at) => text.slice(at)).some((rest) =>
    windows.some((window) => rest.startsWith(window) || window.startsWith(rest)),
  );

describe('what may be the beginning of a value', () => {
  it.each([false, true])(
    'is never taken for other text, in whatever form it is written (in lower case: %s)',
    (lower) => {
      const windowsOf = (value: string) => {
        const forms = formsOf(value).map((form) => (lower ? form.lowerCase() : form));
        return [...new Set(forms.map((form) => form.first(windowBytesOf(Buffer.byteLength(value)))))];
      };
      const cases = values.chain((value) => withTexts(value, windowsOf(value)));
      fc.assert(
        fc.property(cases, ({ value, windows, text }) => {
          const sent = lower ? text.toLowerCase() : text;
          fc.pre(begins(sent, windows));
          const beginnings = new Beginnings(value, windowBytesOf(Buffer.byteLength(value)), lower);
          expect(beginnings.mayBeIn(sent)).toBe(true);
        }),
        { numRuns: 3000 },
      );
    },
  );

  it('is known where its first bytes end within a character', () => {
    const value = `${'a'.repeat(15)}\u{1d11e}`;
    const window = Buffer.from(value).subarray(0, 16).toString('latin1');
    expect(new Beginnings(value, 16).mayBeIn(window)).toBe(true);
  });

  it.each([
    ['JSON with escapes', '{"text":"a \\"sketch\\" of 20% \\u003cb\\u003e \\\\ and so on"}\n'],
    ['an event', 'data: {"choices":[{"delta":{"content":"sk"}}]}\n\n'],
    ['a page', '<p>Ben &amp; co&#39;s task-list &#x2F; 100%25</p>'],
    ['base64 of something else', 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='],
  ])('is not seen in %s', (_, text) => {
    const value = 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyz';
    expect(new Beginnings(value, windowBytesOf(value.length)).mayBeIn(text)).toBe(false);
  });
});
