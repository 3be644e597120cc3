import type { Document, UpdateOptions } from 'mongodb';
import { healthSources, healthStatuses } from '../../model/secret-health.ts';
import type { HealthChange } from '../health.ts';
import type { Collections } from './collections.ts';
import { healthDocumentOf } from './health-document.ts';
import { asRead } from './move-deleted.ts';

/** One command: no transaction of its owner waits for it. @returns whether the stored secret was as it was read */
export async function setHealth(
  secrets: Collections['secrets'],
  { secret, health }: HealthChange,
  options: UpdateOptions,
): Promise<boolean> {
  const filter: Document = { ...asRead(secret), ...withHealth(secret) };
  const { matchedCount } = await secrets.updateOne(filter, { $set: { health: healthDocumentOf(health) } }, options);
  return matchedCount > 0;
}

function withHealth({ health }: HealthChange['secret']): Document {
  // Any other is read as none, as a newer gateway may leave it, and must not stand in the way.
  if (!health) return { $nor: [{ 'health.status': { $in: healthStatuses }, 'health.source': { $in: healthSources } }] };
  const { status, checkedAt, source } = health;
  return { 'health.status': status, 'health.checkedAt': checkedAt, 'health.source': source };
}
