import type { Destination } from './destination.ts';
import type { Sealed, SealedMark } from './envelope.ts';
import type { Owner } from './owner.ts';
import type { Actor } from './principal.ts';
import type { HealthStatus, SecretHealth } from './secret-health.ts';
import type { Warning } from './warning.ts';

/** What a caller may see of a secret. There is no field for a value. */
export interface Secret {
  readonly id: string;
  readonly owner: Owner;
  readonly placeholder: string;
  readonly name: string;
  readonly provider: string | null;
  readonly notes: string | null;
  readonly tags: readonly string[];
  readonly maskedValue: string | null;
  /** Where the value may be sent; null: nowhere. It belongs to the value, and changes with it alone. */
  readonly destination: Destination | null;
  readonly version: number;
  /** When somebody should replace the value. Nothing happens then. */
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly createdBy: Actor;
  /** Who made the last change. */
  readonly updatedBy: Actor;
  /** When the value was last sent to its destination. It is no change of the secret, and no MAC has it. */
  readonly lastUsedAt: Date | null;
  /** What was last found out about the value. It is no change of the secret, and no MAC has it. */
  readonly health: SecretHealth | null;
}

/** A secret as it was just written, and what looks like a mistake in what was sent. */
export interface WrittenSecret extends Secret {
  readonly warnings: readonly Warning[];
}

/** The MAC of a record (crypto/record.ts), and the key that made it. */
export interface RecordMac {
  readonly kid: string;
  readonly tag: string;
}

/** What a store has of a secret beside its envelope: enough to check its MAC, and to make the next one. */
export interface StoredSecret extends Secret {
  /** Null while no value is set. */
  readonly sealed: SealedMark | null;
  readonly mac: RecordMac;
}

/** A secret with its sealed value, as a store holds it. */
export interface SecretRecord extends StoredSecret {
  readonly sealed: Sealed | null;
}

/** Which secrets of an owner a list holds. A field that is left out does not narrow the list. */
export interface SecretFilter {
  readonly name?: string;
  /** Not empty. */
  readonly nameStartsWith?: string;
  readonly provider?: string;
  /** All of them; not empty. */
  readonly tags?: readonly string[];
  readonly placeholder?: string;
  /** Exclusive. A secret without `expiresAt` does not match. */
  readonly expiresBefore?: Date;
  /** Last updated before it: exclusive. */
  readonly notUpdatedSince?: Date;
  readonly hasValue?: boolean;
  /** Exactly this one. A secret without health does not match. */
  readonly health?: HealthStatus;
  /** Last used before it, exclusive, or never. */
  readonly notUsedSince?: Date;
}
