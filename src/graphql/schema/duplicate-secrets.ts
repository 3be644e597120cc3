import { batchPayload, OnConflict } from './batch.ts';
import { builder } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { inArgument } from './in-argument.ts';
import { OwnerInput } from './owner.ts';

const DuplicateSecretsInput = builder.inputType('DuplicateSecretsInput', {
  description: 'Which secrets to copy, from whom and to whom.',
  fields: (t) => ({
    from: t.field({
      type: OwnerInput,
      required: true,
      defaultValue: {},
      description: 'Whose secrets; your own by default.',
    }),
    to: t.field({
      type: OwnerInput,
      required: true,
      defaultValue: {},
      description: 'Who gets the copies; you by default. Another owner than `from`.',
    }),
    names: t.stringList({
      description:
        'The names of the secrets to copy, at most 500. Without it all of `from` are copied, if there are no more than 500.',
    }),
    onConflict: t.field({
      type: OnConflict,
      required: true,
      defaultValue: 'fail',
      description:
        'What to do with names that `to` has already. An UPDATE sets the value with its destination, provider, notes, tags and `expiresAt`.',
    }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Checks everything, also that each value opens, and tells what would be done. Nothing is written.',
    }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

builder.mutationField('duplicateSecrets', (t) =>
  t.field({
    type: batchPayload('duplicateSecrets'),
    description:
      'Copies secrets to another owner, or none of them. Nobody sees a value: each is sealed anew. The copies have ids and placeholders of their own, and nothing binds them to the originals. It needs the scopes `secrets:read` and `secrets:resolve` for `from`, and `secrets:write` for `to`.',
    directives: {
      authenticated: {},
      requiresScopes: { scopes: [['secrets:read', 'secrets:resolve', 'secrets:write']] },
    },
    args: {
      input: t.arg({ type: DuplicateSecretsInput, required: true, description: 'Which secrets, and for whom.' }),
    },
    resolve: (_root, { input }, { operations }) => inArgument('input', operations.duplicateSecrets(input)),
  }),
);
