import type { Keyring } from '../crypto/keyring.ts';
import type { InTurn } from '../runtime/keyed-mutex.ts';
import type { Store } from '../store/store.ts';

/** What operations work with. */
export interface Dependencies {
  readonly store: Store;
  /** The ring as it is now. */
  readonly keyring: () => Keyring;
  readonly now: () => Date;
  readonly inTurn: InTurn;
}
