import type { ApiKey as ApiKeyModel } from '../../model/api-key.ts';
import { ApiKey } from './api-key.ts';
import { builder, scoped } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { inArgument } from './in-argument.ts';

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'Which API key to end.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the key.' }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

const RevokeApiKeyPayload = builder.objectRef<ApiKeyModel>('RevokeApiKeyPayload').implement({
  description: 'What `revokeApiKey` did.',
  fields: (t) => ({
    apiKey: t.field({ type: ApiKey, description: 'The key as it is now.', resolve: (apiKey) => apiKey }),
  }),
});

builder.mutationField('revokeApiKey', (t) =>
  t.field({
    type: RevokeApiKeyPayload,
    description:
      'Ends an API key for good: at once at this gateway, within 5 seconds at every other. Only for admins of the team.',
    directives: scoped('keys:manage'),
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'Which key.' }) },
    resolve: (_root, { input }, { operations }) => inArgument('input', operations.revokeApiKey(input)),
  }),
);
