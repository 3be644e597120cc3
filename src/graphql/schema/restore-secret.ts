import type { Secret } from '../../model/secret.ts';
import { builder, scoped } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { SecretRef } from './refs.ts';
import { partForWriters, runMutation } from './run-mutation.ts';

const RestoreSecretInput = builder.inputType('RestoreSecretInput', {
  description: 'Which deleted secret to restore.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The secret’s id.' }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

const RestoreSecretPayload = builder.objectRef<Secret>('RestoreSecretPayload').implement({
  description: 'What `restoreSecret` did.',
  fields: (t) => ({
    secret: t.field({
      type: SecretRef,
      description: `The secret as it is now. ${partForWriters}`,
      resolve: (secret) => secret,
    }),
  }),
});

builder.mutationField('restoreSecret', (t) =>
  t.field({
    type: RestoreSecretPayload,
    description:
      'Undoes a deletion: the secret and its value are there again, in a new version. Its name must be free. Where another secret has its placeholder by now, it gets a new one.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: RestoreSecretInput, required: true, description: 'Which secret.' }) },
    resolve: (_root, { input }, { operations }, info) =>
      runMutation(info, input, (told) => operations.restoreSecret(told)),
  }),
);
