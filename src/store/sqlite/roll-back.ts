import type { DatabaseSync } from 'node:sqlite';

/** Ends the transaction that is open, if there is one. */
export function rollBack(database: DatabaseSync): void {
  try {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // The disk is worse than that. The next transaction cannot begin, and reports it to its callers.
  }
}
