import type { Spelling } from './spellings.ts';
import type { Form } from './value-forms.ts';

/** So many bytes a path has at first. */
const firstBytes = 64;

/** A beginning that some forms of one text share. Most forms differ from others near their ends only, if at all. */
export class FormNode {
  /** The part that is written by now, from the beginning of the forms. */
  path: Buffer;
  /** For each length of a beginning of the path: the longest shorter beginning that it ends with (Knuth, Morris and Pratt). */
  borders: Uint32Array;
  readonly #text: string;
  readonly #spellings: readonly Spelling[];
  /** How all of the spellings write a character; null where they differ. */
  readonly #written = new Map<number, string | null>();
  /** How many characters of the text are in the path. */
  #read: number;
  #children: readonly FormNode[] | undefined;

  /** @param start how all of the spellings write the first characters of the text, `read` in number */
  constructor(text: string, spellings: readonly Spelling[], read: number, start: string, borders: Uint32Array) {
    this.path = Buffer.from(start, 'latin1');
    this.borders = bordersOf(this.path, borders);
    this.#text = text;
    this.#spellings = spellings;
    this.#read = read;
    this.grow();
  }

  /** Where the path ends with that of a form. */
  get isForm(): boolean {
    return this.#read === this.#text.length;
  }

  /** Longer beginnings. The path does not grow any more. */
  get children(): readonly FormNode[] {
    this.#children ??= this.isForm ? [] : this.#parted();
    return this.#children;
  }

  /**
   * Writes more of the path, about as much as there is: who sends a beginning pays for so much, and nobody for a long value that
   * is not there.
   * @returns whether there was more
   */
  grow(): boolean {
    const most = this.path.length + firstBytes;
    let more = '';
    for (; this.#read < this.#text.length && more.length < most; this.#read += 1) {
      const written = this.#writtenByAll(this.#text.charCodeAt(this.#read));
      if (written === null) break;
      more += written;
    }
    if (more === '') return false;
    this.path = Buffer.concat([this.path, Buffer.from(more, 'latin1')]);
    this.borders = bordersOf(this.path, this.borders);
    return true;
  }

  #writtenByAll(code: number): string | null {
    let written = this.#written.get(code);
    if (written === undefined) {
      const [first, ...others] = this.#spellings.map((spell) => spell(code));
      written = first !== undefined && others.every((other) => other === first) ? first : null;
      this.#written.set(code, written);
    }
    return written;
  }

  #parted(): FormNode[] {
    const code = this.#text.charCodeAt(this.#read);
    const path = this.path.toString('latin1');
    const parts = Map.groupBy(this.#spellings, (spell) => spell(code));
    return [...parts].map(
      ([written, some]) => new FormNode(this.#text, some, this.#read + 1, path + written, this.borders),
    );
  }
}

/** @param known the borders of a beginning of the path */
function bordersOf(path: Buffer, known: Uint32Array): Uint32Array {
  const borders = new Uint32Array(path.length + 1);
  borders.set(known);
  let length = known.at(-1) as number;
  for (let at = known.length - 1; at < path.length; at += 1) {
    while (length > 0 && path[length] !== path[at]) length = borders[length] as number;
    // The border of one byte is none.
    if (at > 0 && path[length] === path[at]) length += 1;
    borders[at + 1] = length;
  }
  return borders;
}

/**
 * The nodes with which these forms begin.
 * @param forms of which the first so many bytes are the same
 */
export function treesOf(forms: readonly Form[], bytes: number): FormNode[] {
  const longEnough = (node: FormNode): FormNode[] =>
    node.path.length >= bytes ? [node] : node.children.flatMap(longEnough);
  const texts = Map.groupBy(forms, ({ text }) => text);
  return [...texts].flatMap(([text, some]) => {
    const spellings = some.map(({ spell }) => spell);
    return longEnough(new FormNode(text, spellings, 0, '', new Uint32Array(1)));
  });
}
