import { EnvelopeRejected, rewrap } from '../crypto/envelope.ts';
import { type Keyring, usableKey } from '../crypto/keyring.ts';
import { ConfigurationError } from '../errors.ts';
import { unknownKid, type WrappedKey } from '../model/envelope.ts';
import { retried } from '../runtime/retry.ts';
import type { Store } from '../store/store.ts';
import { countKids } from './count.ts';
import { readKeyring } from './file.ts';

export interface RewrapOptions {
  /** Told after every page how many of how many envelopes are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work after the current page; another run continues from there. */
  readonly signal?: AbortSignal;
}

export interface RewrapReport {
  readonly rewrapped: number;
  /** How many envelopes are still under other keys than the active one, by `kid`; without the damaged ones. */
  readonly left: ReadonlyMap<string, number>;
  /** Ids of secrets whose envelope is damaged, or whose content key does not unwrap. */
  readonly damaged: readonly string[];
}

/** A gateway that has not read the new key yet may seal under the old key after a pass has read that range. The next pass finds it. */
const maxPasses = 3;
const pageSize = 1000;

/**
 * Wraps the content key of every envelope under the active key. Values and ciphertexts are neither read nor written, so
 * that gateways keep running. Wherever a run is interrupted, each envelope is whole, under one key or the other.
 * @param keyringFile read again before every write
 * @throws ConfigurationError when another key has become active, or the file is bad
 * @throws DomainError when the store stays away
 */
export async function rewrapEnvelopes(
  store: Store,
  keyring: Keyring,
  keyringFile: string,
  { onProgress, signal }: RewrapOptions = {},
): Promise<RewrapReport> {
  let left = await countOthers(store, keyring);
  let rewrapped = 0;
  let damaged: WrappedKey[] = [];
  for (let pass = 1; ; pass += 1) {
    const total = rewrapped + openable(left, keyring);
    damaged = [];
    for await (const page of wrappedKeyPages(store)) {
      const { replacements, rejected } = await rewrapPage(page, keyring);
      damaged.push(...rejected);
      // An envelope that a gateway sealed anew meanwhile stays as that gateway left it.
      rewrapped += await retried(async () => {
        await requireActive(keyringFile, keyring);
        return store.replaceWrappedKeys(replacements);
      });
      onProgress?.(rewrapped, total);
      if (signal?.aborted) break;
    }
    left = await countOthers(store, keyring);
    const lost = damaged.filter(({ kid }) => kid !== unknownKid).length;
    if (pass === maxPasses || openable(left, keyring) <= lost || signal?.aborted) break;
  }
  await requireActive(keyringFile, keyring);
  for (const { kid } of damaged) decrement(left, kid);
  return { rewrapped, left, damaged: damaged.map(({ secretId }) => secretId) };
}

/** A key that is no longer active may be retired by now, and nothing may be wrapped under a retired key. */
async function requireActive(keyringFile: string, { wrap: { active } }: Keyring): Promise<void> {
  if ((await readKeyring(keyringFile)).wrap.active.kid === active.kid) return;
  throw new ConfigurationError('Another key became active. Run this again, to put all envelopes under that key.');
}

/** The wrapped content keys of all envelopes, page by page. */
async function* wrappedKeyPages(store: Store): AsyncGenerator<WrappedKey[]> {
  for (let after = ''; ; ) {
    const page = await retried(() => store.wrappedKeys(after, pageSize));
    const last = page.at(-1);
    if (!last) return;
    yield page;
    after = last.position;
  }
}

async function rewrapPage(page: readonly WrappedKey[], keyring: Keyring) {
  const rejected = page.filter(({ kid }) => kid === unknownKid);
  const replacements: { from: WrappedKey; to: WrappedKey }[] = [];
  const due = page.filter(({ kid }) => kid !== keyring.wrap.active.kid && usableKey(keyring.wrap, kid));
  await Promise.all(
    due.map(async (from) => {
      try {
        replacements.push({ from, to: await rewrap(from, keyring) });
      } catch (error) {
        if (!(error instanceof EnvelopeRejected)) throw error;
        rejected.push(from);
      }
    }),
  );
  return { replacements, rejected };
}

async function countOthers(store: Store, { wrap: { active } }: Keyring): Promise<Map<string, number>> {
  const counts = await countKids(store, 'envelopes');
  counts.delete(active.kid);
  counts.delete(unknownKid);
  return counts;
}

function openable(counts: ReadonlyMap<string, number>, keyring: Keyring): number {
  return [...counts].reduce((sum, [kid, count]) => sum + (usableKey(keyring.wrap, kid) ? count : 0), 0);
}

function decrement(counts: Map<string, number>, kid: string): void {
  const count = counts.get(kid) ?? 0;
  if (count > 1) counts.set(kid, count - 1);
  else counts.delete(kid);
}
