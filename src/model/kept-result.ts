/** For how long it is kept. */
export const keptResultMs = 24 * 60 * 60 * 1000;

/** What is kept of a call with an idempotency key. None of it is a value, or says more of one than its mask. */
export interface KeptResult {
  /** An HMAC over the principal and its idempotency key. */
  readonly id: string;
  /** Who called, with the kind: `user:ada`. */
  readonly principal: string;
  /** An HMAC over the mutation and its input. */
  readonly input: string;
  /** The secret that `result` tells of: its purge removes this, too. */
  readonly secretId: string | null;
  /** JSON; null where the call is made again. */
  readonly result: string | null;
  /** From then on it counts for nothing. */
  readonly keptUntil: Date;
  /** Over all of it (crypto/idempotency.ts). */
  readonly mac: string;
}
