import type { DatabaseSync } from 'node:sqlite';
import { unknownKid, type WrappedKey } from '../../model/envelope.ts';
import { placesAfter, positionIn, splitPosition } from '../positions.ts';
import { type Row, text, wrappedKeyColumns } from './rows.ts';
import { forEachPlace, type SealedPlace, sealedPlaces } from './sealed-places.ts';

export interface WrappedKeys {
  read(after: string, limit: number): WrappedKey[];
  /** Inside the transaction that the caller holds. @returns how many were replaced */
  replace(replacements: readonly { readonly from: WrappedKey; readonly to: WrappedKey }[]): number;
}

export function prepareWrappedKeys(database: DatabaseSync): WrappedKeys {
  const read = forEachPlace(({ envelopes: { id }, owned }) =>
    database.prepare(
      `SELECT ${id} AS id, owner, secret_id, ${wrappedKeyColumns} FROM ${owned} WHERE ${id} > ? ORDER BY ${id} LIMIT ?`,
    ),
  );
  const replace = forEachPlace(({ envelopes: { table, id } }) =>
    database.prepare(
      `UPDATE ${table} SET envelope = json_set(envelope, '$.header.kid', ?, '$.encrypted_key', ?)
       WHERE ${id} = ? AND json_valid(envelope) AND envelope ->> '$.encrypted_key' = ?`,
    ),
  );
  return {
    read(after, limit) {
      for (const [place, afterId] of placesAfter(sealedPlaces, after)) {
        const rows = read[place].all(afterId, limit);
        if (rows.length > 0) return rows.map((row) => wrappedKeyOfRow(place, row));
      }
      return [];
    },
    replace(replacements) {
      let replaced = 0;
      for (const { from, to } of replacements) {
        const { place, id } = splitPosition(from.position);
        const { changes } = replace[place as SealedPlace].run(to.kid, to.encryptedKey, id, from.encryptedKey);
        replaced += Number(changes);
      }
      return replaced;
    },
  };
}

function wrappedKeyOfRow(place: SealedPlace, row: Row): WrappedKey {
  const { kid, encrypted_key: encryptedKey } = row;
  const isWhole = typeof kid === 'string' && typeof encryptedKey === 'string';
  return {
    position: positionIn(place, text.read(row.id)),
    owner: text.read(row.owner),
    secretId: text.read(row.secret_id),
    ...(isWhole ? { kid, encryptedKey } : { kid: unknownKid, encryptedKey: '' }),
  };
}
