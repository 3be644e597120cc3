import type { Owner } from './owner.ts';
import type { Secret } from './secret.ts';
import type { Warning } from './warning.ts';

/** What becomes of an item whose name a secret of the owner has already. */
export type OnConflict = 'fail' | 'skip' | 'update';

export type BatchAction = 'created' | 'updated' | 'unchanged' | 'skipped';

/** What a batch made of one of its items. */
export interface BatchItem {
  /** Its position in the input. */
  readonly index: number;
  readonly action: BatchAction;
  /** Null where a dry run would create it, and where it was purged since. */
  readonly secret: Secret | null;
  readonly warnings: readonly Warning[];
}

/** Many secrets of one owner that were written at once. */
export interface Batch {
  readonly owner: Owner;
  /** In the order of the input. */
  readonly items: readonly BatchItem[];
  /** Whether it tells that a secret has some value already, which not everybody may be told. */
  readonly isComparedValue: boolean;
}
