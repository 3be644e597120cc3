import type { IssuedApiKey } from '../../api-keys/create-api-key.ts';
import { ApiKey } from './api-key.ts';
import { builder, scoped } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { inArgument } from './in-argument.ts';

const RotateApiKeyInput = builder.inputType('RotateApiKeyInput', {
  description: 'Which API key to replace, and when the old one ends.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the old key.' }),
    graceSeconds: t.int({
      required: true,
      defaultValue: 0,
      description:
        'How long the old key is still accepted, so that machines can be given the new one: at most 7 days (604,800). An earlier expiry stays.',
    }),
    idempotencyKey: t.string({ description: `${idempotencyKeyDescription} The key itself is null then.` }),
  }),
});

const RotateApiKeyPayload = builder.objectRef<IssuedApiKey>('RotateApiKeyPayload').implement({
  description: 'What `rotateApiKey` did.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', {
      type: ApiKey,
      description: 'What is kept of the new key. It has the name, the rights and the expiry of the old one.',
    }),
    key: t.exposeString('key', {
      nullable: true,
      description: 'The new key itself, shown this once and kept nowhere.',
    }),
  }),
});

builder.mutationField('rotateApiKey', (t) =>
  t.field({
    type: RotateApiKeyPayload,
    description:
      'Replaces an API key by a new one with the same rights and expiry. Only for admins of the team who have every scope of the key.',
    directives: scoped('keys:manage'),
    args: { input: t.arg({ type: RotateApiKeyInput, required: true, description: 'Which key.' }) },
    resolve: (_root, { input }, { operations }) => inArgument('input', operations.rotateApiKey(input)),
  }),
);
