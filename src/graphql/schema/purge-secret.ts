import { builder, scoped } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { inArgument } from './in-argument.ts';

const PurgeSecretInput = builder.inputType('PurgeSecretInput', {
  description: 'Which secret to remove for good.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The secret’s id. It may be deleted, and need not be.' }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

const PurgeSecretPayload = builder.objectRef<{ readonly id: string }>('PurgeSecretPayload').implement({
  description: 'What `purgeSecret` did.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the purged secret. It stays taken.' }),
  }),
});

builder.mutationField('purgeSecret', (t) =>
  t.field({
    type: PurgeSecretPayload,
    description:
      'Removes a secret with all its values at once and for good: it cannot be restored. Its audit events stay. In a team only for its admins.',
    directives: scoped('keys:manage'),
    args: { input: t.arg({ type: PurgeSecretInput, required: true, description: 'Which secret.' }) },
    resolve: (_root, { input }, { operations }) => inArgument('input', operations.purgeSecret(input)),
  }),
);
