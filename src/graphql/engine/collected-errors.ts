import type { GraphQLError } from 'graphql';

/** Where a value is in the answer. */
export interface Path {
  readonly prev: Path | undefined;
  readonly key: string | number;
  readonly typename: string | undefined;
}

export function keysOf(path: Path | undefined): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at = path; at; at = at.prev) keys.push(at.key);
  return keys.reverse();
}

/** The errors of one execution. */
export class CollectedErrors {
  readonly errors: GraphQLError[] = [];
  /** The positions that are null because of an error. Undefined is the root. */
  #nulled: Set<Path | undefined> | undefined;

  /** What fails below a position that is null already is not reported: its error was, and the answer may have been sent. */
  add(error: GraphQLError, path: Path | undefined): void {
    this.#nulled ??= new Set();
    if (this.#nulled.has(undefined)) return;
    for (let at = path; at; at = at.prev) if (this.#nulled.has(at)) return;
    this.#nulled.add(path);
    this.errors.push(error);
  }
}
