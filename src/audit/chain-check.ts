import { isEventOf } from '../crypto/event-mac.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { AuditEvent, ChainHead } from '../model/audit-event.ts';
import type { Owner } from '../model/owner.ts';
import { chainStart } from '../store/audit.ts';

/**
 * missing: an event is not there · moved: it does not follow the one before it · unknown-key: the keyring has no MAC key of
 * its `kid`, or that key is retired · forged: its MAC is not that of a gateway · head: the chain ends elsewhere than its
 * owner's head, or than a head that is known
 */
export type BrokenLink = 'missing' | 'moved' | 'unknown-key' | 'forged' | 'head';

export type ChainVerdict =
  | { readonly valid: true; readonly head: ChainHead }
  /** The first link that is broken, by its number in the chain. */
  | { readonly valid: false; readonly sequence: number; readonly broken: BrokenLink };

/** Checks a chain, event by event. */
export class ChainCheck {
  readonly #owner: Owner;
  readonly #keyring: Keyring;
  readonly #expected = new Map<number, Set<string>>();
  readonly #begun: ChainHead;
  #head = chainStart;
  #broken: ChainVerdict | null = null;

  /**
   * @param begun the head of the owner, as it was before the first event was read
   * @param heads that are known from elsewhere, such as the log. The chain must have had each
   */
  constructor(owner: Owner, keyring: Keyring, begun: ChainHead, heads: readonly ChainHead[] = []) {
    this.#owner = owner;
    this.#keyring = keyring;
    this.#begun = begun;
    for (const { sequence, hash } of [begun, ...heads]) {
      this.#expected.set(sequence, (this.#expected.get(sequence) ?? new Set()).add(hash));
    }
  }

  /** The last event that holds. */
  get head(): ChainHead {
    return this.#head;
  }

  /** Whether it has events that were written after `begun` was read. */
  get hasGrown(): boolean {
    return this.#head.sequence > this.#begun.sequence;
  }

  /** Takes the next event. After the first that is broken, nothing is checked any more. */
  next(event: AuditEvent): ChainVerdict | null {
    if (this.#broken) return this.#broken;
    const how = brokenLink(this.#owner, event, this.#head, this.#keyring);
    if (how) return this.#breakAt(this.#head.sequence + 1, how);
    for (const hash of this.#expected.get(event.sequence) ?? []) {
      if (hash !== event.hash) return this.#breakAt(event.sequence, 'head');
    }
    this.#head = { sequence: event.sequence, hash: event.hash };
    return null;
  }

  /**
   * @param ended the head of the owner, as it is after the last event was read. An event and its owner's head are written in one
   * transaction, so that no event is ahead of it
   */
  end(ended: ChainHead): ChainVerdict {
    if (this.#broken) return this.#broken;
    const { sequence } = this.#head;
    if (ended.sequence < sequence) return this.#breakAt(ended.sequence + 1, 'head');
    const longest = Math.max(...this.#expected.keys());
    if (longest > sequence) return this.#breakAt(sequence + 1, 'missing');
    return { valid: true, head: this.#head };
  }

  #breakAt(sequence: number, broken: BrokenLink): ChainVerdict {
    this.#broken = { valid: false, sequence, broken };
    return this.#broken;
  }
}

function brokenLink(owner: Owner, event: AuditEvent, head: ChainHead, keyring: Keyring): BrokenLink | null {
  if (event.sequence !== head.sequence + 1) return event.sequence > head.sequence + 1 ? 'missing' : 'moved';
  if (event.previousHash !== head.hash) return 'moved';
  try {
    const isGenuine = isEventOf(owner, event, keyring);
    if (isGenuine === undefined) return 'unknown-key';
    return isGenuine ? null : 'forged';
  } catch (error) {
    // A field has a type that no gateway writes.
    if (error instanceof TypeError) return 'forged';
    throw error;
  }
}
