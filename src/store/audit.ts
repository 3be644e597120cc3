import type { EventMac } from '../crypto/event-mac.ts';
import type { AuditEvent, ChainHead, LinkedEvent } from '../model/audit-event.ts';
import type { Owner } from '../model/owner.ts';
import { ownerOfWrite, type Write } from './store.ts';

/** Makes the MAC of an event of this owner: all that a store knows of keys. */
export type MacOfEvent = (owner: Owner, event: LinkedEvent) => EventMac;

export const chainStart: ChainHead = { sequence: 0, hash: '' };

/** The event of a write as the next link after `head` in its owner's chain. */
export function nextAuditEvent(head: ChainHead, write: Write, macOfEvent: MacOfEvent): AuditEvent {
  const link = {
    ...write.event,
    sequence: head.sequence + 1,
    previousHash: head.hash,
    recordMac: recordMacOf(write),
  };
  return { ...link, ...macOfEvent(ownerOfWrite(write), link) };
}

function recordMacOf(write: Write): string | null {
  switch (write.type) {
    case 'insertSecret':
      return write.record.mac.tag;
    case 'updateSecret':
      return write.mac.tag;
    case 'deleteSecret':
    case 'useSecret':
      return write.secret.mac.tag;
    case 'insertApiKey':
      return write.record.mac.tag;
    case 'changeApiKey':
      return write.to.mac.tag;
    case 'appendEvent':
      return write.recordMac ?? null;
  }
}

/** For a store that was opened to read and to rewrap. */
export const cannotMac: MacOfEvent = () => {
  throw new Error('the store was opened without a MAC key, so that nothing can be committed to it');
};
