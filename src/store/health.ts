import type { StoredSecret } from '../model/secret.ts';
import {
  type HealthSource,
  type HealthStatus,
  healthSources,
  healthStatuses,
  type SecretHealth,
} from '../model/secret-health.ts';
import type { Write } from './store.ts';

/** A secret as it was read, and what was found out about its value since. */
export interface HealthChange {
  readonly secret: StoredSecret;
  readonly health: SecretHealth;
}

export function healthChangeOf(write: Write): HealthChange | undefined {
  if (write.type !== 'useSecret' || !write.health) return undefined;
  return { secret: write.secret, health: write.health };
}

/** What something other than a gateway wrote says nothing of a value. */
export function storedHealth(status: unknown, checkedAt: Date, source: unknown): SecretHealth | null {
  const isKnown = healthStatuses.includes(status as HealthStatus) && healthSources.includes(source as HealthSource);
  return isKnown ? { status: status as HealthStatus, checkedAt, source: source as HealthSource } : null;
}
