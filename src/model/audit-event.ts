import type { Actor } from './principal.ts';

/** What an event may tell. A filter may name each, also before an operation records it. */
export const auditEventTypes = [
  'secret.created',
  'secret.updated',
  'secret.deleted',
  'secret.restored',
  'secret.purged',
  'secret.rolledBack',
  'secret.duplicated',
  'secret.resolved',
  'secret.used',
  'secret.checked',
  'secret.rejected',
  'apiKey.created',
  'apiKey.rotated',
  'apiKey.revoked',
] as const;

export type AuditEventType = (typeof auditEventTypes)[number];

/** What an operation records: who did what to which version of a secret or to which API key, when, and in which request. */
export interface NewAuditEvent {
  readonly type: AuditEventType;
  readonly actor: Actor;
  readonly requestId: string;
  readonly at: Date;
  /** With `version` and `secretName`, or `apiKeyId` alone. */
  readonly secretId?: string;
  readonly version?: number;
  /** As it is after the change. */
  readonly secretName?: string;
  readonly apiKeyId?: string;
  /** What a value was delivered for, in the words of who asked. */
  readonly purpose?: string;
  /** Of the request that a value was used in. */
  readonly method?: string;
  /** Where a value was sent to. */
  readonly origin?: string;
}

/** What the MAC of an event is over, beside its owner. */
export interface LinkedEvent extends NewAuditEvent {
  readonly sequence: number;
  readonly previousHash: string;
  /** The MAC of the record that the event tells of, as it was left or, where it was deleted, as it was. */
  readonly recordMac: string | null;
}

/** One link of an owner's audit chain. */
export interface AuditEvent extends LinkedEvent {
  /** The MAC key that made the hash. */
  readonly kid: string;
  /** HMAC-SHA-256 in hex (crypto/event-mac.ts). */
  readonly hash: string;
}

/** The last link of an owner's chain. An owner without events has sequence 0 and the empty hash. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

/** Which events of a chain are meant. A field that is left out does not narrow them. */
export interface AuditFilter {
  /** Any of them; not empty. */
  readonly types?: readonly AuditEventType[];
  readonly secretId?: string;
  /** The actor's id, of whatever kind. */
  readonly actor?: string;
  /** Inclusive. */
  readonly since?: Date;
  /** Exclusive. */
  readonly until?: Date;
}
