/** Where a value may be sent, and where it is put in. */
export interface Destination {
  readonly origin: string;
  /** As it was given. Names of headers have no case. */
  readonly header: string;
  /** Has exactly one `{value}`. */
  readonly format: string;
  /** Prefixes of whole segments; null allows every path. */
  readonly paths: readonly string[] | null;
  /** Whether a caller named it. Otherwise it is the one that the provider table had when the value was set. */
  readonly byHand: boolean;
}
