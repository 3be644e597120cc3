/**
 * This many consecutive bytes of a marker are a leak: error messages truncate quotes (V8 shows 10 characters on either
 * side of a JSON error), and a mask shows at most 6.
 */
export const fragmentBytes = 10;

/** A text, or bytes such as those of a private key. */
export type Marker = string | Uint8Array;

/**
 * Finds markers, or long parts of them, in text or bytes: raw, in any case, JSON- or unicode-escaped, percent-encoded,
 * as hex, as base64 or base64url at any alignment, and each of the last three inside the others.
 */
export class LeakDetector<M extends Marker = string> {
  readonly #fragments = new Map<number, { fragment: string; marker: M }[]>();

  constructor(markers: Iterable<M>) {
    for (const marker of markers) {
      const needle = caseless(latin1(bytesOf(marker)));
      if (needle.length < fragmentBytes) throw new Error(`a marker must have at least ${fragmentBytes} bytes`);
      for (let at = 0; at + fragmentBytes <= needle.length; at += 1) {
        const fragment = needle.slice(at, at + fragmentBytes);
        const key = Buffer.from(fragment, 'latin1').readInt32BE();
        this.#fragments.set(key, [...(this.#fragments.get(key) ?? []), { fragment, marker }]);
      }
    }
  }

  /** The markers that the text or the bytes contain. */
  find(haystack: string | Uint8Array): Set<M> {
    const found = new Set<M>();
    for (const text of unescaped(latin1(bytesOf(haystack)))) {
      for (const decoded of [text, decodeHex(text), decodeBase64(text)]) this.#scan(decoded, found);
    }
    return found;
  }

  #scan(text: string, found: Set<M>): void {
    const lower = caseless(text);
    let key = 0;
    for (let at = -3; at + 3 < lower.length; at += 1) {
      key = (key << 8) | lower.charCodeAt(at + 3);
      for (const { fragment, marker } of this.#fragments.get(key) ?? []) {
        if (lower.startsWith(fragment, at)) found.add(marker);
      }
    }
  }
}

function bytesOf(marker: Marker): Buffer {
  return typeof marker === 'string' ? Buffer.from(marker) : Buffer.from(marker);
}

// One character for each byte, so that regular expressions work on binary files too.
const latin1 = (bytes: Buffer) => bytes.toString('latin1');

/** In lower case, since the gateway lower-cases an Accept header and an id. */
const caseless = (text: string) => text.toLowerCase();

/** Separates decoded parts, so that two of them cannot form a marker together. */
const between = '\n';

/** The text with and without its escapes, which may be escaped again. */
function unescaped(text: string): Set<string> {
  const texts = new Set([text]);
  for (let depth = 0; depth < 2; depth += 1) {
    for (const each of [...texts]) texts.add(decodeEscapes(each)).add(decodePercent(each));
  }
  return texts;
}

const escapes = /\\(?:u[\da-fA-F]{4}(?:\\u[\da-fA-F]{4})*|u\{[\da-fA-F]{1,6}\}|x[\da-fA-F]{2}|["\\/bfnrt])/g;
const control: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function decodeEscapes(text: string): string {
  return text.replace(escapes, (found) => {
    if (found.length === 2) return control[found.charAt(1)] ?? found.charAt(1);
    const codes = (found.match(/[\da-fA-F]+/g) ?? []).map((hex) => Number.parseInt(hex, 16));
    if (found.startsWith('\\x')) return String.fromCharCode(...codes);
    // As UTF-16 first: two escapes may form one character.
    return latin1(Buffer.from(String.fromCodePoint(...codes.map((code) => Math.min(code, 0x10ffff)))));
  });
}

function decodePercent(text: string): string {
  return text.replace(/%([\da-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Other characters may come first in a run, so it is decoded from each possible offset. */
function decodeHex(text: string): string {
  return decodeRuns(text, /[\da-fA-F]{20,}/g, 2, 'hex');
}

function decodeBase64(text: string): string {
  return decodeRuns(text, /[\w+/-]{14,}/g, 4, 'base64');
}

function decodeRuns(text: string, runs: RegExp, offsets: number, encoding: BufferEncoding): string {
  const decoded: string[] = [];
  for (const [run] of text.matchAll(runs)) {
    for (let offset = 0; offset < offsets; offset += 1) {
      decoded.push(latin1(Buffer.from(run.slice(offset), encoding)));
    }
  }
  return decoded.join(between);
}
