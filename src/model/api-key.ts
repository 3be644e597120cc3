import type { Actor, Scope } from './principal.ts';
import type { RecordMac } from './secret.ts';

/** A credential of a machine. It acts for its team, or for one connector of it. There is no field for the key itself. */
export interface ApiKey {
  /** A UUIDv7, so that ids are in the order in which keys were made. */
  readonly id: string;
  readonly teamId: string;
  /** Null: it acts for the whole team. */
  readonly connectorId: string | null;
  readonly name: string;
  /** How the key begins, so that people recognise it. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly createdBy: Actor;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** An API key as a store holds it. */
export interface ApiKeyRecord extends ApiKey {
  /** SHA-256 of the key. Nothing else is kept of it. */
  readonly hash: string;
  /** Over everything but `lastUsedAt`: who writes to the database cannot make a key, or give one more rights. */
  readonly mac: RecordMac;
}
