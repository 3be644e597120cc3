import type { DatabaseSync } from 'node:sqlite';
import type { WrappedKey } from '../../model/envelope.ts';
import { wrappedKeyColumns, wrappedKeyOfRow } from './rows.ts';

export interface WrappedKeys {
  read(afterId: string, limit: number): WrappedKey[];
  /** Inside the transaction that the caller holds. @returns how many were replaced */
  replace(replacements: readonly { readonly from: WrappedKey; readonly to: WrappedKey }[]): number;
}

export function prepareWrappedKeys(database: DatabaseSync): WrappedKeys {
  const read = database.prepare(
    `SELECT secret_id, ${wrappedKeyColumns} FROM envelopes WHERE secret_id > ? ORDER BY secret_id LIMIT ?`,
  );
  const replace = database.prepare(
    `UPDATE envelopes SET envelope = json_set(envelope, '$.header.kid', ?, '$.encrypted_key', ?)
     WHERE secret_id = ? AND json_valid(envelope) AND envelope ->> '$.encrypted_key' = ?`,
  );
  return {
    read: (afterId, limit) => read.all(afterId, limit).map(wrappedKeyOfRow),
    replace(replacements) {
      let replaced = 0;
      for (const { from, to } of replacements) {
        replaced += Number(replace.run(to.kid, to.encryptedKey, from.secretId, from.encryptedKey).changes);
      }
      return replaced;
    },
  };
}
