import type { ChainHead } from '../model/audit-event.ts';
import type { MacOfEvent } from './audit.ts';

export interface StoreOptions {
  /** Left out where nothing is committed. */
  readonly macOfEvent?: MacOfEvent;
  /** Told the owner's key and the head of its chain when a commit has made it durable. */
  readonly onHead?: (owner: string, head: ChainHead) => void;
  /** Whether an SQLite file that is there and empty may become a new database; true when left out. */
  readonly mayBeBlank?: boolean;
}
