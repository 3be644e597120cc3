import { isEventOf } from '../crypto/event-mac.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { AuditEvent, ChainHead } from '../model/audit-event.ts';
import type { Owner } from '../model/owner.ts';
import { chainStart } from '../store/audit.ts';
import type { Store } from '../store/store.ts';

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

export interface VerifyOptions {
  /** Heads of this chain that are known from elsewhere, such as the log. The chain must have had each. */
  readonly heads?: readonly ChainHead[];
  /** Told after every page how many of how many events were walked. */
  readonly onProgress?: (done: number, total: number) => void;
}

const pageSize = 1000;

/**
 * Walks an owner's audit chain from its first event on. Gateways may append to it meanwhile.
 * @throws DomainError when the store cannot be reached
 */
export async function verifyChain(
  store: Store,
  owner: Owner,
  keyring: Keyring,
  { heads = [], onProgress }: VerifyOptions = {},
): Promise<ChainVerdict> {
  const begun = await store.chainHead(owner);
  const expected = new Map<number, Set<string>>();
  for (const { sequence, hash } of [begun, ...heads]) {
    expected.set(sequence, (expected.get(sequence) ?? new Set()).add(hash));
  }
  const broken = (sequence: number, how: BrokenLink): ChainVerdict => ({ valid: false, sequence, broken: how });

  let head = chainStart;
  for (;;) {
    const page = await store.auditEvents(owner, head.sequence, pageSize);
    for (const event of page) {
      const how = brokenLink(owner, event, head, keyring);
      if (how) return broken(head.sequence + 1, how);
      for (const hash of expected.get(event.sequence) ?? []) {
        if (hash !== event.hash) return broken(event.sequence, 'head');
      }
      head = { sequence: event.sequence, hash: event.hash };
    }
    onProgress?.(head.sequence, Math.max(head.sequence, begun.sequence));
    if (page.length < pageSize) break;
  }
  // An event and its owner's head are written in one transaction, so that no event is ahead of a head that is read after it.
  const ended = await store.chainHead(owner);
  if (ended.sequence < head.sequence) return broken(ended.sequence + 1, 'head');
  const longest = Math.max(...expected.keys());
  if (longest > head.sequence) return broken(head.sequence + 1, 'missing');
  return { valid: true, head };
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
