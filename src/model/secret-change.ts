/** What happened to a secret. A rollback is an update. */
export const secretChangeTypes = ['CREATED', 'UPDATED', 'DELETED', 'RESTORED', 'PURGED', 'REJECTED'] as const;

export type SecretChangeType = (typeof secretChangeTypes)[number];

/** One change to a secret, as its owner's audit chain tells it. */
export interface SecretChange {
  readonly type: SecretChangeType;
  readonly secretId: string;
  /** The version that was made, or that was deleted. */
  readonly version: number | null;
  readonly at: Date;
  /** Of the audit event. */
  readonly sequence: number;
  /** The position after this change in the owner's changes, signed. */
  readonly cursor: string;
}
