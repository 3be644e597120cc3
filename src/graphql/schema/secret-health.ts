import type { healthSources, healthStatuses, SecretHealth as SecretHealthModel } from '../../model/secret-health.ts';
import { builder } from './builder.ts';

export const HealthStatus = builder.enumType('HealthStatus', {
  description: 'What was last found out about a value.',
  values: {
    VALID: { description: 'The provider takes it.' },
    REJECTED: { description: 'The provider refuses it: it was revoked, has expired, or never was a key.' },
    RATE_LIMITED: { description: 'The provider has had too many requests to say whether it takes it.' },
    UNREACHABLE: {
      description: 'The provider could not be reached, or had an error of its own. It says nothing about the value.',
    },
  } satisfies Record<(typeof healthStatuses)[number], object>,
});

const HealthSource = builder.enumType('HealthSource', {
  description: 'How it was found out.',
  values: {
    CHECK: { description: 'The provider was asked for that alone.' },
    USE: { description: 'From the answer to a request that the value was used in.' },
  } satisfies Record<(typeof healthSources)[number], object>,
});

export const SecretHealth = builder.objectRef<SecretHealthModel>('SecretHealth').implement({
  description:
    'Whether the provider took a value when it was last asked. It belongs to the value: another value has none at first. It is told to you, and decides nothing: also a rejected value may be used.',
  fields: (t) => ({
    status: t.expose('status', { type: HealthStatus, description: 'What was found out.' }),
    checkedAt: t.expose('checkedAt', { type: 'DateTime', description: 'When it was found out.' }),
    source: t.expose('source', { type: HealthSource, description: 'How it was found out.' }),
  }),
});
