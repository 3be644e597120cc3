import { Beginnings } from './beginnings.ts';
import { FormSearch, FormTable, type Range, windowBytesOf } from './find-forms.ts';
import { type Form, formsOf } from './value-forms.ts';

const star = 0x2a;
const nothing = Buffer.alloc(0);

/** Shorter texts would be found everywhere. A destination takes no value that is shorter. */
const fewestBytes = 8;
/** Longer pieces are searched faster with a table than looked at for beginnings. */
const shortPieceBytes = 8 * 1024;

/**
 * Replaces the forms of a value in an answer by as many asterisks, so that lengths, ranges and JSON stay right. It holds the
 * value for as long as its request lasts. Forms are written, and looked for, from the first piece on in which one may begin: what came
 * before ends with no beginning of one, so that it does not matter to what comes after.
 */
export class Scrubber {
  readonly #value: string;
  readonly #shortest: number;
  readonly #beginnings: Beginnings;
  #lowerCaseBeginnings: Beginnings | undefined;
  #forms: readonly Form[] | undefined;
  #table: FormTable | undefined;
  #lowerCaseTable: FormTable | undefined;
  #body: ScrubbedStream | undefined;

  /** @param value has 8 bytes or more */
  constructor(value: string) {
    this.#value = value;
    this.#shortest = Buffer.byteLength(value);
    if (this.#shortest < fewestBytes) throw new Error('The value is too short to be found in an answer.');
    this.#beginnings = new Beginnings(value, windowBytesOf(this.#shortest));
  }

  /** A text of one byte a character, as Node reads headers. */
  text(header: string): string {
    if (header.length < this.#shortest || !this.#beginnings.mayBeIn(header)) return header;
    const stream = this.#newStream();
    const bytes = Buffer.from(header, 'latin1');
    const scrubbed = Buffer.concat([stream.push(bytes), stream.end()]);
    return scrubbed.toString('latin1');
  }

  /** Whether a form stands in the name of a header, in any case: names have none. */
  isInName(name: string): boolean {
    if (name.length < this.#shortest) return false;
    const lowerCase = name.toLowerCase();
    this.#lowerCaseBeginnings ??= new Beginnings(this.#value, windowBytesOf(this.#shortest), true);
    if (!this.#lowerCaseBeginnings.mayBeIn(lowerCase)) return false;
    this.#lowerCaseTable ??= new FormTable(
      this.#allForms().map((form) => form.lowerCase()),
      this.#shortest,
    );
    return new FormSearch(this.#lowerCaseTable).read(Buffer.from(lowerCase, 'latin1')).length > 0;
  }

  /** @returns the bytes of the body that no form can begin in any more; what is left is at most one byte shorter than a form */
  push(chunk: Buffer): Buffer {
    if (!this.#body) {
      const isShort = chunk.length <= shortPieceBytes;
      if (isShort && !this.#beginnings.mayBeIn(chunk.toString('latin1'))) return chunk;
      this.#body = this.#newStream();
    }
    return this.#body.push(chunk);
  }

  /** @returns what is left of the body */
  end(): Buffer {
    return this.#body?.end() ?? nothing;
  }

  #newStream(): ScrubbedStream {
    this.#table ??= new FormTable(this.#allForms(), this.#shortest);
    return new ScrubbedStream(this.#table);
  }

  #allForms(): readonly Form[] {
    this.#forms ??= formsOf(this.#value);
    return this.#forms;
  }
}

class ScrubbedStream {
  readonly #search: FormSearch;
  /** What may be the beginning of a form, in pieces as they came: to join them for every chunk would take quadratic time. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Where the bytes held begin in the stream. */
  #start = 0;
  /** What is to be replaced in the bytes held, sorted and apart from each other. */
  #ranges: Range[] = [];

  constructor(table: FormTable) {
    this.#search = new FormSearch(table);
  }

  push(chunk: Buffer): Buffer {
    for (const range of this.#search.read(chunk)) this.#add(range);
    const beginning = this.#search.beginning();
    // Nearly all pieces of nearly all answers.
    if (beginning === 0 && this.#heldBytes === 0 && this.#ranges.length === 0) {
      this.#start += chunk.length;
      return chunk;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    return this.#release(this.#heldBytes - beginning, chunk);
  }

  end(): Buffer {
    return this.#release(this.#heldBytes, null);
  }

  /** @param range does not begin before one that was added with it, and does not end before an earlier one */
  #add(range: Range): void {
    let { start, end } = range;
    for (let last = this.#ranges.at(-1); last && last.end >= start; last = this.#ranges.at(-1)) {
      start = Math.min(start, last.start);
      end = Math.max(end, last.end);
      this.#ranges.pop();
    }
    this.#ranges.push({ start, end });
  }

  #release(count: number, newest: Buffer | null): Buffer {
    const pieces: Buffer[] = [];
    let [left, whole] = [count, 0];
    for (const piece of this.#held) {
      if (piece.length > left) break;
      pieces.push(piece);
      left -= piece.length;
      whole += 1;
    }
    this.#held.splice(0, whole);
    const cut = this.#held[0];
    if (cut && left > 0) {
      pieces.push(cut.subarray(0, left));
      this.#held[0] = cut.subarray(left);
    }
    const last = this.#held.at(-1);
    // A copy: a few bytes would hold all of the chunk in memory, and it belongs to the caller.
    if (newest && last) this.#held[this.#held.length - 1] = Buffer.from(last);
    this.#heldBytes -= count;
    return this.#replaced(pieces, count);
  }

  #replaced(pieces: readonly Buffer[], count: number): Buffer {
    const { length } = this.#ranges;
    const [only] = pieces;
    const start = this.#start;
    this.#start += count;
    if (length === 0 && only && pieces.length === 1) return only;
    const bytes = Buffer.concat(pieces);
    const within = (at: number) => Math.min(count, Math.max(0, at - start));
    for (const range of this.#ranges) bytes.fill(star, within(range.start), within(range.end));
    // What is left of a range belongs to bytes that are still held.
    this.#ranges = this.#ranges.filter(({ end }) => end > this.#start);
    return bytes;
  }
}
