/** What was last found out about a value: by asking its provider, or from the answer to a use. */
export const healthStatuses = ['VALID', 'REJECTED', 'RATE_LIMITED', 'UNREACHABLE'] as const;
export type HealthStatus = (typeof healthStatuses)[number];

export const healthSources = ['CHECK', 'USE'] as const;
export type HealthSource = (typeof healthSources)[number];

/** It belongs to the value that a secret has, and ends with it. It decides nothing, and no MAC has it. */
export interface SecretHealth {
  readonly status: HealthStatus;
  readonly checkedAt: Date;
  readonly source: HealthSource;
}

export function isSameHealth(a: SecretHealth | null, b: SecretHealth | null): boolean {
  return a?.status === b?.status && a?.source === b?.source && a?.checkedAt.getTime() === b?.checkedAt.getTime();
}

/** UNSUPPORTED: there is nothing to ask, or the answer says nothing about the key. */
export const checkResults = [...healthStatuses, 'UNSUPPORTED'] as const;
export type CheckResult = (typeof checkResults)[number];
