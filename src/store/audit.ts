import type { EventMac } from '../crypto/event-mac.ts';
import type { AuditEvent, AuditFilter, ChainHead, LinkedEvent } from '../model/audit-event.ts';
import type { Owner } from '../model/owner.ts';
import { type OwnedWrite, ownerOfWrite } from './store.ts';

/** Makes the MAC of an event of this owner: all that a store knows of keys. */
export type MacOfEvent = (owner: Owner, event: LinkedEvent) => EventMac;

export const chainStart: ChainHead = { sequence: 0, hash: '' };

/**
 * What an owner has of its chain. Events are in the order of their commits, and their times need not be: gateways have clocks
 * of their own. `maxLagMs` bounds it: no event is that much earlier than one before it.
 */
export interface ChainState {
  readonly head: ChainHead;
  /** The latest time of an event. */
  readonly latestAt: Date;
  readonly maxLagMs: number;
}

export const emptyChain: ChainState = { head: chainStart, latestAt: new Date(0), maxLagMs: 0 };

/** The chain once this event is its head. */
export function extended({ latestAt, maxLagMs }: ChainState, head: AuditEvent): ChainState {
  return {
    head,
    latestAt: head.at > latestAt ? head.at : latestAt,
    maxLagMs: Math.max(maxLagMs, latestAt.getTime() - head.at.getTime()),
  };
}

/** Some events of an owner's chain. */
export interface AuditQuery {
  readonly owner: Owner;
  readonly filter: AuditFilter;
  /** Sequences, both exclusive. */
  readonly after?: number;
  readonly before?: number;
  /** From which end of the range `limit` counts. The answer is in ascending order either way. */
  readonly from: 'start' | 'end';
  /** 0 reads no events. */
  readonly limit: number;
  readonly count: boolean;
  /** Told how many events a filter looked at, again and again. What it throws ends the read. */
  readonly onScan?: (events: number) => void;
}

export interface AuditPage {
  readonly events: readonly AuditEvent[];
  /** Whether the range goes on beyond `limit`. */
  readonly hasMore: boolean;
  /** Of everything that matches the filter, whatever the range; null when it was not asked for. */
  readonly totalCount: number | null;
}

/** By the owner's key. */
export type OwnerHead = readonly [owner: string, head: ChainHead];

/** The audit chains of all owners. Owners are in the order of their keys (UTF-8). */
export interface AuditStore {
  list(query: AuditQuery): Promise<AuditPage>;
  /** The heads of the owners after this key. */
  heads(after: string, limit: number): Promise<OwnerHead[]>;
  /** The events after this one, up to those of the owner `upTo` where it is not null. The first are after `['', 0]`. */
  walk(after: readonly [owner: string, sequence: number], upTo: string | null, limit: number): Promise<OwnedEvent[]>;
  /** How many events there are, as the heads tell. */
  size(): Promise<number>;
  /** The heads of these owners, by their keys. Those without a chain are left out. */
  headsOf(owners: readonly string[]): Promise<OwnerHead[]>;
  /** Tells of what other processes commit, until it is closed. */
  watch(watcher: ChainWatcher): ChainWatch;
}

/** Told of chains that have grown. It is a signal to look, and no more: the same growth may be told twice. */
export interface ChainWatcher {
  /** @param owner the owner's key */
  onGrown(owner: string, sequence: number): void;
  /** Chains may have grown that were not told of: their heads must be looked at. */
  onUnknown(): void;
}

export interface ChainWatch {
  close(): Promise<void>;
}

export type OwnedEvent = readonly [owner: string, event: AuditEvent];

/** The event of a write as the next link after `head` in its owner's chain. */
export function nextAuditEvent(head: ChainHead, write: OwnedWrite, macOfEvent: MacOfEvent): AuditEvent {
  const link = {
    ...write.event,
    sequence: head.sequence + 1,
    previousHash: head.hash,
    recordMac: recordMacOf(write),
  };
  return { ...link, ...macOfEvent(ownerOfWrite(write), link) };
}

function recordMacOf(write: OwnedWrite): string | null {
  switch (write.type) {
    case 'insertSecret':
      return write.record.mac.tag;
    case 'updateSecret':
    case 'restoreSecret':
      return write.mac.tag;
    case 'deleteSecret':
    case 'purgeSecret':
    case 'purgeDeletedSecret':
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
