import type { Keyring } from '../crypto/keyring.ts';
import type { AuditEvent, ChainHead } from '../model/audit-event.ts';
import type { Owner } from '../model/owner.ts';
import type { Store } from '../store/store.ts';
import { ChainCheck, type ChainVerdict } from './chain-check.ts';

export interface VerifyOptions {
  /** Heads of this chain that are known from elsewhere, such as the log. The chain must have had each. */
  readonly heads?: readonly ChainHead[];
  /** Told every event that is read, also behind a broken link where it is given. */
  readonly onEvent?: (event: AuditEvent) => void | Promise<void>;
  /** Told after every page how many of how many events were walked. */
  readonly onProgress?: (done: number, total: number) => void;
}

const pageSize = 1000;

/**
 * Walks an owner's audit chain from its first event on. Gateways may append to it meanwhile.
 * @throws DomainError when the store cannot be reached
 */
export async function verifyChain(
  store: Pick<Store, 'auditEvents' | 'chainHead'>,
  owner: Owner,
  keyring: Keyring,
  { heads = [], onEvent, onProgress }: VerifyOptions = {},
): Promise<ChainVerdict> {
  const begun = await store.chainHead(owner);
  const check = new ChainCheck(owner, keyring, begun, heads);
  for (let after = 0, walked = 0; ; ) {
    const page = await store.auditEvents(owner, after, pageSize);
    for (const event of page) {
      const broken = check.next(event);
      await onEvent?.(event);
      if (broken && !onEvent) return broken;
      after = event.sequence;
    }
    walked += page.length;
    onProgress?.(walked, Math.max(walked, begun.sequence));
    if (page.length < pageSize) break;
  }
  return check.end(await store.chainHead(owner));
}
