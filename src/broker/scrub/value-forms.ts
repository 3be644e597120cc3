import { distinctSpellings, plainSpelling, type Spelling, wholeSpellings } from './spellings.ts';

/** One way in which a value may stand in an answer. One character of its texts is one byte. */
export class Form {
  readonly text: string;
  readonly spell: Spelling;
  /** So many first characters are written as they are. */
  readonly #plain: number;

  constructor(text: string, spell: Spelling, plain = 0) {
    this.text = text;
    this.spell = spell;
    this.#plain = plain;
  }

  /** Its first bytes: as many, or all. */
  first(bytes: number): string {
    if (bytes <= this.#plain) return this.text.slice(0, bytes);
    let written = '';
    for (let at = 0; at < this.text.length && written.length < bytes; at += 1) {
      written += this.spell(this.text.charCodeAt(at));
    }
    return written.slice(0, bytes);
  }

  lowerCase(): Form {
    return new Form(this.text, (code) => this.spell(code).toLowerCase());
  }
}

/**
 * Every form of a value that is looked for, once: the value itself, in base64, base64url and hex, as these stand in plain text
 * and as software escapes them in JSON, URLs and HTML.
 */
export function formsOf(value: string): Form[] {
  const { raw, base64, plain } = textsOf(Buffer.from(value));
  return [
    ...spelled(raw),
    ...wholeSpellings.map((spell) => new Form(raw, spell)),
    ...base64.flatMap(spelled),
    ...[...plain].map((text) => new Form(text, plainSpelling, text.length)),
  ];
}

/** What forms are made of. */
interface Texts {
  readonly raw: string;
  readonly base64: readonly string[];
  /** Those that nobody escapes. */
  readonly plain: ReadonlySet<string>;
}

/** @param bytes a value, or the first bytes of one: the texts of these are beginnings of the texts of all */
export function textsOf(bytes: Buffer): Texts {
  const hex = bytes.toString('hex');
  const padded = Buffer.concat([padding, bytes]);
  const base64 = [base64At(padded, 0), base64At(padded, 1), base64At(padded, 2)];
  const plain = new Set([hex, hex.toUpperCase()]);
  for (const text of base64) {
    if (/[+/]/.test(text)) plain.add(text.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return { raw: bytes.toString('latin1'), base64, plain };
}

const padding = Buffer.alloc(2);

/**
 * The base64 of bytes that come after so many others: the characters that depend on these bytes alone.
 * @param padded the bytes behind two others
 */
function base64At(padded: Buffer, offset: number): string {
  const bytes = padded.subarray(padding.length - offset);
  const text = bytes.toString('base64');
  const bits = 8 * bytes.length;
  return text.slice(Math.ceil((8 * offset) / 6), Math.floor(bits / 6));
}

/** A text in every spelling that writes it in a way of its own. */
function spelled(text: string): Form[] {
  const punctuation = text.replaceAll(/[A-Za-z0-9]+/g, '');
  const plain = punctuation === '' ? text.length : text.indexOf(punctuation.charAt(0));
  const characters = [...new Set(punctuation)].sort().join('');
  return distinctSpellings(characters).map((spell) => new Form(text, spell, plain));
}
