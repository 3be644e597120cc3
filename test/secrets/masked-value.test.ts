import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mask } from '../../src/secrets/mask.ts';
import { isMaskOf, looksLikeMask } from '../../src/secrets/masked-value.ts';

const bullet = '•';
const each = (text: string, instead: string) => text.replaceAll(bullet, instead);
const bytes = [...Buffer.from(bullet)].map((byte) => byte.toString(16));
const readAs = (encoding: string) => (text: string) => new TextDecoder(encoding).decode(Buffer.from(text));
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

/** What pages, forms, shells, mails and files in a wrong encoding make of a mask. */
const changes: [what: string, change: (text: string) => string][] = [
  ['nothing', (text) => text],
  ['stars', (text) => each(text, '*')],
  ['twelve stars', (text) => text.replace('••••', '*'.repeat(12))],
  ['escaped stars of Markdown', (text) => each(text, '\\*')],
  ['dots', (text) => each(text, '.')],
  ['middle dots', (text) => each(text, '·')],
  ['larger bullets', (text) => each(text, '●')],
  ['wide stars', (text) => each(text, '＊')],
  ['an ellipsis', (text) => text.replace('••••', '…')],
  ['spaces between the bullets', (text) => each(text, '• ')],
  ['a named entity', (text) => each(text, '&bull;')],
  ['an entity without its semicolon', (text) => each(text, '&bull')],
  ['an entity that was escaped again', (text) => each(text, '&amp;bull;')],
  ['a decimal entity', (text) => each(text, '&#8226;')],
  ['a hexadecimal entity', (text) => each(text, '&#x2022;')],
  ['the entity of Windows-1252', (text) => each(text, '&#149;')],
  ['an escape of JSON', (text) => each(text, '\\u2022')],
  ['an escape that was escaped again', (text) => each(text, '\\\\u2022')],
  ['an escape of JavaScript', (text) => each(text, '\\u{2022}')],
  ['an escape of CSS', (text) => each(text, '\\2022 ')],
  ['its code point', (text) => each(text, 'U+2022')],
  ['bytes in hexadecimal', (text) => each(text, bytes.map((byte) => `\\x${byte}`).join(''))],
  ['bytes in octal', (text) => each(text, '\\342\\200\\242')],
  ['percent-encoding', encodeURIComponent],
  ['percent-encoding twice', (text) => encodeURIComponent(encodeURIComponent(text))],
  ['percent-encoding in lower case', (text) => encodeURIComponent(text).replaceAll(/%../g, (one) => one.toLowerCase())],
  ['escape() of JavaScript', (text) => each(text, '%u2022')],
  ['quoted-printable', (text) => each(text, bytes.map((byte) => `=${byte.toUpperCase()}`).join(''))],
  ...[
    'windows-1250',
    'windows-1251',
    'windows-1252',
    'windows-1254',
    'macintosh',
    'ibm866',
    'koi8-r',
    'gbk',
    'big5',
    'shift_jis',
    'euc-jp',
    'euc-kr',
  ].map((encoding): [string, (text: string) => string] => [`UTF-8 read as ${encoding}`, readAs(encoding)]),
  ['UTF-8 read as ISO 8859-1', latin1],
  ['UTF-8 read as Windows-1252 twice', (text) => readAs('windows-1252')(readAs('windows-1252')(text))],
  ['UTF-8 read by a command line of Windows', (text) => each(text, 'ΓÇó')],
  ['question marks', (text) => each(text, '?')],
  ['a question mark for each byte', (text) => each(text, '???')],
  ['replacement characters', (text) => each(text, '\uFFFD')],
  ['a newline at the end', (text) => `${text}\n`],
  ['quotes around', (text) => `"${text}"`],
  ['Bearer before', (text) => (text.includes(' ') ? text : `Bearer ${text}`)],
  ['the name of a variable before', (text) => `export OPENAI_API_KEY="${text}"`],
];

const values = [
  'sk-proj-0123456789abcdefghijklmnopqrstuvwxyz123456789',
  'abcdefghijklmnop',
  'short',
  '<a>&"%41 and much more in it, and & at its end &<%',
  '密码'.repeat(30),
  `-----BEGIN PRIVATE KEY-----\n${'MC4CAQAwBQYD'.repeat(20)}x\n-----END PRIVATE KEY-----\n`,
];
const shown = values.map(mask);
/** Encodings change nothing of them but the bullets. */
const plain = shown.filter((one) => !one.includes('<'));

describe('a mask comes back for the secret that it was made for:', () => {
  it.each(changes)('with %s', (_what, change) => {
    for (const current of plain) {
      expect([change(current), isMaskOf(change(current), current)]).toEqual([change(current), true]);
    }
  });

  it('in encodings that change what the mask shows, too', () => {
    const current = mask(values[3] ?? '');
    const html = current.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
    for (const form of [html, each(html, '&bull;'), encodeURIComponent(current), JSON.stringify(current)]) {
      expect([form, isMaskOf(form, current)]).toEqual([form, true]);
    }
  });

  it('of any value, with its bullets changed to any sign', () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(
        value,
        fc.constantFrom('•', '*', '.', '·', '?', '●', '█'),
        fc.integer({ min: 3, max: 20 }),
        (text, sign, count) => {
          expect(isMaskOf(mask(text).replace('••••', sign.repeat(count)), mask(text))).toBe(true);
        },
      ),
    );
  });
});

describe('a value is no mask of its secret', () => {
  const current = 'sk-pro••••789';

  it.each([
    '• one\n• two',
    'correct•horse•battery•staple',
    '••••',
    'other-••••-one',
    'sk-proj-0123456789abcdef789',
    'sk-pro-new-789',
    'sk-pro789',
    'sk-pro*789',
    '****',
    '%E2%80%A2',
    '100 % sure = yes & no \\o/',
  ])('%j', (value) => {
    expect(isMaskOf(value, current)).toBe(false);
  });

  it('when it shares the ends of the mask, but has letters or digits between them', () => {
    const middle = fc.string({ unit: fc.constantFrom(...'abcdefg0123456789-_+/'), minLength: 4, maxLength: 60 });
    fc.assert(
      fc.property(middle, (text) => {
        fc.pre(/[a-g0-9]/.test(text));
        expect(isMaskOf(`sk-pro${text}789`, current)).toBe(false);
      }),
    );
  });

  it('when it consists of different signs, and the mask shows nothing', () => {
    for (const value of ['!@#$%^&*', '*.*.*', '**', 'xxxx', '----', 'hunter2', '•a•b•']) {
      expect([value, isMaskOf(value, '••••')]).toEqual([value, false]);
    }
  });
});

describe('a new value looks like a mask of ours', () => {
  it.each(plain.filter((one) => !one.startsWith('密')))('%j, as it is, with stars or dots, and encoded', (current) => {
    for (const [what, change] of changes) {
      // Four of a sign that stands for hidden characters: other signs and numbers could be those of a value.
      if (/twelve|larger|middle|ellipsis|spaces|question|replacement|gbk|big5|jis|euc/.test(what)) continue;
      expect([what, looksLikeMask(change(current))]).toEqual([what, true]);
    }
  });

  it.each(['********', '••••••••••••', '........'])('%j, which a password field shows', (value) => {
    expect(looksLikeMask(value)).toBe(true);
  });

  it('whatever value the mask was made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 100 }), (value) => {
        expect(looksLikeMask(mask(value))).toBe(true);
      }),
    );
  });
});

describe('a new value is no mask', () => {
  it.each([
    '• one\n• two',
    'correct•horse•battery•staple',
    'pass••••word-of-somebody',
    'a••••',
    'sk-proj-0123456789abcdef',
    'p*ssw**rd***',
    'C:\\users\\ada\\key',
    'https://example.com/?q=%E2%80%A2%20list',
    '50%',
    '…',
    '**',
    '!@#$%^&*()',
  ])('%j', (value) => {
    expect(looksLikeMask(value)).toBe(false);
  });

  it('with letters and digits only', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_+/=-]{1,80}$/), (value) => {
        expect(looksLikeMask(value)).toBe(false);
        expect(isMaskOf(value, 'sk-pro••••789')).toBe(false);
      }),
    );
  });
});
