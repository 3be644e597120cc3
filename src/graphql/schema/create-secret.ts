import type { WrittenSecret } from '../../model/secret.ts';
import { builder, scoped } from './builder.ts';
import { verifyDescription } from './check-secret.ts';
import { DestinationInput, newDestinationDescription } from './destination.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { OwnerInput } from './owner.ts';
import { SecretConnectionRef, SecretRef } from './refs.ts';
import { partForWriters, runMutation } from './run-mutation.ts';
import { listSelection, shortListArguments } from './secret-connection.ts';
import { InputWarning, warningsDescription } from './warning.ts';

const CreateSecretInput = builder.inputType('CreateSecretInput', {
  description: 'A new secret.',
  fields: (t) => ({
    id: t.id({ description: 'A UUID of your choice. Without it the server makes one.' }),
    owner: t.field({
      type: OwnerInput,
      required: true,
      defaultValue: {},
      description: 'Who will own the secret; you by default.',
    }),
    name: t.string({
      required: true,
      description:
        'Unique for the owner. For your own secret an environment variable name, such as `OPENAI_API_KEY`; otherwise 1 to 255 characters in any language.',
    }),
    value: t.string({
      description:
        'The value in clear, 1 byte to 64 KiB, kept exactly as sent. Pass it in a variable. The value of a team’s secret may be set later.',
    }),
    sealedValue: t.string({
      description:
        'The value as a compact JWE to one of `sealingKeys`, in place of `value`: nothing between you and the gateway reads it. It is sealed for this name and owner, and works once.',
    }),
    provider: t.string({
      description: 'Whose service the value is for, such as `openai`. Required for your own secret.',
    }),
    destination: t.field({ type: DestinationInput, description: newDestinationDescription }),
    notes: t.string({ description: 'At most 4 KiB.' }),
    tags: t.stringList({ description: 'At most 50, of 1 to 64 characters each.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description:
        'When somebody should replace the value, in the years 1970 to 9999. It is a reminder: nothing happens then.',
    }),
    verify: t.boolean({ description: verifyDescription }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

const CreateSecretPayload = builder.objectRef<WrittenSecret>('CreateSecretPayload').implement({
  description: 'What `createSecret` did.',
  fields: (t) => ({
    secret: t.field({
      type: SecretRef,
      description: `The new secret. ${partForWriters}`,
      resolve: (secret) => secret,
    }),
    secrets: t.field({
      type: SecretConnectionRef,
      // An error of the list must not hide that the secret was created.
      nullable: true,
      description: 'The owner’s updated list, read after the write. Needs the scope `secrets:read`.',
      args: shortListArguments,
      resolve: ({ owner }, args, { operations }, info) =>
        operations.listSecrets({ ...args, owner, select: listSelection(info) }),
    }),
    warnings: t.expose('warnings', { type: [InputWarning], description: warningsDescription }),
  }),
});

builder.mutationField('createSecret', (t) =>
  t.field({
    type: CreateSecretPayload,
    description: 'Creates a secret. The value is sealed before it reaches the store.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: CreateSecretInput, required: true, description: 'The new secret.' }) },
    resolve: (_root, { input }, { operations }, info) =>
      runMutation(info, input, (told) => operations.createSecret(told)),
  }),
);
