import { StoreConflict, type Write } from '../store.ts';
import { Contention } from './errors.ts';

/** One of these writes conflicts. A command that changes several documents does not tell which. */
export class ConflictAmong extends Error {
  override readonly name = 'ConflictAmong';
  /** After the last of them, as an index of the commit. */
  readonly end: number;

  constructor(end: number) {
    super(`a write before ${end} conflicts`);
    this.end = end;
  }
}

/** That one of these changes does not find its secret as it was read. */
export function versionConflict(changes: readonly { readonly index: number }[]): StoreConflict | ConflictAmong {
  const [first, ...others] = changes;
  const last = others.at(-1);
  return last ? new ConflictAmong(last.index + 1) : new StoreConflict(first?.index ?? 0, 'version');
}

/**
 * Which write of a commit conflicts first, and on what. The transaction that met a conflict has ended. Others, which are not
 * committed, find it: of n writes that go out together they are log2(n).
 *
 * A conflict on an id may not be the first: ids are taken before the other fields of new secrets are looked at. Any other that
 * has an index is the first.
 * @param conflictOf what the first writes of the commit conflict on, the last of them being sent alone
 */
export async function firstConflict(
  writes: readonly Write[],
  met: StoreConflict | ConflictAmong,
  conflictOf: (writes: readonly Write[]) => Promise<StoreConflict | ConflictAmong | null>,
): Promise<StoreConflict> {
  // The first `low` writes do not conflict, and the first `high` do.
  let [low, found] = [0, met];
  for (;;) {
    if (found instanceof StoreConflict && (found.on !== 'id' || found.index === low)) return found;
    const high = found instanceof StoreConflict ? found.index + 1 : found.end;
    const isOneLeft = high - low === 1;
    const tried = isOneLeft ? high : found instanceof StoreConflict ? high - 1 : Math.floor((low + high) / 2);
    const next = await conflictOf(writes.slice(0, tried));
    if (next) found = next;
    else low = tried;
    // What was in the way has gone meanwhile.
    if (low >= high) throw new Contention('another commit of this owner');
  }
}
