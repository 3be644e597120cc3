/**
 * Which characters a name may have. Names are compared by people, too: what cannot be seen must not tell two names apart,
 * except where a script or an emoji is written with it.
 */

/** Control, private-use, unassigned and unpaired surrogate characters, and line breaks that are no control characters. */
const neverWanted = /[\p{Cc}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/v;

/**
 * Characters that are not shown: format characters, and what Unicode says to ignore in display (Default_Ignorable_Code_Point:
 * variation selectors, fillers, joiners).
 */
const unseen = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/v;

/** Letters and marks of scripts in which U+200C or U+200D changes what is read (UAX #31, section 2.3). */
const joined =
  '[[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Mong}\\p{scx=Nkoo}\\p{scx=Mand}\\p{scx=Phag}\\p{scx=Mani}\\p{scx=Adlm}\\p{scx=Rohg}' +
  '\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}' +
  '\\p{scx=Sinh}\\p{scx=Khmr}\\p{scx=Mymr}\\p{scx=Tibt}\\p{scx=Bali}\\p{scx=Java}\\p{scx=Sund}\\p{scx=Lana}\\p{scx=Cham}' +
  '\\p{scx=Gran}\\p{scx=Newa}\\p{scx=Tirh}\\p{scx=Modi}\\p{scx=Shrd}\\p{scx=Kthi}\\p{scx=Brah}\\p{scx=Sylo}\\p{scx=Mtei}]&&[\\p{L}\\p{M}]]';

/**
 * The signs that join Indic consonants (viramas, Canonical_Combining_Class 9) are marks. After one, a joiner chooses between
 * the forms of the consonant, at the end of a word too: Malayalam chillus were written so.
 */
const virama =
  '[\\u094D\\u09CD\\u0A4D\\u0ACD\\u0B4D\\u0BCD\\u0C4D\\u0CCD\\u0D3B\\u0D3C\\u0D4D\\u0DCA\\u0F84\\u1039\\u103A\\u17D2\\u1A60\\u1B44\\u1BAA\\u1BAB\\uA806\\uA82C\\uA953\\uA9C0\\uAAF6\\uABED' +
  '\\u{11046}\\u{110B9}\\u{111C0}\\u{1134D}\\u{11442}\\u{114C2}\\u{1163F}]';

/** What may stand on the other side of a joiner: in Persian, suffixes follow numbers and foreign words so. */
const wordCharacter = '[[\\p{L}\\p{M}\\p{Nd}]--\\p{Default_Ignorable_Code_Point}]';

const pictograph = '\\p{Extended_Pictographic}';

/** Scripts whose letters have variants that a variation selector chooses. Symbols, digits and punctuation have some, too. */
const varied =
  '[[\\p{Emoji}\\p{S}\\p{P}\\p{N}\\p{Ideographic}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Mong}\\p{scx=Mymr}\\p{scx=Phag}\\p{scx=Mani}\\p{scx=Egyp}]--[\\p{Cf}\\p{M}]]';

/** Unseen characters in the places where the way of writing needs them. */
const needed = new RegExp(
  [
    `(?<=${virama})[\\u200C\\u200D](?![\\u200C\\u200D])`,
    `(?<=${joined})[\\u200C\\u200D](?=${wordCharacter})`,
    `(?<=${wordCharacter})[\\u200C\\u200D](?=${joined})`,
    // Abbreviations keep the form that a letter has within a word, as in the Persian name of the solar calendar.
    `(?<=[\\p{scx=Arab}&&\\p{L}])\\u200D(?=\\.)`,
    `(?<=${pictograph}[\\uFE0F\\p{Emoji_Modifier}]?)\\u200D(?=${pictograph})`,
    // The flags of England, Scotland and Wales.
    '(?<=\\u{1F3F4})[\\u{E0061}-\\u{E007A}]{2,6}\\u{E007F}',
    `(?<=${varied})[\\uFE00-\\uFE0F\\u{E0100}-\\u{E01EF}]`,
    '(?<=\\p{scx=Mong})[\\u180B-\\u180D\\u180F]',
    // Combining grapheme joiner: keeps marks in their order.
    '(?<=[\\p{L}\\p{M}])\\u034F(?=\\p{M})',
    // Syllables of old Korean that lack a consonant or a vowel.
    '(?<=[\\u1100-\\u115E\\uA960-\\uA97C])\\u1160|\\u115F(?=[\\u1161-\\u11A7\\uD7B0-\\uD7C6])',
  ].join('|'),
  'gv',
);

/** Whether a text has a character that a name must not have. */
export function hasUnwantedCharacter(text: string): boolean {
  if (neverWanted.test(text)) return true;
  // A text in which nothing needs a second look is the usual one.
  return unseen.test(text) && unseen.test(text.replace(needed, ''));
}

/** Braille without dots, and a note without a head: symbols that show nothing. */
const blank = '\\u2800\\u{1D159}';

const shown = `[[\\p{L}\\p{N}\\p{P}\\p{S}]--[\\p{Default_Ignorable_Code_Point}${blank}]]`;
const seen = new RegExp(shown, 'v');

/** Whether a text shows anything at all, and not only spaces, marks and fillers. */
export function showsSomething(text: string): boolean {
  return seen.test(text);
}

const notPrintable = new RegExp(`[^ ${shown}]`, 'gv');

/**
 * A text without characters that are not shown by themselves, whatever stands beside them: line ends, escape sequences,
 * directions of text, and marks, which would change the character before them.
 */
export function onlyPrintable(text: string): string {
  return text.replaceAll(notPrintable, '');
}
