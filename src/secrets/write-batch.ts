import { setImmediate } from 'node:timers/promises';
import { DomainError } from '../errors.ts';
import type { Commit } from '../idempotency/once.ts';
import type { Batch } from '../model/batch.ts';
import type { SecretRecord } from '../model/secret.ts';
import { requireBeforeWriteDeadline } from '../rules/write-deadline.ts';
import { backOff } from '../runtime/back-off.ts';
import { recordsOf } from '../store/selected-records.ts';
import { type SelectedSecret, StoreConflict } from '../store/store.ts';
import { paceBatch } from './batch-input.ts';
import { tooMuchContention } from './conflicts.ts';
import type { Dependencies } from './dependencies.ts';
import type { Author } from './first-version.ts';
import { actionOf, type BatchRules, type Candidate, type PreparedItem, prepareItem } from './prepare-item.ts';
import { sameValues } from './same-value.ts';

/** Secrets of the owner, by name. */
export type Stored = ReadonlyMap<string, SelectedSecret>;

/** What a batch is made from. */
export interface BatchSource extends BatchRules {
  /** What is to be written, as it is now. @throws DomainError */
  readonly candidates: () => Promise<readonly Candidate[]>;
  /** @throws DomainError where what is stored stands in the way */
  readonly check: (candidates: readonly Candidate[], stored: Stored) => Promise<void>;
  /** Told which item the store refused, before all is tried again. @throws DomainError where that is no use */
  readonly refused: (index: number, on: StoreConflict['on']) => void;
}

/** Others may write in between. All is then read again, and what changed is prepared again. */
const maxAttempts = 20;
/** Stored envelopes of values that a batch replaces: all are in memory at once. */
const maxReplacedBytes = 16 * 1024 * 1024;
/** Characters of a value that are sealed for as long as one unit of pacing; to begin takes a third of one. */
const charactersPerUnit = 16 * 1024;
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
  const { owner } = source;
  const kept = new Map<number, Kept>();
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    requireBeforeWriteDeadline(caller);
    caller.answer.throwIfStopped();
    const candidates = await source.candidates();
    const stored = await storedOf(dependencies, source, candidates);
    await source.check(candidates, stored);
    const isPrepared = await prepare(dependencies, author, source, candidates, stored, kept);
    if (isPrepared) {
      const prepared = candidates.flatMap(({ index }) => kept.get(index) ?? []);
      const batch = { owner, items: prepared.map(({ item }) => item) };
      if (source.dryRun) return batch;
      requireBeforeWriteDeadline(caller);
      const refused = await tryCommit(prepared, batch, commit);
      if (!refused) return batch;
      kept.delete(refused.index);
      source.refused(refused.index, refused.on);
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

/** @returns false where a secret changed while it was read */
async function prepare(
  dependencies: Dependencies,
  author: Author,
  rules: BatchRules,
  candidates: readonly Candidate[],
  stored: Stored,
  kept: Map<number, Kept>,
): Promise<boolean> {
  const same = await sameValues(candidates, stored);
  const wanted = candidates.flatMap((candidate) => {
    const selected = stored.get(candidate.fields.name);
    const action = actionOf(candidate, selected, same.has(candidate.index), rules);
    const from = `${candidate.from} ${selected?.secret.mac.tag ?? ''} ${action}`;
    return kept.get(candidate.index)?.from === from ? [] : [{ candidate, selected, action, from }];
  });
  const replaces = ({ candidate, selected, action }: (typeof wanted)[number]) =>
    !rules.dryRun && action === 'updated' && candidate.open && selected?.secret.sealed ? [selected] : [];
  const records = recordsOf(dependencies.store, wanted.flatMap(replaces));
  requireFewBytes(wanted.flatMap(replaces));
  for (const one of wanted) {
    const { candidate, selected, action, from } = one;
    const [replaced] = replaces(one);
    let record: SecretRecord | null = null;
    if (replaced) {
      record = (await records.next()).value ?? null;
      if (!record) return false;
    }
    const turn = paceBatch(begin + candidate.valueCharacters / charactersPerUnit);
    if (turn) await turn;
    author.caller.answer.throwIfStopped();
    const current = selected?.secret ?? null;
    const prepared = await prepareItem(candidate, action, current, record, rules, author, dependencies);
    kept.set(candidate.index, { ...prepared, from });
  }
  return true;
}

/** @returns what the store refused, and undefined when all is durable */
async function tryCommit(
  prepared: readonly PreparedItem[],
  batch: Batch,
  commit: Commit<Batch>,
): Promise<{ readonly index: number; readonly on: StoreConflict['on'] } | undefined> {
  const writes = prepared.flatMap(({ item, writes }) => writes.map((write) => ({ index: item.index, write })));
  try {
    await commit(
      writes.map(({ write }) => write),
      batch,
      prepared.flatMap(({ unchanged }) => unchanged ?? []),
    );
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error;
    return { index: writes[error.index]?.index ?? -1, on: error.on };
  }
  // A commit may be one tick of the event loop, and so is what makes the answer. Others are answered in between.
  await setImmediate();
  return undefined;
}

function requireFewBytes(replaced: readonly SelectedSecret[]): void {
  if (replaced.reduce((sum, { envelopeBytes }) => sum + envelopeBytes, 0) <= maxReplacedBytes) return;
  throw new DomainError('BAD_REQUEST', {
    type: 'batch_limit_error',
    message: 'That is too much to write at once.',
    description: `The values that are replaced may take ${maxReplacedBytes / 1024 / 1024} MiB together in the store. Update fewer secrets at once. Nothing was written.`,
  });
}
