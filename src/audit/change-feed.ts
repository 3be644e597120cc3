import { setTimeout as sleep } from 'node:timers/promises';
import { encodeNumberCursor } from '../crypto/cursor.ts';
import { KeyMissing } from '../crypto/key-missing.ts';
import { DomainError } from '../errors.ts';
import type { AuditEvent, AuditEventType } from '../model/audit-event.ts';
import { type Owner, ownerKey } from '../model/owner.ts';
import type { SecretChange, SecretChangeType } from '../model/secret-change.ts';
import { createPacing } from '../runtime/pacing.ts';
import { type AuditDependencies, requireGenuine } from './list-events.ts';

/** Events that are read at once. To verify as many takes about a millisecond. */
const pageSize = 200;
/** Changes that wait for one follower. One that is further behind reads them itself, when it is ready for them. */
const maxWaiting = 256;
/** Changes that are told together. Whoever tells them holds what they select. */
const maxAtOnce = 20;
const [firstPauseMs, maxPauseMs] = [50, 2000];
/** How often an event is looked for that was told of. After a majority has it, it is there at once. */
const maxLooks = 10;

/** In events, over all feeds: other requests are answered between the pages of a long chain. */
const pace = createPacing(2 * pageSize);

/** The events that are changes to a secret. A duplicate is told by its target's chain, where it is created. */
const changeTypes: { readonly [type in AuditEventType]?: SecretChangeType } = {
  'secret.created': 'CREATED',
  'secret.updated': 'UPDATED',
  'secret.rolledBack': 'UPDATED',
  'secret.deleted': 'DELETED',
  'secret.restored': 'RESTORED',
  'secret.purged': 'PURGED',
  'secret.rejected': 'REJECTED',
};

/** What tells the cursors of an owner's changes from those of every other list. */
export function changesList(owner: Owner): readonly string[] {
  return ['secretChanged', ownerKey(owner)];
}

/** Some events of a chain, side by side, as far as they are changes. */
interface Page {
  readonly events: number;
  /** The sequence of the last event. */
  readonly last: number;
  readonly changes: readonly SecretChange[];
}

/** An event of a chain is not there, although a later one is. `code` is its sequence, for the log. */
class MissingEvent extends Error {
  override readonly name = 'MissingEvent';
  readonly code: number;

  constructor(sequence: number) {
    super('an audit event is missing in the database');
    this.code = sequence;
  }
}

/**
 * The changes of one owner, for all who follow them here. Each event that is new is read and verified once, and given to all
 * followers that wait for it.
 */
export class ChangeFeed {
  readonly #dependencies: AuditDependencies;
  readonly #owner: Owner;
  /** The last event that the live followers were given. */
  #head = 0;
  /** The last event that was told of. */
  #heard = 0;
  readonly #live = new Set<Follower>();
  #isReading = false;
  /** Those that are being read, by the event before them. */
  readonly #pages = new Map<number, Promise<Page>>();
  /** How many follow it, live or not. */
  followers = 0;

  constructor(dependencies: AuditDependencies, owner: Owner) {
    this.#dependencies = dependencies;
    this.#owner = owner;
  }

  /** The chain has this event. */
  hear(sequence: number): void {
    if (sequence <= this.#heard) return;
    this.#heard = sequence;
    if (!this.#isReading) void this.#read();
  }

  /** Whether the follower is given what is new from now on; otherwise it is behind, and reads pages until it is not. */
  join(follower: Follower): boolean {
    if (this.#live.size === 0 && !this.#isReading) this.#head = Math.max(this.#head, follower.position);
    if (follower.position < this.#head) return false;
    this.#live.add(follower);
    if (!this.#isReading) void this.#read();
    return true;
  }

  leave(follower: Follower): void {
    this.#live.delete(follower);
  }

  /** The next events after this one. Several followers at the same place share what is read. */
  page(after: number): Promise<Page> {
    const running = this.#pages.get(after);
    if (running) return running;
    const page = this.#readPage(after).finally(() => this.#pages.delete(after));
    this.#pages.set(after, page);
    return page;
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    for (let attempt = 1; this.#live.size > 0 && this.#head < this.#heard; ) {
      try {
        const heard = this.#heard;
        const page = await this.page(this.#head);
        // A majority has the event, as its commit said. Should it never be there, the next one tells of both.
        if (page.events === 0 && attempt === maxLooks) this.#heard = this.#heard === heard ? this.#head : this.#heard;
        else if (page.events === 0) await pause(attempt++);
        else attempt = 1;
        this.#head = page.last;
        for (const follower of this.#live) follower.push(page.changes, page.last);
      } catch (error) {
        if (isTemporary(error)) await pause(attempt++);
        else for (const follower of this.#live) follower.end(error);
      }
    }
    this.#isReading = false;
  }

  /** @throws DomainError when the store does not answer, ForgedEvent, MissingEvent, KeyMissing */
  async #readPage(after: number): Promise<Page> {
    const { store, keyring } = this.#dependencies;
    const owner = this.#owner;
    const events = await store.auditEvents(owner, after, pageSize);
    const turn = pace(events.length);
    if (turn) await turn;
    const ring = keyring();
    const changes: SecretChange[] = [];
    for (const [index, event] of events.entries()) {
      if (event.sequence !== after + 1 + index) throw new MissingEvent(after + 1 + index);
      requireGenuine(owner, event, ring);
      const type = changeTypes[event.type];
      if (type) changes.push(changeOf(type, event, encodeNumberCursor(event.sequence, changesList(owner), ring)));
    }
    return { events: events.length, last: after + events.length, changes };
  }
}

function changeOf(type: SecretChangeType, event: AuditEvent, cursor: string): SecretChange {
  const { secretId = '', version = null, at, sequence } = event;
  return { type, secretId, version, at, sequence, cursor };
}

/** One who follows the changes of an owner from a position on. */
export class Follower {
  /** The last event that was taken, or that waits to be. */
  position: number;
  readonly #feed: ChangeFeed;
  #waiting: SecretChange[] = [];
  #isLive = false;
  #wake: () => void = () => {};
  #ended: { readonly error: unknown } | null = null;

  constructor(feed: ChangeFeed, position: number) {
    this.#feed = feed;
    this.position = position;
  }

  /**
   * Some changes that are there, or the next one. It is asked again when they have been told.
   * @param onRead told how many events were read for this follower alone
   * @returns null when it was ended
   * @throws what it was ended with
   */
  async next(onRead: (events: number) => void): Promise<readonly SecretChange[] | null> {
    for (let attempt = 1; ; ) {
      if (this.#ended) return endedWith(this.#ended.error);
      if (this.#waiting.length > 0) return this.#waiting.splice(0, maxAtOnce);
      this.#isLive ||= this.#feed.join(this);
      if (this.#isLive) {
        await this.#woken(Number.POSITIVE_INFINITY);
        continue;
      }
      try {
        const { events, last, changes } = await this.#feed.page(this.position);
        if (events === 0) await this.#woken(pauseMs(attempt++));
        else attempt = 1;
        onRead(events);
        this.position = last;
        this.#waiting.push(...changes);
      } catch (error) {
        if (!isTemporary(error)) throw error;
        await this.#woken(pauseMs(attempt++));
      }
    }
  }

  push(changes: readonly SecretChange[], last: number): void {
    if (this.#waiting.length + changes.length > maxWaiting) {
      // It is slower than the changes come. Nothing more is kept for it, and nothing is lost: it reads on from its position.
      this.#isLive = false;
      this.#feed.leave(this);
      return;
    }
    for (const change of changes) if (change.sequence > this.position) this.#waiting.push(change);
    this.position = Math.max(this.position, last);
    if (this.#waiting.length > 0) this.#wake();
  }

  /** What waits is not told any more. @param error null where the follower asked for it */
  end(error: unknown): void {
    this.#ended ??= { error };
    this.#feed.leave(this);
    this.#wake();
  }

  #woken(afterMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(afterMs) ? setTimeout(resolve, afterMs) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function endedWith(error: unknown): null {
  if (error !== null) throw error;
  return null;
}

/** Whether the store may answer when it is asked again. */
function isTemporary(error: unknown): boolean {
  if (error instanceof KeyMissing) return false;
  return error instanceof DomainError && (error.code === 'SERVICE_UNAVAILABLE' || error.code === 'GATEWAY_TIMEOUT');
}

function pauseMs(attempt: number): number {
  return (0.5 + Math.random() / 2) * Math.min(firstPauseMs * 2 ** attempt, maxPauseMs);
}

async function pause(attempt: number): Promise<void> {
  await sleep(pauseMs(attempt));
}
