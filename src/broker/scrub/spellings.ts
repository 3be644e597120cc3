/**
 * How software writes a text into JSON, URLs and HTML. Libraries differ in which characters they escape and how, so there are
 * many ways; most texts look the same in most of them.
 */

/** @returns how the character of this code (below 128) is written */
export type Spelling = (code: number) => string;

const plain = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
const lower = plain.map((_, code) => code.toString(16).padStart(2, '0'));
const upper = lower.map((hex) => hex.toUpperCase());
const cases = [lower, upper];

/** Letters and digits: only what escapes everything escapes them. */
function isAlphanumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

const printable = plain.slice(0x20, 0x7f);
const punctuation = printable.filter((character) => !isAlphanumeric(character.charCodeAt(0))).join('');
const all = printable.join('');
const without = (left: string) => [...punctuation].filter((character) => !left.includes(character)).join('');

/** The plain text, but for these characters. */
function spelling(
  escaped: string,
  write: (code: number) => string,
  others: Readonly<Record<string, string>> = {},
): Spelling {
  const table = [...plain];
  for (const [character, written] of Object.entries(others)) table[character.charCodeAt(0)] = written;
  for (const character of escaped) table[character.charCodeAt(0)] = write(character.charCodeAt(0));
  return (code) => table[code] as string;
}

const inJson = { '"': '\\"', '\\': '\\\\' };
const slashes = [{}, { '/': '\\/' }];

/** What is written as \u00XX: by most; Go and Rails; Jinja; Gson; PHP with its JSON_HEX flags; .NET (two versions). */
const jsonEscapes = ['<>&', "<>&'", "<>&'=", '<>&\'"', '<>&\'"+`', punctuation];

const json: readonly Spelling[] = slashes.flatMap((slash) => [
  spelling('', () => '', { ...inJson, ...slash }),
  ...cases.flatMap((hex) =>
    jsonEscapes.map((escaped) => spelling(escaped, (code) => `\\u00${hex[code]}`, { ...inJson, ...slash })),
  ),
]);

/** JavaScript, and what OWASP says for it. */
const javascript: readonly Spelling[] = [
  spelling('', () => '', { ...inJson, "'": "\\'" }),
  spelling('', () => '', { ...inJson, "'": "\\'", '/': '\\/' }),
  ...cases.map((hex) => spelling(punctuation, (code) => `\\x${hex[code]}`)),
];

/**
 * What stays as it is: in encodeURIComponent, RFC 3986, forms, PHP, Python, encodeURI, Go's paths, and in the paths and queries
 * of browsers, which leave a percent sign, too.
 */
const urlPlain = [
  ...["-_.!~*'()", "-_.!~*'()/", '-_.~', '-_.*', '-_.', '-_.~/', "-_.!~*'();/?:@&=+$,#", '-_.~$&+=:@', ''],
  ...[without(' "<>`#?{}^'), without(' "<>#'), without(' "<>#\'')],
];

const url: readonly Spelling[] = cases.flatMap((hex) =>
  urlPlain
    .map(without)
    .flatMap((escaped) => [
      spelling(escaped, (code) => `%${hex[code]}`),
      spelling(escaped.replace(' ', ''), (code) => `%${hex[code]}`, { ' ': '+' }),
    ]),
);

const htmlBasic = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const names: Readonly<Record<string, string>> = {
  ...{
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": 'apos',
    '/': 'sol',
    '=': 'equals',
    '+': 'plus',
    '`': 'grave',
  },
  ...{
    '!': 'excl',
    '#': 'num',
    $: 'dollar',
    '%': 'percnt',
    '(': 'lpar',
    ')': 'rpar',
    '*': 'ast',
    ',': 'comma',
    '.': 'period',
  },
  ...{ ':': 'colon', ';': 'semi', '?': 'quest', '@': 'commat', '[': 'lsqb', '\\': 'bsol', ']': 'rsqb', '^': 'Hat' },
  ...{ _: 'lowbar', '{': 'lcub', '|': 'verbar', '}': 'rcub' },
};

/** What is escaped: by PHP, by most, by OWASP, by Mustache, by Handlebars, by Go. */
const htmlEscaped = ['&<>', '&<>"', '&<>"\'', '&<>"\'/', '&<>"\'/`=', '&<>"\'`=', '&<>"\'+', punctuation];
const htmlNumbers: readonly Spelling[] = [
  (code) => `&#${code};`,
  (code) => `&#0${code};`,
  (code) => `&#x${lower[code]};`,
  (code) => `&#x${upper[code]};`,
];
const htmlName: Spelling = (code) => {
  const name = names[plain[code] as string];
  return name === undefined ? `&#${code};` : `&${name};`;
};
/** Quotes are written in more ways than others, whatever the others are. */
const htmlQuotes = ['&quot;', '&#34;', '&#x22;'];
const htmlApostrophes = ['&#39;', '&#x27;', '&apos;', '&#039;'];

const html: readonly Spelling[] = htmlEscaped.flatMap((escaped) => [
  ...htmlNumbers.map((number) => spelling(escaped, number)),
  ...(escaped.includes('"') ? htmlQuotes : ['"']).flatMap((quote) =>
    (escaped.includes("'") ? htmlApostrophes : ["'"]).flatMap((apostrophe) =>
      (escaped.length > 5 ? [htmlName, ...htmlNumbers] : [htmlName]).map((others) => {
        const own: Readonly<Record<string, string>> = { ...htmlBasic, '"': quote, "'": apostrophe };
        return spelling(escaped, (code) => own[plain[code] as string] ?? others(code));
      }),
    ),
  ),
]);

export const plainSpelling: Spelling = spelling('', () => '');
const spellings: readonly Spelling[] = [plainSpelling, ...json, ...javascript, ...url, ...html];

/** Which spellings are alike: the number of a class for each. */
interface Classes {
  readonly numbers: Uint16Array;
  readonly count: number;
}

/** For the code of each character: which spellings write it alike. */
const written: readonly Classes[] = Array.from({ length: 256 }, (_, code) => {
  const texts = spellings.map((spell) => spell(code));
  const distinct = [...new Set(texts)];
  return { numbers: Uint16Array.from(texts, (text) => distinct.indexOf(text)), count: distinct.length };
});

/** For the code of each character: the bytes with which its ways begin that are not the character itself. None: it is never escaped. */
export const escapesBeginWith: readonly string[] = Array.from({ length: 256 }, (_, code) => {
  const escapes = spellings.map((spell) => spell(code)).filter((text) => text !== plain[code]);
  return [...new Set(escapes.map((text) => text.charAt(0)))].join('');
});

const distinctByPunctuation = new Map<string, readonly Spelling[]>();
/** Most values have few kinds of punctuation, and base64 has the same always. */
const mostKept = 100;

/**
 * Spellings of which no two write a text with this punctuation alike. The plain one is the first.
 * @param punctuation each character once, sorted
 */
export function distinctSpellings(punctuation: string): readonly Spelling[] {
  let distinct = distinctByPunctuation.get(punctuation);
  if (!distinct) {
    distinct = findDistinct(punctuation);
    if (distinctByPunctuation.size >= mostKept) distinctByPunctuation.clear();
    distinctByPunctuation.set(punctuation, distinct);
  }
  return distinct;
}

function findDistinct(punctuation: string): Spelling[] {
  let classes: Classes = { numbers: new Uint16Array(spellings.length), count: 1 };
  for (const character of punctuation) classes = refined(classes, written[character.charCodeAt(0)] as Classes);
  const distinct: Spelling[] = [];
  for (let index = 0; distinct.length < classes.count; index += 1) {
    // Classes are numbered in the order of their first members.
    if (classes.numbers[index] === distinct.length) distinct.push(spellings[index] as Spelling);
  }
  return distinct;
}

/** Two spellings are alike where both find them alike. */
function refined(one: Classes, other: Classes): Classes {
  if (other.count === 1) return one;
  const pairs = new Uint16Array(one.count * other.count);
  const numbers = new Uint16Array(spellings.length);
  let count = 0;
  for (let index = 0; index < numbers.length; index += 1) {
    const pair = (one.numbers[index] as number) * other.count + (other.numbers[index] as number);
    if (pairs[pair] === 0) {
      count += 1;
      pairs[pair] = count;
    }
    numbers[index] = (pairs[pair] as number) - 1;
  }
  return { numbers, count };
}

/** Every character is escaped, as by who wants to get past a filter. */
export const wholeSpellings: readonly Spelling[] = [
  ...cases.flatMap((hex) => ['%', '\\x', '\\u00', '&#x'].map((start) => ({ hex, start }))),
].map(({ hex, start }) => spelling(all, (code) => `${start}${hex[code]}${start === '&#x' ? ';' : ''}`));
