/** Where a value may be sent, and where it is put in. */
export interface Destination {
  readonly origin: string;
  readonly header: string;
  /** Has exactly one `{value}`. */
  readonly format: string;
  /** Prefixes of whole segments; null allows every path. */
  readonly paths: readonly string[] | null;
}
