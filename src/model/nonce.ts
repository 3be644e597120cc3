/** What makes a write possible once only. */
export interface Nonce {
  /** What stands for the one-time id of a client: as short as a key of an index may be, whatever the client chose. */
  readonly digest: string;
  /** Until then it is kept at least. */
  readonly keptUntil: Date;
}
