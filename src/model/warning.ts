/** Something in an input that was kept as it was sent, but looks like a mistake. */
export interface Warning {
  readonly field: string;
  readonly type: string;
  /** What it looks like and what to do; never what was sent. */
  readonly message: string;
}
