import type { SelectedSecret } from '../store/store.ts';
import type { Candidate } from './prepare-item.ts';

/**
 * The items of a batch whose caller is told that the stored secret has the value already: the one place where a batch learns it.
 * Nobody is told, yet.
 */
export async function sameValues(
  _candidates: readonly Candidate[],
  _stored: ReadonlyMap<string, SelectedSecret>,
): Promise<ReadonlySet<number>> {
  return new Set();
}
