import type { Destination } from './destination.ts';
import type { Sealed } from './envelope.ts';
import type { Owner } from './owner.ts';
import type { Actor } from './principal.ts';
import type { RecordMac } from './secret.ts';

/** How many of its last values a secret keeps, the current one among them. */
export const keptValues = 10;

/** What a caller may see of a value that a secret has, or had. */
export interface SecretVersion {
  /** The version of the secret in which the value was set. */
  readonly version: number;
  readonly maskedValue: string | null;
  /** Where the value may be sent; null: nowhere. */
  readonly destination: Destination | null;
  /** When the value was set, and by whom. */
  readonly createdAt: Date;
  readonly actor: Actor;
  /** Whether it is the value that the secret has. */
  readonly current: boolean;
}

/** A value that a secret had before, as a store keeps it. */
export interface VersionRecord {
  readonly owner: Owner;
  readonly secretId: string;
  readonly maskedValue: string | null;
  readonly destination: Destination | null;
  readonly sealed: Sealed;
  /** Of this record (crypto/version-record.ts), not of the secret. */
  readonly mac: RecordMac;
}
