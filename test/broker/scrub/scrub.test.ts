import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scrubber } from '../../../src/broker/scrub/scrub.ts';
import { formsOf } from '../../../src/broker/scrub/value-forms.ts';
import { knownPiece } from '../../support/known-piece.ts';
import { masked, placesOf, writtenValues } from '../../support/written-values.ts';

const key = 'sk-proj-4f/7+Qx<9&k="Zt\'';

/** What comes out of the pushes, one each, and at the end. */
function pushed(scrubber: Scrubber, chunks: readonly string[]): string[] {
  const out = chunks.map((chunk) => scrubber.push(Buffer.from(chunk, 'latin1')).toString('latin1'));
  return [...out, scrubber.end().toString('latin1')];
}

const scrubbed = (value: string, chunks: readonly string[]) => pushed(new Scrubber(value), chunks).join('');
const lookedFor = (value: string) => formsOf(value).map((form) => form.first(Number.POSITIVE_INFINITY));

const visible = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const withLength = (unit: fc.Arbitrary<string>) => fc.string({ unit, minLength: 8, maxLength: 40 });
const among = (characters: string) => fc.constantFrom(...characters);
/** With many repetitions, and with much that has to be escaped, too. */
const values = fc.oneof(
  withLength(fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))),
  withLength(among('ab')),
  withLength(among('a/')),
  withLength(among('"\'<>&+/\\%= ')),
  withLength(among('0123456789abcdef')),
  fc.base64String({ minLength: 8, maxLength: 44 }),
);

/** The text in pieces of any lengths. */
const inPieces = (text: string) =>
  fc.array(fc.nat(text.length), { maxLength: 12 }).map((cuts) => {
    const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
    return at.slice(1).map((end, index) => text.slice(at[index], end));
  });

/** Texts in which forms, beginnings of them and other text follow on each other. */
const answersWith = (forms: readonly string[]) =>
  fc
    .array(
      fc.oneof(
        visible,
        fc.constantFrom(...forms),
        fc.tuple(fc.constantFrom(...forms), fc.nat(300)).map(([form, length]) => form.slice(0, length)),
        fc.tuple(fc.constantFrom(...forms), fc.nat(300)).map(([form, start]) => form.slice(start)),
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join(''));

const withAnswer = (value: string, forms: readonly string[]) =>
  answersWith(forms)
    .chain(inPieces)
    .map((chunks) => ({ value, forms, chunks }));

describe('the value in an answer', () => {
  it('is replaced in every form, whatever stands around it and wherever chunks end', () => {
    const cases = values.chain((value) => withAnswer(value, writtenValues(value)));
    fc.assert(
      fc.property(cases, ({ value, forms, chunks }) => {
        const out = scrubbed(value, chunks);
        // Asterisks of one place may stand beside what makes them the form of another value only: `********`.
        expect(placesOf(forms, out).filter(({ start, end }) => /[^*]/.test(out.slice(start, end)))).toEqual([]);
        expect(out).toHaveLength(chunks.join('').length);
      }),
      { numRuns: 1500 },
    );
  });

  it('is all that is replaced', () => {
    const cases = values.chain((value) => withAnswer(value, lookedFor(value)));
    fc.assert(
      fc.property(cases, ({ value, forms, chunks }) => {
        expect(scrubbed(value, chunks)).toBe(masked(forms, chunks.join('')));
      }),
      { numRuns: 1500 },
    );
  });

  it('is held back only where a chunk ends with the beginning of a form', () => {
    const cases = values.chain((value) => withAnswer(value, lookedFor(value)));
    fc.assert(
      fc.property(cases, ({ value, forms, chunks }) => {
        const scrubber = new Scrubber(value);
        let [read, given] = ['', 0];
        for (const chunk of chunks) {
          read += chunk;
          given += scrubber.push(Buffer.from(chunk, 'latin1')).length;
          expect(read.length - given).toBe(longestBeginning(forms, read));
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each(writtenValues(key).map((form) => [form]))('is found as %s', (form) => {
    const around = `{"text":"${form}"}`;
    expect(scrubbed(key, [around])).toBe(`{"text":"${'*'.repeat(form.length)}"}`);
    expect(scrubbed(key, [...around])).toBe(`{"text":"${'*'.repeat(form.length)}"}`);
    expect(new Scrubber(key).text(`a ${form} b`)).toBe(`a ${'*'.repeat(form.length)} b`);
  });

  it('is found in a name of a header in any case', () => {
    const name = `X-${Buffer.from('sk-proj-4f7Qx9kZt').toString('hex')}-Y`;
    const scrubber = new Scrubber('sk-proj-4f7Qx9kZt');
    for (const each of [name, name.toUpperCase(), 'x-SK-PROJ-4F7QX9KZT']) expect(scrubber.isInName(each)).toBe(true);
    for (const each of ['content-type', 'x-sk-proj-4f7qx9kz']) expect(scrubber.isInName(each)).toBe(false);
  });

  it('does not hold back an event of a stream', () => {
    const event = 'data: {"choices":[{"delta":{"content":"sk"}}]}\n\n';
    expect(pushed(new Scrubber(key), [event, event])).toEqual([event, event, '']);
  });

  it('leaves the chunks of others as they are', () => {
    const chunk = Buffer.from(`before ${key} after ${key.slice(0, 9)}`);
    const before = Buffer.from(chunk);
    new Scrubber(key).push(chunk);
    expect(chunk.equals(before)).toBe(true);
  });

  it('is no shorter than a text that stands everywhere', () => {
    expect(() => new Scrubber('1234567')).toThrow('too short');
  });
});

describe('the naive search', () => {
  it('finds each form where nothing was scrubbed', () => {
    for (const form of writtenValues(key))
      expect(placesOf([form], `a${form}b`)).toEqual([{ start: 1, end: 1 + form.length }]);
  });

  it('tells what software really writes', () => {
    expect(writtenValues('a/b&c d+e')).toEqual(
      expect.arrayContaining([
        'a\\/b&c d+e',
        'a/b\\u0026c d+e',
        'a%2Fb%26c%20d%2Be',
        'a%2fb%26c+d%2be',
        'a/b&amp;c d+e',
        'YS9iJmMgZCtl',
      ]),
    );
  });
});

function longestBeginning(forms: readonly string[], text: string): number {
  let longest = 0;
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length > longest; length -= 1) {
      if (text.endsWith(form.slice(0, length))) longest = length;
    }
  }
  return longest;
}

const chunkBytes = 64 * 1024;
/** Half of 50 ms on the reference machine: the chunk costs time elsewhere, too. */
const mostPieces = 12;

/** The best of three: a collection of garbage may fall into one. */
function cost(work: () => void): number {
  const takes = [1, 2, 3].map(() => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  });
  return Math.min(...takes);
}

let known: number | undefined;

/** The CPU time of the work, in known pieces. */
function pieces(work: () => void): number {
  // The clock of a thread moves in steps of some milliseconds.
  const many = 50;
  known ??= cost(() => {
    for (let round = 0; round < many; round += 1) knownPiece();
  });
  return (many * cost(work)) / known;
}

/** Values and answers that make a search go back. */
const attacks: [string, string, string][] = [
  ['a repetition that ends otherwise', `${'a'.repeat(8191)}b`, 'a'],
  ['a repetition whose ends are escaped in many ways', `${'a'.repeat(8160)}"'<>&+/\\\`= !`, 'a'],
  ['a repetition of two', `${'ab'.repeat(4095)}/`, 'ab'],
  ['a repetition that is escaped', `${'/'.repeat(8191)}a`, '\\/'],
  ['a repetition in percent signs', `${'a'.repeat(8191)}b`, '%61'],
  ['a repetition in base64', `${'a'.repeat(8190)}/?`, 'YWFh'],
  ['the shortest value', 'aaaaaaab', 'a'],
  ['the first bytes again and again', `${'a'.repeat(15)}b${'c'.repeat(8000)}`, 'aaaaaaaaaaaaaaab'],
  ['a value of which every character is escaped in many ways', `${'a'.repeat(16)}${'"\'<>&+/`=\\ '.repeat(700)}`, 'a'],
  ['all of it', 'a'.repeat(8192), 'a'],
];

describe('a chunk of 64 KiB', () => {
  it.each(attacks)('takes no longer than others for %s', (_, value, unit) => {
    const chunk = Buffer.alloc(chunkBytes, unit);
    const scrubber = new Scrubber(value);
    expect(pieces(() => scrubber.push(chunk))).toBeLessThan(mostPieces);
  });

  it.each(attacks)('takes no longer in a header, or in small chunks: %s', (_, value, unit) => {
    const text = unit.repeat(chunkBytes / unit.length / 4);
    expect(pieces(() => new Scrubber(value).text(text))).toBeLessThan(mostPieces);
    const bytes = Buffer.from(text, 'latin1');
    const scrubber = new Scrubber(value);
    const byByte = () => {
      for (let at = 0; at < 4096; at += 1) scrubber.push(bytes.subarray(at, at + 1));
    };
    // 4,096 chunks, of which each takes some microseconds by itself.
    expect(pieces(byByte)).toBeLessThan(3 * mostPieces);
  });

  it('would take longer with a search that begins again after each place', () => {
    const [value, chunk] = [Buffer.from(`${'a'.repeat(8191)}b`), Buffer.alloc(chunkBytes, 'a')];
    const search = () => {
      for (let start = 0; start + value.length <= chunk.length; start += 1) {
        let length = 0;
        while (length < value.length && value[length] === chunk[start + length]) length += 1;
      }
    };
    expect(pieces(search)).toBeGreaterThan(mostPieces);
  });
});
