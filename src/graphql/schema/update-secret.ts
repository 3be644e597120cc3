import type { WrittenSecret } from '../../model/secret.ts';
import { builder, scoped } from './builder.ts';
import { verifyDescription } from './check-secret.ts';
import { DestinationInput, newDestinationDescription } from './destination.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { SecretRef } from './refs.ts';
import { partForWriters, runMutation } from './run-mutation.ts';
import { InputWarning, warningsDescription } from './warning.ts';

const UpdateSecretInput = builder.inputType('UpdateSecretInput', {
  description: 'Changes to a secret. A field that is left out is kept.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which secret.' }),
    value: t.string({ description: 'A new value in clear. Pass it in a variable. A mask is refused.' }),
    sealedValue: t.string({
      description:
        'A new value as a compact JWE to one of `sealingKeys`, in place of `value`. It is sealed for this id and its owner, and works once.',
    }),
    destination: t.field({
      type: DestinationInput,
      description: `${newDestinationDescription} One that was given for the present value must be given again.`,
    }),
    name: t.string({ description: 'A new name.' }),
    provider: t.string({ description: 'A new provider; null clears it, except for your own secret.' }),
    notes: t.string({ description: 'New notes; null clears them.' }),
    tags: t.stringList({ description: 'The new tags, all of them; an empty list clears them.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When somebody should replace the value; null clears it. A new value leaves it as it is.',
    }),
    expectedVersion: t.int({ description: 'Change it only if this is still its version.' }),
    verify: t.boolean({ description: verifyDescription }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

const UpdateSecretPayload = builder.objectRef<WrittenSecret>('UpdateSecretPayload').implement({
  description: 'What `updateSecret` did.',
  fields: (t) => ({
    secret: t.field({
      type: SecretRef,
      description: `The secret as it is now. ${partForWriters}`,
      resolve: (secret) => secret,
    }),
    warnings: t.expose('warnings', { type: [InputWarning], description: warningsDescription }),
  }),
});

builder.mutationField('updateSecret', (t) =>
  t.field({
    type: UpdateSecretPayload,
    description: 'Changes a secret. A new value is sealed before it reaches the store.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: UpdateSecretInput, required: true, description: 'The changes.' }) },
    resolve: (_root, { input }, { operations }, info) =>
      runMutation(info, input, (told) => operations.updateSecret(told)),
  }),
);
