import type { Secret } from '../../model/secret.ts';
import { builder, scoped } from './builder.ts';
import { inArgument } from './in-argument.ts';
import { SecretRef } from './refs.ts';

const DeleteSecretInput = builder.inputType('DeleteSecretInput', {
  description: 'Which secret to delete.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The secret’s id.' }),
    expectedVersion: t.int({ description: 'Delete it only if this is still its version.' }),
  }),
});

const DeleteSecretPayload = builder.objectRef<Secret>('DeleteSecretPayload').implement({
  description: 'What `deleteSecret` did.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of what is no longer there.' }),
    secret: t.field({ type: SecretRef, description: 'The secret as it last was.', resolve: (secret) => secret }),
  }),
});

builder.mutationField('deleteSecret', (t) =>
  t.field({
    type: DeleteSecretPayload,
    description: 'Deletes a secret and its value for good. Placeholders of it resolve no more.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: DeleteSecretInput, required: true, description: 'Which secret.' }) },
    resolve: (_root, { input }, { operations }) => inArgument('input', operations.deleteSecret(input)),
  }),
);
