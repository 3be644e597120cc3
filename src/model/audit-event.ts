import type { Actor } from './principal.ts';

/** What an operation records: who did what to which version of a secret or to which API key, when, and in which request. */
export interface NewAuditEvent {
  readonly type:
    | 'secret.created'
    | 'secret.updated'
    | 'secret.deleted'
    | 'secret.resolved'
    | 'apiKey.created'
    | 'apiKey.rotated'
    | 'apiKey.revoked';
  readonly actor: Actor;
  readonly requestId: string;
  readonly at: Date;
  /** With `version`, or `apiKeyId` alone. */
  readonly secretId?: string;
  readonly version?: number;
  readonly apiKeyId?: string;
  /** What a value was delivered for, in the words of who asked. */
  readonly purpose?: string;
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
