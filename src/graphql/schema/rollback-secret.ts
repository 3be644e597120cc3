import type { Secret } from '../../model/secret.ts';
import { builder, scoped } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { SecretRef } from './refs.ts';
import { partForWriters, runMutation } from './run-mutation.ts';

const RollbackSecretInput = builder.inputType('RollbackSecretInput', {
  description: 'Which secret gets which of its earlier values again.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The secret’s id.' }),
    toVersion: t.int({
      required: true,
      description: 'A version in which the value was set, as `versions` lists them. The last 10 values are kept.',
    }),
    expectedVersion: t.int({ description: 'Roll it back only if this is still its version.' }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

const RollbackSecretPayload = builder.objectRef<Secret>('RollbackSecretPayload').implement({
  description: 'What `rollbackSecret` did.',
  fields: (t) => ({
    secret: t.field({
      type: SecretRef,
      description: `The secret as it is now. ${partForWriters}`,
      resolve: (secret) => secret,
    }),
  }),
});

builder.mutationField('rollbackSecret', (t) =>
  t.field({
    type: RollbackSecretPayload,
    description:
      'Gives a secret an earlier value again, as a new version. Nobody sees the value, and nothing else of the secret changes. Where it is the value that the secret has, nothing changes.',
    directives: scoped('secrets:write'),
    args: {
      input: t.arg({ type: RollbackSecretInput, required: true, description: 'Which secret, and which value.' }),
    },
    resolve: (_root, { input }, { operations }, info) =>
      runMutation(info, input, (told) => operations.rollbackSecret(told)),
  }),
);
