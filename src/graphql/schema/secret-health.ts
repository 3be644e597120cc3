import type { healthSources, healthStatuses, SecretHealth as SecretHealthModel } from '../../model/secret-health.ts';
import { builder } from './builder.ts';

export const HealthStatus = builder.enumType('HealthStatus', {
  description: 'What was last found out about a value.',
  values: {
    VALID: { description: 'The provider knows it.' },
    REJECTED: { description: 'The provider refuses it: it is wrong, was revoked or has expired.' },
    RATE_LIMITED: { description: 'The provider has had too many requests. It did not say whether it knows the value.' },
    UNREACHABLE: {
      description: 'The provider could not be reached, or had a failure of its own. It says nothing about the value.',
    },
  } satisfies Record<(typeof healthStatuses)[number], object>,
});

const HealthSource = builder.enumType('HealthSource', {
  description: 'How it was found out.',
  values: {
    CHECK: { description: 'The provider was asked: `checkSecret` or `verify`.' },
    USE: { description: 'The value was used through the broker, and the status of the answer told.' },
  } satisfies Record<(typeof healthSources)[number], object>,
});

export const SecretHealth = builder.objectRef<SecretHealthModel>('SecretHealth').implement({
  description:
    'What the last check or use found out about a value. A new value has none at first. It is information only: a rejected value can still be used and delivered.',
  fields: (t) => ({
    status: t.expose('status', { type: HealthStatus, description: 'What was found out.' }),
    checkedAt: t.expose('checkedAt', { type: 'DateTime', description: 'When it was found out.' }),
    source: t.expose('source', { type: HealthSource, description: 'How it was found out.' }),
  }),
});
