import { escapesBeginWith, wholeSpellings } from './spellings.ts';
import { textsOf } from './value-forms.ts';

/** For the code of a character: how it is written where every character is escaped. */
const escapesOf: readonly (readonly string[])[] = Array.from({ length: 256 }, (_, code) =>
  wholeSpellings.map((spell) => spell(code)),
);
/** What all of these begin with. */
const escapeStarts: readonly string[] = [...new Set(escapesOf.flat().map((text) => text.charAt(0)))];

/** A text that forms are made of, up to the length of a window. */
interface Beginning {
  readonly text: string;
  /** Its first characters that nobody escapes. */
  readonly run: string;
}

/**
 * Tells at little cost that no form of a value begins in a text: most pieces of most answers have none. It knows how each form
 * begins, and which bytes can follow where characters may be escaped, without a form being written. It is made of the first bytes
 * of the value only.
 */
export class Beginnings {
  readonly #beginnings: Beginning[] = [];
  /** How the first character is written where every character is escaped. */
  readonly #escaped: readonly string[];
  /** The bytes with which these begin, and the texts whose first character may be escaped. */
  #starts = escapeStarts;

  /**
   * @param window how many first bytes of a form tell that it may stand there
   * @param lowerCase whether the forms are those in lower case
   */
  constructor(value: string, window: number, lowerCase = false) {
    const { raw, base64, plain } = textsOf(firstBytes(value, window));
    const first = escapesOf[raw.charCodeAt(0)] as readonly string[];
    this.#escaped = lowerCase ? first.map((text) => text.toLowerCase()) : first;
    for (const long of [raw, ...base64, ...plain]) {
      const text = lowerCase ? long.slice(0, window).toLowerCase() : long.slice(0, window);
      const run = runOf(text);
      this.#beginnings.push({ text, run });
      const code = text.charCodeAt(0);
      if (run === '')
        this.#starts = [...new Set([...this.#starts, text.charAt(0), ...(escapesBeginWith[code] as string)])];
    }
  }

  /** @returns false only where no form begins, and none whose end is not there yet */
  mayBeIn(text: string): boolean {
    for (const beginning of this.#beginnings) {
      if (beginning.run !== '' && mayBegin(text, beginning)) return true;
    }
    for (const start of this.#starts) {
      for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1)) {
        if (this.#mayBeginAt(text, at)) return true;
      }
    }
    return false;
  }

  #mayBeginAt(text: string, at: number): boolean {
    if (this.#escaped.some((first) => agree(text, at, first))) return true;
    return this.#beginnings.some((beginning) => beginning.run === '' && mayGoOn(text, at, beginning));
  }
}

/** So many bytes are enough for as many characters of each text. */
function firstBytes(value: string, window: number): Buffer {
  // A character has one byte or more, and the last one may be half of a pair.
  return Buffer.from(value.slice(0, window + 1)).subarray(0, window);
}

function runOf(text: string): string {
  let length = 0;
  while (length < text.length && escapesBeginWith[text.charCodeAt(length)] === '') length += 1;
  return length === text.length ? text : text.slice(0, length);
}

/** Whether they are the same from `at` on, as far as both go. */
function agree(text: string, at: number, other: string): boolean {
  const length = Math.min(other.length, text.length - at);
  for (let index = 0; index < length; index += 1) {
    if (text.charCodeAt(at + index) !== other.charCodeAt(index)) return false;
  }
  return true;
}

function mayBegin(text: string, beginning: Beginning): boolean {
  const { run } = beginning;
  for (let at = text.indexOf(run); at >= 0; at = text.indexOf(run, at + 1)) {
    if (mayGoOn(text, at + run.length, beginning)) return true;
  }
  // The end of the text may have less than the run.
  const first = run.charAt(0);
  const end = Math.max(0, text.length - run.length + 1);
  for (let at = text.indexOf(first, end); at >= 0; at = text.indexOf(first, at + 1)) {
    if (agree(text, at, run)) return true;
  }
  return false;
}

/** Whether what follows on the run can be the rest of the window, in whatever way that is written. */
function mayGoOn(text: string, from: number, { text: sought, run }: Beginning): boolean {
  let at = from;
  for (let index = run.length; index < sought.length && at < text.length; index += 1) {
    const escapes = escapesBeginWith[sought.charCodeAt(index)] as string;
    // What comes after an escape is not read.
    if (escapes.includes(text.charAt(at))) return true;
    if (text.charCodeAt(at) !== sought.charCodeAt(index)) return false;
    at += 1;
  }
  return true;
}
