import { type FormNode, treesOf } from './form-tree.ts';
import type { Form } from './value-forms.ts';

/** So many first bytes of each form are looked for, or as many as the shortest has. */
const mostWindowBytes = 16;
const gramBytes = 3;
const grams = 4096;

/** How many first bytes of each form are looked for. @param shortest how many bytes the shortest has at least */
export const windowBytesOf = (shortest: number): number => Math.min(mostWindowBytes, shortest);

const gramOf = (one: number, two: number, three: number): number => (three ^ (two << 3) ^ (one << 6)) & (grams - 1);
const gramAt = (bytes: Buffer, end: number): number =>
  gramOf(bytes[end - 2] as number, bytes[end - 1] as number, bytes[end] as number);
const gramIn = (text: string, end: number): number =>
  gramOf(text.charCodeAt(end - 2), text.charCodeAt(end - 1), text.charCodeAt(end));

/** The forms whose first bytes are the same. They are written as a whole only where these bytes are found. */
class Group {
  readonly first: string;
  readonly forms: Form[] = [];
  #trees: readonly FormNode[] | undefined;

  constructor(first: string) {
    this.first = first;
  }

  /** Whether these bytes from `start` on are the first of its own, as many as there are. */
  beginsAt(bytes: Buffer, start: number, end: number): boolean {
    for (let at = start; at < end; at += 1) if (bytes[at] !== this.first.charCodeAt(at - start)) return false;
    return true;
  }

  trees(): readonly FormNode[] {
    this.#trees ??= treesOf(this.forms, this.first.length);
    return this.#trees;
  }
}

/** The first bytes of all forms, so that most bytes of a stream need not be looked at (Wu and Manber). */
export class FormTable {
  readonly windowBytes: number;
  /** For the last bytes of a window: how far the next window may be. 0 where it may be the beginning of a form. */
  readonly shifts = new Uint8Array(grams);
  readonly #groups: readonly Group[];
  readonly #groupsByGram = new Map<number, Group[]>();
  readonly #begins = new Uint8Array(256);

  /** @param shortest how many bytes the shortest of the forms has at least */
  constructor(forms: readonly Form[], shortest: number) {
    this.windowBytes = windowBytesOf(shortest);
    this.#groups = groupsOf(forms, this.windowBytes);
    this.shifts.fill(this.windowBytes - gramBytes + 1);
    for (const group of this.#groups) this.#add(group);
  }

  groupsAt(gram: number): readonly Group[] {
    return this.#groupsByGram.get(gram) ?? [];
  }

  /** The length of the longest end of these bytes, shorter than a window and longer than `least`, with which a form begins. */
  longestBeginning(bytes: Buffer, least: number): number {
    for (let length = Math.min(bytes.length, this.windowBytes - 1); length > least; length -= 1) {
      const start = bytes.length - length;
      if (this.#begins[bytes[start] as number] === 0) continue;
      if (this.#groups.some((group) => group.beginsAt(bytes, start, bytes.length))) return length;
    }
    return least;
  }

  #add(group: Group): void {
    const last = this.windowBytes - 1;
    this.#begins[group.first.charCodeAt(0)] = 1;
    for (let end = gramBytes - 1; end <= last; end += 1) {
      const gram = gramIn(group.first, end);
      this.shifts[gram] = Math.min(this.shifts[gram] as number, last - end);
    }
    const gram = gramIn(group.first, last);
    const others = this.#groupsByGram.get(gram);
    if (others) others.push(group);
    else this.#groupsByGram.set(gram, [group]);
  }
}

function groupsOf(forms: readonly Form[], windowBytes: number): Group[] {
  const groups = new Map<string, Group>();
  for (const form of forms) {
    const first = form.first(windowBytes);
    let group = groups.get(first);
    if (!group) {
      group = new Group(first);
      groups.set(first, group);
    }
    group.forms.push(form);
  }
  return [...groups.values()];
}

/** Bytes of a stream, counted from its beginning. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What runs of one search share. */
interface Progress {
  /** Those that stand within their paths. */
  readonly active: Set<Run>;
  /** What was found in the newest bytes. */
  found: { start: number; end: number }[];
}

/**
 * Follows one node of the tree, from where a shorter beginning was found: its parent or a window. It ends where the stream has
 * no more than that shorter beginning, which is found by others.
 */
class Run {
  readonly #node: FormNode;
  readonly #least: number;
  readonly #progress: Progress;
  #children: readonly Run[] | undefined;
  /** All before was looked at. */
  #at = 0;
  /** So many bytes of the path stand before `at`; 0 while it is not followed. */
  #length = 0;
  /** What it found last, and among what. */
  #last: { start: number; end: number } | undefined;
  #found: Progress['found'] | undefined;

  constructor(node: FormNode, least: number, progress: Progress) {
    this.#node = node;
    this.#least = least;
    this.#progress = progress;
  }

  /** How many bytes of the path stand at the end of what was read. */
  get length(): number {
    return this.#length;
  }

  /** @param at where the shorter beginning ends. @param base where the bytes begin in the stream */
  begin(at: number, bytes: Buffer, base: number): void {
    this.follow(bytes, base);
    if (at <= this.#at) return;
    this.#at = at;
    this.#length = this.#least;
    this.#progress.active.add(this);
    if (this.#length === this.#node.path.length) this.#reach(bytes, base);
    this.follow(bytes, base);
  }

  /** @param base where the bytes begin in the stream */
  follow(bytes: Buffer, base: number): void {
    if (this.#length === 0) return;
    let { path, borders } = this.#node;
    const least = this.#least;
    const end = base + bytes.length;
    while (this.#length > 0 && this.#at < end) {
      const byte = bytes[this.#at - base];
      let length = this.#length;
      while (length >= least && path[length] !== byte) length = borders[length] as number;
      this.#length = length < least ? 0 : length + 1;
      if (this.#length > 0) this.#at += 1;
      if (this.#length === path.length) {
        this.#reach(bytes, base);
        ({ path, borders } = this.#node);
      }
    }
    if (this.#length === 0) this.#progress.active.delete(this);
  }

  /** The path stands before `at`. */
  #reach(bytes: Buffer, base: number): void {
    const node = this.#node;
    if (node.grow()) return;
    const { path, borders } = node;
    if (node.isForm) this.#find(this.#at - path.length);
    this.#children ??= node.children.map((child) => new Run(child, path.length, this.#progress));
    for (const child of this.#children) child.#beginBefore(bytes[this.#at - base], this.#at, bytes, base);
    const border = borders[path.length] as number;
    this.#length = border < this.#least ? 0 : border;
  }

  /** Most children end at once: they are not begun. @param next the byte at `at`, if it has come */
  #beginBefore(next: number | undefined, at: number, bytes: Buffer, base: number): void {
    if (next === undefined || next === this.#node.path[this.#least]) this.begin(at, bytes, base);
  }

  #find(start: number): void {
    const { found } = this.#progress;
    const last = found === this.#found ? this.#last : undefined;
    if (last && start <= last.end) {
      last.end = this.#at;
      return;
    }
    this.#found = found;
    this.#last = { start, end: this.#at };
    found.push(this.#last);
  }
}

/**
 * Finds all forms in a stream, in time that is linear in its bytes, whatever the value and the stream are: who chooses both must
 * not be able to hold up others. A node of the tree compares each byte once, and only where its beginning stands.
 */
export class FormSearch {
  readonly #table: FormTable;
  readonly #runs = new Map<Group, readonly Run[]>();
  readonly #progress: Progress = { active: new Set(), found: [] };
  /** The last bytes, with which a window may begin. */
  #tail: Buffer = Buffer.alloc(0);
  #read = 0;

  constructor(table: FormTable) {
    this.#table = table;
  }

  /** @returns the ranges that were found, sorted by their starts. They may overlap, and begin in earlier bytes */
  read(chunk: Buffer): Range[] {
    const overlap = this.#table.windowBytes - 1;
    const tail = this.#tail;
    const edge = Buffer.concat([tail, chunk.subarray(0, overlap)]);
    this.#scan(edge, this.#read - tail.length);
    if (chunk.length > overlap) {
      this.#scan(chunk, this.#read);
      this.#tail = Buffer.from(chunk.subarray(chunk.length - overlap));
    } else this.#tail = edge.subarray(Math.max(0, edge.length - overlap));
    this.#read += chunk.length;
    const { found } = this.#progress;
    if (found.length > 0) this.#progress.found = [];
    return found.sort((a, b) => a.start - b.start);
  }

  /** How many of the last bytes may be the beginning of a form. */
  beginning(): number {
    let longest = 0;
    for (const { length } of this.#progress.active) longest = Math.max(longest, length);
    return this.#table.longestBeginning(this.#tail, longest);
  }

  #scan(bytes: Buffer, base: number): void {
    for (const run of this.#progress.active) run.follow(bytes, base);
    const { shifts, windowBytes } = this.#table;
    for (let last = windowBytes - 1; last < bytes.length; ) {
      const gram = gramAt(bytes, last);
      const shift = shifts[gram] as number;
      if (shift === 0) this.#look(bytes, base, last + 1, gram);
      last += shift === 0 ? 1 : shift;
    }
  }

  /** @param end the end of a window */
  #look(bytes: Buffer, base: number, end: number, gram: number): void {
    const start = end - this.#table.windowBytes;
    for (const group of this.#table.groupsAt(gram)) {
      if (!group.beginsAt(bytes, start, end)) continue;
      let runs = this.#runs.get(group);
      if (!runs) {
        runs = group.trees().map((tree) => new Run(tree, group.first.length, this.#progress));
        this.#runs.set(group, runs);
      }
      for (const run of runs) run.begin(base + end, bytes, base);
    }
  }
}
