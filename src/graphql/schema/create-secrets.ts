import { batchPayload, OnConflict } from './batch.ts';
import { builder, scoped } from './builder.ts';
import { DestinationInput, newDestinationDescription } from './destination.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { OwnerInput } from './owner.ts';
import { runMutation } from './run-mutation.ts';

const NewSecretInput = builder.inputType('NewSecretInput', {
  description: 'A new secret of a batch. The rules are those of `createSecret`.',
  fields: (t) => ({
    id: t.id({ description: 'A UUID of your choice. Without it the server makes one.' }),
    name: t.string({ required: true, description: 'Unique for the owner, and among the items.' }),
    value: t.string({ description: 'The value in clear, 1 byte to 64 KiB, kept exactly as sent.' }),
    sealedValue: t.string({
      description:
        'The value as a compact JWE to one of `sealingKeys`, in place of `value`, sealed for this name and owner. It works once.',
    }),
    provider: t.string({ description: 'Whose service the value is for. Required for your own secrets.' }),
    destination: t.field({ type: DestinationInput, description: newDestinationDescription }),
    notes: t.string({ description: 'At most 4 KiB.' }),
    tags: t.stringList({ description: 'At most 50, of 1 to 64 characters each.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When somebody should replace the value. It is a reminder: nothing happens then.',
    }),
  }),
});

const CreateSecretsInput = builder.inputType('CreateSecretsInput', {
  description: 'Many new secrets of one owner.',
  fields: (t) => ({
    owner: t.field({
      type: OwnerInput,
      required: true,
      defaultValue: {},
      description: 'Who will own the secrets; you by default.',
    }),
    secrets: t.field({
      type: [NewSecretInput],
      required: true,
      description: 'At most 500. Pass them in a variable.',
    }),
    onConflict: t.field({
      type: OnConflict,
      required: true,
      defaultValue: 'fail',
      description:
        'What to do with names that are taken. An UPDATE keeps what an item leaves out; null clears `provider`, `notes` and `expiresAt`. A `destination` that was given must be given again with a new value.',
    }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description:
        'Checks everything and tells what would be done. Nothing is written, and sealed values are not used up.',
    }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

builder.mutationField('createSecrets', (t) =>
  t.field({
    type: batchPayload('createSecrets'),
    description:
      'Creates up to 500 secrets of one owner at once, or writes nothing. An error lists every broken field of every item.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: CreateSecretsInput, required: true, description: 'The new secrets.' }) },
    resolve: (_root, { input }, { operations }, info) =>
      runMutation(info, input, (told) => operations.createSecrets(told)),
  }),
);
