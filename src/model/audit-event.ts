import type { Actor } from './principal.ts';

/** What an operation records: who did what to which version of a secret, when, and in which request. */
export interface NewAuditEvent {
  readonly type: 'secret.created' | 'secret.updated' | 'secret.deleted';
  readonly actor: Actor;
  readonly requestId: string;
  readonly at: Date;
  readonly secretId: string;
  readonly version: number;
}

/** One link of an owner's audit chain; store/audit.ts makes its hash. */
export interface AuditEvent extends NewAuditEvent {
  readonly sequence: number;
  readonly previousHash: string;
  readonly hash: string;
}
