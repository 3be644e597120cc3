import { createHash } from 'node:crypto';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { AuditEvent, Change } from './store.ts';

/** Where an owner's chain ends. An owner without events has sequence 0 and the empty hash. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

export const chainStart: ChainHead = { sequence: 0, hash: '' };

/**
 * SHA-256 (hex) over everything an event says and the hash of the one before, so that no event can be
 * changed, dropped or put elsewhere without breaking every later link of its owner's chain.
 */
export function auditHash(owner: Owner, event: Omit<AuditEvent, 'hash'>): string {
  const { previousHash, sequence, at, type, secretId, version, actor, requestId } = event;
  const fields = [previousHash, ownerKey(owner), sequence, at.toISOString(), type, secretId, version, actor, requestId];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** The event that records this change as the next link after `head`. */
export function nextAuditEvent(head: ChainHead, change: Change): AuditEvent {
  const secret = changedSecret(change);
  const event = {
    ...change.audit,
    sequence: head.sequence + 1,
    secretId: secret.id,
    version: secret.version,
    previousHash: head.hash,
  };
  return { ...event, hash: auditHash(secret.owner, event) };
}

export function changedSecret(change: Change) {
  return change.type === 'insert' ? change.record : change.secret;
}

/** By how much a change moves its owner's count of secrets. */
export const countDelta = { insert: 1, update: 0, delete: -1 } as const;
