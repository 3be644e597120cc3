import type { Secret } from '../../model/secret.ts';
import { builder, scoped } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { SecretRef } from './refs.ts';
import { partForWriters, runMutation } from './run-mutation.ts';

const DeleteSecretInput = builder.inputType('DeleteSecretInput', {
  description: 'Which secret to delete.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The secret’s id.' }),
    expectedVersion: t.int({ description: 'Delete it only if this is still its version.' }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

const DeleteSecretPayload = builder.objectRef<Secret>('DeleteSecretPayload').implement({
  description: 'What `deleteSecret` did.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the deleted secret.' }),
    secret: t.field({
      type: SecretRef,
      description: `The secret as it was before. ${partForWriters}`,
      resolve: (secret) => secret,
    }),
  }),
});

builder.mutationField('deleteSecret', (t) =>
  t.field({
    type: DeleteSecretPayload,
    description:
      'Deletes a secret. Its placeholder no longer resolves, and its name is free. `restoreSecret` brings it back with its value until the retention of the gateway ends (30 days by default); `purgeSecret` removes it at once.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: DeleteSecretInput, required: true, description: 'Which secret.' }) },
    resolve: (_root, { input }, { operations }, info) =>
      runMutation(info, input, (told) => operations.deleteSecret(told)),
  }),
);
