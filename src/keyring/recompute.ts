import { setTimeout } from 'node:timers/promises';
import { digestOfValue } from '../crypto/equality.ts';
import { KeyMissing } from '../crypto/key-missing.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { openRecordBytes, RecordRejected } from '../crypto/record.ts';
import { ConfigurationError } from '../errors.ts';
import type { ValueDigest } from '../model/envelope.ts';
import type { SecretRecord } from '../model/secret.ts';
import { retried } from '../runtime/retry.ts';
import type { Store } from '../store/store.ts';
import { countKids } from './count.ts';
import { readKeyring } from './file.ts';
import { reloadMs } from './live.ts';

export interface RecomputeOptions {
  /** Told after every page how many of how many digests are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work after the current page; another run continues from there. */
  readonly signal?: AbortSignal;
}

export interface RecomputeReport {
  readonly computed: number;
  /** How many values have no digest under the active key yet, without those that do not open. */
  readonly left: number;
  /** Ids of secrets whose record or value something other than a gateway changed. */
  readonly damaged: readonly string[];
  /** Values that need a key which the keyring lacks, by `kid`. */
  readonly missing: ReadonlyMap<string, number>;
}

/** A gateway that has not read the new key yet may write a digest under the old one behind a pass. The next pass finds it. */
const maxPasses = 3;
/** Values have up to 64 KiB. */
const pageSize = 100;
/** Gateways look at the file as often as this, and read it within a moment. */
const knownMs = reloadMs + 1000;

/**
 * Makes the digest of every current value that has none under the active equality key. Each value is opened once, and nothing
 * but its digest is written: versions, dates, MACs and the audit log stay as they are. Gateways can keep running; they find
 * digests under every key that is not retired. Wherever a run is interrupted, each value has one digest, under one key or the
 * other.
 * @param keyringFile read again before every write
 * @throws ConfigurationError when another key has become active, or the file is bad
 * @throws DomainError when the store stays away
 */
export async function recomputeDigests(
  store: Store,
  keyring: Keyring,
  keyringFile: string,
  { onProgress, signal }: RecomputeOptions = {},
): Promise<RecomputeReport> {
  await knownToGateways(keyring, signal);
  const { kid } = keyring.equality.active;
  let left = await countOthers(store, kid);
  let computed = 0;
  let failures = newFailures();
  for (let pass = 1; pass <= maxPasses && left > failures.count && !signal?.aborted; pass += 1) {
    const total = computed + left;
    failures = newFailures();
    for await (const { records, damaged } of undigestedPages(store, kid)) {
      for (const id of damaged) failures.add(new RecordRejected(id, 'the owner of the secret is damaged'));
      const digests = await digestsOf(records, keyring, failures);
      // What a gateway wrote meanwhile stays as that gateway left it.
      computed += await retried(async () => {
        await requireActive(keyringFile, kid);
        return store.digests.put(digests);
      });
      onProgress?.(computed, total);
      if (signal?.aborted) break;
    }
    left = await countOthers(store, kid);
  }
  await requireActive(keyringFile, kid);
  const { damaged, missing } = failures;
  return { computed, left: Math.max(0, left - failures.count), damaged, missing };
}

/** A gateway that does not have the new key yet would no longer find what is under it. */
async function knownToGateways({ equality: { keys } }: Keyring, signal: AbortSignal | undefined): Promise<void> {
  const replaced = [...keys.values()].map(({ replacedAt }) => replacedAt?.getTime() ?? 0);
  const waitMs = Math.max(...replaced) + knownMs - Date.now();
  if (waitMs > 0) await setTimeout(Math.min(waitMs, knownMs), undefined, signal && { signal }).catch(() => {});
}

async function requireActive(keyringFile: string, kid: string): Promise<void> {
  if ((await readKeyring(keyringFile)).equality.active.kid === kid) return;
  throw new ConfigurationError('Another key became active. Run this again, to compute all digests under that key.');
}

async function countOthers(store: Store, kid: string): Promise<number> {
  const counts = await countKids(store, 'digests');
  counts.delete(kid);
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

async function* undigestedPages(store: Store, kid: string) {
  for (let after: string | null = ''; after !== null; ) {
    const from: string = after;
    const page = await retried(() => store.digests.undigested(kid, from, pageSize));
    yield page;
    after = page.next;
  }
}

function newFailures() {
  const damaged: string[] = [];
  const missing = new Map<string, number>();
  return {
    damaged,
    missing,
    get count() {
      return damaged.length + [...missing.values()].reduce((sum, count) => sum + count, 0);
    },
    add(error: unknown) {
      if (error instanceof RecordRejected) damaged.push(error.secretId);
      else if (error instanceof KeyMissing) missing.set(error.kid, (missing.get(error.kid) ?? 0) + 1);
      else throw error;
    },
  };
}

async function digestsOf(
  records: readonly SecretRecord[],
  keyring: Keyring,
  failures: ReturnType<typeof newFailures>,
): Promise<{ readonly record: SecretRecord; readonly digest: ValueDigest }[]> {
  const digests = [];
  for (const record of records) {
    try {
      const value = await openRecordBytes(record, keyring);
      if (!value || !record.sealed) continue;
      digests.push({ record, digest: digestOfValue(value, record, record.sealed, keyring) });
      value.fill(0);
    } catch (error) {
      failures.add(error);
    }
  }
  return digests;
}
