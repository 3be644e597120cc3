import type { SecretHealth } from '../../model/secret-health.ts';
import { storedHealth } from '../health.ts';
import type { RowReader } from './row-reader.ts';

/** Named fields only. */
export function healthDocumentOf({ status, checkedAt, source }: SecretHealth): SecretHealth {
  return { status, checkedAt, source };
}

export function healthOf({ health }: { readonly health?: SecretHealth }): SecretHealth | null {
  return health ? storedHealth(health.status, health.checkedAt, health.source) : null;
}

export function readHealth(row: RowReader): SecretHealth | null {
  return storedHealth(row.text('status'), row.date('checkedAt'), row.text('source'));
}
