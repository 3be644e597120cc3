/** A position in the order of a list. Names are unique for an owner, so the id never decides; it ties a cursor to one secret. */
export interface Position {
  readonly name: string;
  readonly id: string;
}
