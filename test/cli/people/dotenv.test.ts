import { parse } from 'dotenv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDotenv } from '../../../src/cli/people/dotenv-file.ts';
import { scanDotenv } from '../../../src/cli/people/dotenv-scan.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const entriesOf = async (text: string) =>
  (await parseDotenv(bytes(text), '.env')).map(({ name, value }) => [name, value]);
const refusalOf = (text: string) =>
  parseDotenv(bytes(text), '.env').then(
    () => 'accepted',
    (error: Error) => error.message,
  );

/** Pieces from which files are made: all that the readers of .env files disagree about. */
const pieces = [
  ...[
    'A',
    'B',
    'export',
    '=',
    ' ',
    '\t',
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    '#',
    ' #',
    '"',
    "'",
    '`',
    '\\',
    '\\n',
    '\\r',
    '\\"',
    ':',
  ],
  ...[
    'x',
    'é',
    '🔑',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\v',
    '$',
    '$A',
    '{B}',
    '-',
    '.',
    '1',
    '__proto__',
    'A=',
    'B="',
    "C='",
    'D=`',
  ],
];
const file = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((some) => some.join(''));

describe('a .env file', () => {
  it('that the scan accepts is read by dotenv as exactly the entries that the scan saw', () => {
    let accepted = 0;
    fc.assert(
      fc.property(file, (text) => {
        const scan = scanDotenv(text.replace(/\r\n?/g, '\n'));
        if ('faults' in scan) return;
        accepted += scan.entries.length;
        const expected = Object.fromEntries(scan.entries.map(({ name, value }) => [name, value]));
        expect({ ...parse(text) }).toEqual(expected);
      }),
      { numRuns: 50_000 },
    );
    expect(accepted).toBeGreaterThan(1000);
  });

  it('gives back the values that were written in quotes, whatever they hold', async () => {
    const value = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\0'\uFEFF]/g, '').replace(/\\$/, ''));
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 8 }), async (values) => {
        const text = values.map((one, index) => `NAME_${index}='${one}'`).join('\n');
        expect(await entriesOf(text)).toEqual(values.map((one, index) => [`NAME_${index}`, one]));
      }),
    );
  });

  it.each<[string, string, [string, string][]]>([
    [
      'comments, blank lines and exports',
      '\uFEFF# one\n\n  \nexport A=1\n B = 2 \n',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    [
      'Windows line ends',
      'A=1\r\nB="2"\r\n',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    [
      'comments behind values',
      'A=1 # one\nB="2" # two\nC= # none',
      [
        ['A', '1'],
        ['B', '2'],
        ['C', ''],
      ],
    ],
    ['a # in quotes', 'A="a#b"', [['A', 'a#b']]],
    [
      'several lines in quotes',
      'K="-----BEGIN KEY-----\nabc=\n-----END KEY-----"\nB=2',
      [
        ['K', '-----BEGIN KEY-----\nabc=\n-----END KEY-----'],
        ['B', '2'],
      ],
    ],
    [
      'newlines that are written as \\n in double quotes alone',
      `A="a\\nb"\nB='a\\nb'\nC=a\\nb`,
      [
        ['A', 'a\nb'],
        ['B', 'a\\nb'],
        ['C', 'a\\nb'],
      ],
    ],
    [
      'quotes in the middle',
      `A=it's\nB='say "hi"'`,
      [
        ['A', "it's"],
        ['B', 'say "hi"'],
      ],
    ],
    [
      'nothing that is expanded',
      'A=$HOME\nB="$(id)"',
      [
        ['A', '$HOME'],
        ['B', '$(id)'],
      ],
    ],
  ])('may have %s', async (_what, text, expected) => {
    expect(await entriesOf(text)).toEqual(expected);
  });

  const canary = 'hunter22canary';
  it.each<[string, string, string]>([
    ['a line without =', `A=1\n${canary}\n`, 'line 2: it is not NAME=value'],
    ['a name with a space', `A ${canary}=1`, 'line 1: it is not NAME=value'],
    ['a colon instead of =', `A: ${canary}`, 'line 1: it is not NAME=value'],
    ['a quote that is not closed', `A=1\nB="${canary}\nC=3`, 'line 2: the quote is not closed'],
    ['a quote that the next line closes', `A="${canary}\nB="2"`, 'line 1: there is text behind the closing quote'],
    ['text behind a quote', `A="1"${canary}`, 'line 1: there is text behind the closing quote'],
    ['an escaped quote', `A="${canary}\\"b"`, 'line 1: a quote is written with a backslash'],
    ['a doubled name', `A=1\nB=2\nA=${canary}`, 'line 3: the name is on line 1 already'],
    ['a # inside a value', `A=${canary}#b`, 'line 1: a # begins a comment'],
    ['a # right behind the =', `A=#${canary}`, 'line 1: a # begins a comment'],
    ['an invisible space at the end', `A=${canary}\u00a0`, 'line 1: there is an invisible character'],
    ['a line separator in a comment', `# a\u2028A=${canary}`, 'line 1: there is an invisible character'],
    ['a NUL', `A=${canary}\0`, 'line 1: there is a NUL character'],
    ['a value over 64 KiB', `A=${canary}${'x'.repeat(65_536)}`, 'line 1: the value is over 64 KiB'],
    ['the name __proto__', `__proto__=${canary}`, 'line 1: this name cannot be used'],
  ])('with %s is refused with the number of the line, and nothing of it', async (_what, text, told) => {
    const refusal = await refusalOf(text);
    expect(refusal).toContain(told);
    expect(refusal).not.toContain(canary);
  });

  it('names all of its bad lines at once, at most 20', async () => {
    expect((await refusalOf('one\nA=1\ntwo\n')).split('\n')).toHaveLength(3);
    const many = await refusalOf('junk\n'.repeat(25));
    expect(many.split('\n')).toHaveLength(22);
    expect(many).toContain('and 5 more');
  });

  it('that is not UTF-8 is refused', async () => {
    await expect(parseDotenv(Buffer.from('A=1', 'utf16le'), '.env')).rejects.toThrow();
    await expect(parseDotenv(Buffer.from([0x41, 0x3d, 0xff]), '.env')).rejects.toThrow('not UTF-8');
  });

  it('with a value of 64 KiB on many lines is read', async () => {
    const value = 'x\n'.repeat(32_768);
    expect(await entriesOf(`A="${value}"`)).toEqual([['A', value]]);
  });
});
