import { isUtf8 } from 'node:buffer';

const bullet = '•';
/** Four take a whole number of characters in encodings that read pairs of bytes. */
const bullets = bullet.repeat(4);

/** Whether a text has anything that `decodings` would change. Most have nothing of it. */
export function mayBeEncoded(text: string): boolean {
  return /[^\x20-\x7e]|\\|[%=][\da-f]{2}|%u[\da-f]{4}|&[#a-z]|u\+2022/i.test(text);
}

/**
 * What a text may have been before it was encoded for a page, a URL, a mail or source code, or was read in a wrong character
 * encoding. Of the latter only bullets are known.
 */
export function decodings(text: string): string[] {
  misreadBullets ??= [...misread(bullets), ...misread(bullet)].filter((garbled) => !/^\uFFFD*$/.test(garbled));
  let read = text;
  for (const garbled of misreadBullets) read = read.replaceAll(garbled, bullet.repeat(garbled.length > 6 ? 4 : 1));
  return [
    fromHtml(text),
    fromEscapes(text),
    fromBytes(text, /(?:%[\da-f]{2})+/gi),
    fromBytes(text, /(?:=[\da-f]{2})+/gi),
    read,
  ];
}

const entities: Readonly<Record<string, string>> = {
  bull: '•',
  bullet: '•',
  middot: '·',
  centerdot: '·',
  ast: '*',
  midast: '*',
  period: '.',
  hellip: '…',
  mldr: '…',
  nbsp: ' ',
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  sol: '/',
  num: '#',
  equals: '=',
  plus: '+',
  colon: ':',
  lowbar: '_',
};

/** The semicolon is sometimes lost: names that begin others stand after them. */
const names = Object.keys(entities).sort((a, b) => b.length - a.length);
const entity = new RegExp(`&(?:#x([\\da-f]{1,6})|#(\\d{1,7})|(${names.join('|')}));?`, 'gi');

function fromHtml(text: string): string {
  return text.replaceAll(entity, (all, hex, decimal, name) => {
    if (name !== undefined) return entities[String(name).toLowerCase()] ?? all;
    return character(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) ?? all;
  });
}

/** Of JSON, JavaScript, Python, Java, CSS, of shells and of Markdown, with any number of backslashes. */
function fromEscapes(text: string): string {
  const ofBytes = fromBytes(text.replaceAll(/\\+2022 ?/g, bullet), /(?:\\+x[\da-f]{2})+/gi);
  return fromBytes(ofBytes, /(?:\\+[0-3][0-7]{2})+/g, 8)
    .replaceAll(/(?:\\+u|%u|u\+)(?:\{([\da-f]{1,6})\}|([\da-f]{4})) ?/gi, (all, braced, four) => {
      return character(Number.parseInt(braced ?? four, 16)) ?? all;
    })
    .replaceAll(/\\+([^\p{L}\p{N}\s])/gv, '$1')
    .replaceAll(/\\N\{BULLET\}/gi, bullet);
}

/** Decodes runs of bytes that are written as digits, as UTF-8, or else as Windows-1252, which has a bullet of one byte. */
function fromBytes(text: string, runs: RegExp, radix = 16): string {
  const digits = radix === 16 ? /[\da-f]{2}/gi : /[0-7]{3}/g;
  return text.replaceAll(runs, (run) => {
    const bytes = Buffer.from((run.match(digits) ?? []).map((byte) => Number.parseInt(byte, radix)));
    return isUtf8(bytes) ? bytes.toString('utf8') : new TextDecoder('windows-1252').decode(bytes);
  });
}

function character(codePoint: number): string | null {
  if (codePoint > 0x10ffff) return null;
  // HTML reads the bytes of Windows-1252 where Unicode has control characters.
  return codePoint === 0x95 ? bullet : String.fromCodePoint(codePoint);
}

/** Character encodings that UTF-8 is read as by mistake. */
const encodings = [
  ...['windows-1252', 'windows-1250', 'windows-1251', 'windows-1253', 'windows-1254', 'windows-1256', 'macintosh'],
  ...['koi8-r', 'ibm866', 'iso-8859-2', 'gbk', 'big5', 'shift_jis', 'euc-jp', 'euc-kr'],
];
let decoders: readonly TextDecoder[] | undefined;
let misreadBullets: readonly string[] | undefined;

/** A text as it looks when its UTF-8 is read in another encoding, or twice. */
export function misread(text: string): ReadonlySet<string> {
  decoders ??= encodings.map((encoding) => new TextDecoder(encoding));
  const bytes = Buffer.from(text);
  const once = [...decoders.map((decoder) => decoder.decode(bytes)), bytes.toString('latin1')];
  const [western = ''] = once;
  const twice = [decoders[0]?.decode(Buffer.from(western)) ?? '', Buffer.from(once.at(-1) ?? '').toString('latin1')];
  // The last two are those of Windows' command line.
  return new Set([...once, ...twice, text.replaceAll(bullet, 'ΓÇó'), text.replaceAll(bullet, 'ÔÇó')]);
}
