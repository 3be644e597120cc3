import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { FieldErrors } from '../../src/rules/field-errors.ts';
import { checkLabel, maxNameCharacters } from '../../src/rules/text.ts';

/** The types of the rules that a name breaks. */
function brokenBy(name: string): string[] {
  const errors = new FieldErrors();
  checkLabel(name, maxNameCharacters, errors);
  try {
    errors.throwIfAny();
    return [];
  } catch (error) {
    return error instanceof DomainError ? (error.details.errors ?? []).map(({ type }) => type) : ['not a rule'];
  }
}

const [nonJoiner, joiner, selector] = ['\u200C', '\u200D', '\uFE0F'];
const every = (property: RegExp) =>
  Array.from({ length: 0x110000 }, (_, code) => code).filter(
    (code) => (code < 0xd800 || code > 0xdfff) && property.test(String.fromCodePoint(code)),
  );

describe('a name takes', () => {
  it.each([
    ['Persian with a non-joiner', 'می\u200Cخواهم'],
    ['Persian with a suffix after a word that does not join', 'کلید\u200Cها'],
    ['Persian with a non-joiner after a vowel sign', 'کِ\u200Cها'],
    ['Persian with a suffix after a foreign word', 'API\u200Cها'],
    ['Persian with a suffix after digits', '۱۸\u200Cساله'],
    ['the Persian abbreviation of a calendar', 'ه\u200D.ش'],
    ['Hindi with a half form', 'क्\u200Dष'],
    ['Hindi with a visible virama', 'क्\u200Cष'],
    ['Marathi with an eyelash ra', 'र्\u200Dय'],
    ['Bengali with a joiner before the virama', 'র\u200D্য'],
    ['Malayalam with a chillu at the end of each word', 'അവന്\u200D വന്\u200D'],
    ['Sinhala with a conjunct', 'ක්\u200Dෂ'],
    ['Tamil with a non-joiner', 'க்\u200Cஷ'],
    ['Kannada with a non-joiner', 'ವಿಟ್\u200Cನೆಸ್'],
    ['Mongolian with a variant of a letter', 'ᠭ\u180Bᠠ'],
    ['a Han character in a variant', '葛\u{E0100}'],
    ['old Korean without a first consonant', '\u115Fᅡ'],
    ['a family', '👨\u200D👩\u200D👧\u200D👦'],
    ['two people with skin tones', '👩🏽\u200D🤝\u200D👨🏻'],
    ['a flag of two emoji, with and without its selector', '🏳\uFE0F\u200D🌈 🏳\u200D🌈'],
    ['a red heart on fire', '❤\uFE0F\u200D🔥'],
    ['a person with red hair', '🧑\u200D🦰'],
    ['a keycap', '1\uFE0F\u20E3'],
    ['a heart', '❤\uFE0F'],
    ['the flag of England', '🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}'],
    ['the flag of a country', '🇮🇷'],
    ['Braille with spaces', '⠓⠊\u2800⠕⠅'],
  ])('%s', (_what, name) => {
    expect(brokenBy(name)).toEqual([]);
  });

  const scripts = ['ابپتکگیه', 'ऄअकखगम', 'অকখগম', 'കഖഗമ', 'කඛගම', 'ކކܐܒܓ'.slice(2), 'ᠠᠡᠢᠭ', 'ကခဂ', 'កខគ'];

  it.each(scripts)('joiners between any letters of %s', (letters) => {
    const word = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(word, { minLength: 2, maxLength: 5 }), fc.constantFrom(nonJoiner, joiner), (words, sign) => {
        expect(brokenBy(words.join(sign))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a name refuses', () => {
  it('every character that is not shown, between Latin letters and by itself', () => {
    const hidden = every(/[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Cc}]/v);
    expect(hidden.length).toBeGreaterThan(400);
    // Keeps marks in their order, and needs marks for that.
    for (const code of hidden) {
      const character = String.fromCodePoint(code);
      for (const name of [`a${character}b`, character]) expect([code, brokenBy(name)]).not.toEqual([code, []]);
    }
  });

  it('every unassigned and private-use character', () => {
    const sample = every(/[\p{Cn}\p{Co}]/v).filter((_code, index) => index % 101 === 0);
    for (const code of sample)
      expect([code, brokenBy(`a${String.fromCodePoint(code)}b`)]).toEqual([code, ['characters']]);
  });

  it.each([
    ['a joiner between Latin letters', `a${joiner}b`],
    ['a non-joiner between Latin letters', `a${nonJoiner}b`],
    ['a joiner at the start', `${joiner}ا`],
    ['a non-joiner at the end', `سلام${nonJoiner}`],
    ['two joiners in a row', `ا${nonJoiner}${nonJoiner}ب`],
    ['two joiners in a row after a virama', `क्${joiner}${nonJoiner}ष`],
    ['a joiner after an emoji', `👨${joiner}`],
    ['a joiner between an emoji and a letter', `👨${joiner}a`],
    ['a joiner before an emoji', `a${joiner}👨`],
    ['a variation selector after a Latin letter', `a${selector}`],
    ['two variation selectors in a row', `❤${selector}${selector}`],
    ['tags without a flag', 'a\u{E0067}\u{E007F}'],
    ['a flag with tags that do not end', '🏴\u{E0067}\u{E0062}'],
    ['a Hangul filler between letters', '가\u3164나'],
    ['a direction mark between Arabic letters', 'ا\u200Fب'],
  ])('%s', (_what, name) => {
    expect(brokenBy(name)).toEqual(['characters']);
  });

  it.each([
    ['a combining mark alone', '\u0301'],
    ['a note without a head', '\u{1D159}'],
    ['marks alone', '\u0301\u0327'],
  ])('what shows nothing: %s', (_what, name) => {
    expect(brokenBy(name)).toEqual(['invisible']);
  });

  it.each(['\u2800', 'a\u2800', '\u3000a', '\u2007'])('a space at the ends, of any kind: %j', (name) => {
    expect(brokenBy(name)).toEqual(['surrounding_space']);
  });
});

it('an accepted name has no hidden character at its start, beside Latin letters alone, or twice in a row, and shows something', () => {
  const sign = fc.constantFrom(
    'a',
    'é',
    '1',
    ' ',
    'ا',
    'ب',
    'क',
    '्',
    'ന',
    '👨',
    '👩',
    '❤',
    nonJoiner,
    joiner,
    selector,
    '\u00AD',
    '\u3164',
    '\u034F',
    '\u0301',
    '\u{E0067}',
    '\u{E007F}',
    '🏴',
  );
  const latin = /[a-zé]/;
  fc.assert(
    fc.property(fc.array(sign, { minLength: 1, maxLength: 12 }), (signs) => {
      const name = signs.join('').normalize('NFC');
      if (brokenBy(name).length > 0) return;
      for (const match of name.matchAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gv)) {
        const [before = '', after = ''] = [name[match.index - 1], name[match.index + match[0].length]];
        // Beside Latin letters alone no script needs one.
        expect(match.index).toBeGreaterThan(0);
        if (latin.test(before)) expect(match[0] === '\u034F' || !latin.test(after)).toBe(true);
        if (match[0] === joiner || match[0] === nonJoiner) expect([joiner, nonJoiner]).not.toContain(after);
      }
      expect(name).toMatch(/[\p{L}\p{N}\p{P}\p{S}]/v);
    }),
    { numRuns: 5000 },
  );
});
