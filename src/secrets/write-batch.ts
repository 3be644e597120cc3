import { setImmediate } from 'node:timers/promises';
import { DomainError } from '../errors.ts';
import type { Commit } from '../idempotency/once.ts';
import type { Batch, BatchAction } from '../model/batch.ts';
import { actorKey, actorOf } from '../model/principal.ts';
import type { StoredSecret } from '../model/secret.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { backOff } from '../runtime/back-off.ts';
import { recordsOf } from '../store/selected-records.ts';
import { type SelectedSecret, StoreConflict } from '../store/store.ts';
import { paceBatch } from './batch-input.ts';
import { tooMuchContention } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import type { Author } from './first-version.ts';
import {
  actionOf,
  type BatchRules,
  type Candidate,
  isUnchanged,
  type PreparedItem,
  prepareItem,
} from './prepare-item.ts';
import { type Compared, type SameValues, sameValues } from './same-values.ts';

/** Secrets of the owner, by name. */
export type Stored = ReadonlyMap<string, SelectedSecret>;

/** What a batch is made from. */
export interface BatchSource extends BatchRules {
  /** What is to be written, as it is now. @throws DomainError */
  readonly candidates: () => Promise<readonly Candidate[]>;
  /** @throws DomainError where what is stored stands in the way, StoreConflict where a secret changed while it was read */
  readonly check: (candidates: readonly Candidate[], stored: Stored) => Promise<void>;
  /** Called with the item that the store refused, before the next attempt. @throws DomainError where another attempt cannot help */
  readonly refused: (index: number, on: StoreConflict['on']) => void;
}

/** Others may write in between. All is then read again, and what changed is prepared again. */
const maxAttempts = 20;
/** Of the values that a batch writes, and of the stored ones that they replace: all are in memory at once. */
const maxBytes = 16 * 1024 * 1024;
/** Bytes of a value that are sealed for as long as one unit of pacing; to begin takes a third of one. */
const bytesPerUnit = 16 * 1024;
const begin = 1 / 3;

/** An item with what it was prepared from: it stays prepared while that is the same. */
interface Kept extends PreparedItem {
  readonly from: string;
}

/**
 * Writes all items of a batch in one commit, or none of them.
 * @param commit not called for a dry run
 * @throws DomainError SERVICE_UNAVAILABLE, BAD_REQUEST, and what the source throws
 * @throws RecordRejected where something other than a gateway wrote a secret that is to be updated
 */
export async function writeBatch(
  dependencies: Dependencies,
  author: Author,
  source: BatchSource,
  commit: Commit<Batch>,
): Promise<Batch> {
  const { caller } = author;
  const kept = new Map<number, Kept>();
  const compare = sameValues(dependencies, caller);
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    /** The item of each write, once there are writes: a conflict before names its item. */
    let indexes: number[] = [];
    requireBeforeWriteDeadline(caller);
    caller.answer.throwIfStopped();
    const candidates = await source.candidates();
    const stored = await storedOf(dependencies, source, candidates);
    try {
      await source.check(candidates, stored);
      await prepare(dependencies, author, source, candidates, stored, kept, compare);
      const prepared = candidates.flatMap(({ index }) => kept.get(index) ?? []);
      const isComparedValue = candidates.some(
        ({ index, open }) => open && kept.get(index)?.item.action === 'unchanged',
      );
      const batch = { owner: source.owner, items: prepared.map(({ item }) => item), isComparedValue };
      if (source.dryRun) return batch;
      requireBeforeWriteDeadline(caller);
      indexes = prepared.flatMap(({ item, writes }) => writes.map(() => item.index));
      await commit(
        prepared.flatMap(({ writes }) => writes),
        batch,
        prepared.flatMap(({ unchanged }) => unchanged ?? []),
      );
      // A commit may be one tick of the event loop, and so is what makes the answer. Others are answered in between.
      await setImmediate();
      return batch;
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      const index = indexes[error.index] ?? error.index;
      kept.delete(index);
      source.refused(index, error.on);
    }
    await backOff(attempt);
  }
  throw tooMuchContention();
}

async function storedOf(
  { store }: Dependencies,
  { owner }: BatchRules,
  candidates: readonly Candidate[],
): Promise<Stored> {
  const names = candidates.map(({ fields }) => fields.name);
  const found = await store.select(owner, { names, placeholders: [], ids: [] }, names.length);
  return new Map(found.map((selected) => [selected.secret.name, selected]));
}

/** An item that has to be prepared, or prepared again. */
interface Wanted {
  readonly candidate: Candidate;
  readonly action: BatchAction;
  readonly current: StoredSecret | null;
  /** The stored secret, where its value is replaced. */
  readonly replaced: SelectedSecret | null;
  readonly from: string;
}

/** @throws StoreConflict where a secret changed while it was read */
async function prepare(
  dependencies: Dependencies,
  author: Author,
  rules: BatchRules,
  candidates: readonly Candidate[],
  stored: Stored,
  kept: Map<number, Kept>,
  compare: SameValues,
): Promise<void> {
  const { answer } = author.caller;
  const same = await sameOf(candidates, stored, rules, author, compare);
  const wanted = candidates
    .map((candidate) => wantedOf(candidate, stored.get(candidate.fields.name), same.has(candidate.index), rules))
    .filter(({ candidate, from }) => kept.get(candidate.index)?.from !== from);
  const bytes = wanted.reduce((sum, one) => sum + bytesOf(one), 0);
  if (bytes > maxBytes) throw tooMuch();
  await dependencies.largeWork.enter(bytes, actorKey(actorOf(author.principal)), answer);
  const records = recordsOf(
    dependencies.store,
    wanted.flatMap(({ replaced }) => replaced ?? []),
  );
  for (const { candidate, action, current, replaced, from } of wanted) {
    const turn = paceBatch(begin + candidate.bytes / bytesPerUnit);
    if (turn) await turn;
    answer.throwIfStopped();
    const record = replaced ? (await records.next()).value : null;
    if (record === null && replaced) throw new StoreConflict(candidate.index, 'version');
    const prepared = await prepareItem(candidate, action, current, record ?? null, rules, author, dependencies);
    kept.set(candidate.index, { ...prepared, from });
  }
}

function wantedOf(
  candidate: Candidate,
  selected: SelectedSecret | undefined,
  same: boolean,
  rules: BatchRules,
): Wanted {
  const action = actionOf(candidate, selected, same, rules);
  const replaces = action === 'updated' && !rules.dryRun && candidate.open !== null && selected?.secret.sealed != null;
  const from = `${candidate.from} ${selected?.secret.mac.tag ?? ''} ${action}`;
  return { candidate, action, current: selected?.secret ?? null, replaced: (replaces && selected) || null, from };
}

/** Values that are compared at once. */
const comparedAtOnce = 50;

/**
 * The items whose value is the one that the stored secret has already. Only here a batch finds that out. Where the caller lacks
 * the scope to know it, or anything else of the secret changes, nothing is opened, read or computed.
 */
async function sameOf(
  candidates: readonly Candidate[],
  stored: Stored,
  { owner, onConflict }: BatchRules,
  { principal, caller }: Author,
  compare: SameValues,
): Promise<ReadonlySet<number>> {
  const same = new Set<number>();
  if (onConflict !== 'update' || !principal.scopes.has('secrets:match')) return same;
  const wanted = candidates.flatMap((candidate) => {
    const secret = stored.get(candidate.fields.name)?.secret;
    return secret?.sealed && isUnchanged(candidate, secret) ? { candidate, secret } : [];
  });
  for (let first = 0; first < wanted.length; first += comparedAtOnce) {
    const some = wanted.slice(first, first + comparedAtOnce);
    const compared: (Compared & { readonly index: number })[] = [];
    for (const { candidate, secret } of some) {
      const turn = paceBatch(begin + candidate.bytes / bytesPerUnit);
      if (turn) await turn;
      caller.answer.throwIfStopped();
      const value = await candidate.open?.();
      if (value) compared.push({ index: candidate.index, secret, value: value.value });
    }
    const results = await compare(owner, compared);
    for (const [at, { index, value }] of compared.entries()) {
      if (results[at]) same.add(index);
      if (typeof value !== 'string') value.fill(0);
    }
  }
  return same;
}

/** What is in memory of an item until it has been committed. */
function bytesOf({ candidate, action, replaced }: Wanted): number {
  const isWritten = action === 'created' || action === 'updated';
  return (replaced?.envelopeBytes ?? 0) + (isWritten ? candidate.bytes : 0);
}

function tooMuch(): DomainError {
  return new DomainError('BAD_REQUEST', {
    type: 'write_limit_error',
    message: 'That is too much to write at once.',
    description: `The values that are written, and those that they replace, may take ${maxBytes / 1024 / 1024} MiB together in the store. Write fewer secrets at once. Nothing was written.`,
  });
}
