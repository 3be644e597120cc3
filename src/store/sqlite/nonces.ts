import type { DatabaseSync } from 'node:sqlite';
import { nonceOfWrite, StoreConflict, type Write } from '../store.ts';

/** More than the commits of one transaction add, so the table cannot grow without a bound. Takes a few milliseconds. */
const maxRemoved = 1000;

export interface Nonces {
  /** Inside the transaction of the commit, for each write. @throws StoreConflict */
  spend(write: Write, index: number): void;
  /** Removes some of those that need not be kept any more. An index leads to them. */
  removeExpired(now: Date): void;
}

export function prepareNonces(database: DatabaseSync): Nonces {
  const insert = database.prepare('INSERT OR IGNORE INTO nonces (digest, kept_until) VALUES (?, ?)');
  const expired = `SELECT digest FROM nonces WHERE kept_until < ? ORDER BY kept_until LIMIT ${maxRemoved}`;
  const remove = database.prepare(`DELETE FROM nonces WHERE digest IN (${expired})`);
  return {
    spend(write, index) {
      const nonce = nonceOfWrite(write);
      if (!nonce) return;
      const { changes } = insert.run(nonce.digest, nonce.keptUntil.getTime());
      if (changes === 0) throw new StoreConflict(index, 'nonce');
    },
    removeExpired: (now) => void remove.run(now.getTime()),
  };
}
