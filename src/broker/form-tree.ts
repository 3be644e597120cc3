import type { Form } from './value-forms.ts';

/** What some forms begin with. Most forms differ from others near their ends only, if at all. */
export class FormNode {
  /** From the beginning of the forms. */
  readonly path: Buffer;
  readonly isForm: boolean;
  /** Longer beginnings. No two go on with the same byte. */
  readonly children: readonly FormNode[];
  readonly #parent: FormNode | null;
  #borders: Uint32Array | undefined;

  /** @param forms sorted, all different, at least one */
  constructor(forms: readonly Buffer[], parent: FormNode | null) {
    const first = forms[0] as Buffer;
    const length = commonLength(first, forms.at(-1) as Buffer, parent?.path.length ?? 0);
    this.path = first.subarray(0, length);
    this.isForm = first.length === length;
    this.#parent = parent;
    this.children = byByte(this.isForm ? forms.slice(1) : forms, length).map((some) => new FormNode(some, this));
  }

  /** For each length of a beginning of the path: the longest shorter beginning that it ends with (Knuth, Morris and Pratt). */
  borders(): Uint32Array {
    if (this.#borders) return this.#borders;
    const { path } = this;
    const borders = new Uint32Array(path.length + 1);
    // Of a beginning that another node has, they are the same.
    const known = this.#parent?.borders() ?? new Uint32Array(2);
    borders.set(known);
    let length = known.at(-1) as number;
    for (let at = known.length - 1; at < path.length; at += 1) {
      while (length > 0 && path[length] !== path[at]) length = borders[length] as number;
      if (path[length] === path[at]) length += 1;
      borders[at + 1] = length;
    }
    this.#borders = borders;
    return borders;
  }
}

/** @param forms at least one, which begin with the same bytes */
export function treeOf(forms: readonly Form[]): FormNode {
  const wholes = forms.map((form) => form.whole()).sort((one, other) => one.compare(other));
  return new FormNode(
    wholes.filter((whole, index) => index === 0 || !whole.equals(wholes[index - 1] as Buffer)),
    null,
  );
}

function commonLength(one: Buffer, other: Buffer, from: number): number {
  const end = Math.min(one.length, other.length);
  let length = from;
  while (length < end && one[length] === other[length]) length += 1;
  return length;
}

/** @param forms sorted */
function byByte(forms: readonly Buffer[], at: number): Buffer[][] {
  const parts: Buffer[][] = [];
  let byte = -1;
  for (const form of forms) {
    if (form[at] !== byte) parts.push([]);
    byte = form[at] as number;
    parts.at(-1)?.push(form);
  }
  return parts;
}
