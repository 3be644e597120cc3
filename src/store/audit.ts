import { createHash } from 'node:crypto';
import type { AuditEvent, NewAuditEvent } from '../model/audit-event.ts';
import { type Owner, ownerKey } from '../model/owner.ts';

/** The last link of an owner's chain. An owner without events has sequence 0 and the empty hash. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

export const chainStart: ChainHead = { sequence: 0, hash: '' };

/**
 * SHA-256 (hex) over everything an event says and the hash of the event before it. An event that is changed, dropped or
 * moved breaks every later link of its owner's chain.
 */
export function auditHash(owner: Owner, event: Omit<AuditEvent, 'hash'>): string {
  const { previousHash, sequence, at, type, secretId, version, actor, requestId } = event;
  const who = [actor.kind, actor.id];
  const fields = [previousHash, ownerKey(owner), sequence, at.toISOString(), type, secretId, version, who, requestId];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** The event as the next link after `head` in this owner's chain. */
export function nextAuditEvent(head: ChainHead, owner: Owner, event: NewAuditEvent): AuditEvent {
  const link = { ...event, sequence: head.sequence + 1, previousHash: head.hash };
  return { ...link, hash: auditHash(owner, link) };
}
