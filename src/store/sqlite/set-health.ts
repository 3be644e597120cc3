import type { DatabaseSync } from 'node:sqlite';
import { ownerKey } from '../../model/owner.ts';
import { healthSources, healthStatuses } from '../../model/secret-health.ts';
import type { HealthChange } from '../health.ts';
import { healthColumns, healthValues } from './rows.ts';

/**
 * Sets what was found out about a value, inside the transaction that the caller holds.
 * @returns what does it, and says whether version, MAC and health of the stored secret were those that were read
 */
export function prepareSetHealth(database: DatabaseSync): (change: HealthChange) => boolean {
  // Any other is read as none, as a newer gateway may leave it, and must not stand in the way.
  const isKnown = `health_status IN ${listOf(healthStatuses)} AND health_source IN ${listOf(healthSources)}`;
  const set = database.prepare(`
    UPDATE secrets SET ${healthColumns.map((column) => `${column} = ?`).join(', ')}
    WHERE id = ? AND owner = ? AND version = ? AND mac_tag = ?
      AND ${healthColumns.map((column) => `iif(${isKnown}, ${column}, NULL) IS ?`).join(' AND ')}`);
  return ({ secret, health }) => {
    const { id, owner, version, mac } = secret;
    const asRead = [id, ownerKey(owner), version, mac.tag, ...healthValues(secret.health)];
    return set.run(...healthValues(health), ...asRead).changes > 0;
  };
}

function listOf(words: readonly string[]): string {
  return `(${words.map((word) => `'${word}'`).join(', ')})`;
}
