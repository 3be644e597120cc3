import { type CheckResult, checkResults } from '../../model/secret-health.ts';
import type { CheckedSecret } from '../../secrets/check-secret.ts';
import { builder, scoped } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { SecretRef } from './refs.ts';
import { partForWriters, runMutation } from './run-mutation.ts';

/** For the description of the field in the inputs that may set a value. */
export const verifyDescription =
  'Asks the provider about the new value before it is written. A value that it refuses is not written: that is an error of the type `rejected_by_provider`. If it cannot tell, the value is written, and `warnings` says why. Needs the scope `secrets:use`, too. Each caller has 30 checks a minute, together with `checkSecret`. False by default.';

const meanings: { readonly [result in CheckResult]: string } = {
  VALID: 'The provider knows the value.',
  REJECTED: 'The provider refuses the value: it is wrong, was revoked or has expired.',
  RATE_LIMITED: 'The provider has had too many requests. It did not say whether it knows the value.',
  UNREACHABLE: 'The provider cannot be reached, or has a failure of its own.',
  UNSUPPORTED:
    'The provider cannot be asked about this value, or its answer does not say whether it knows it. The health of the secret stays as it was.',
};

const CheckResultEnum = builder.enumType('CheckResult', {
  description: 'What a provider says about a value.',
  values: Object.fromEntries(checkResults.map((result) => [result, { description: meanings[result] }])) as {
    readonly [result in CheckResult]: { readonly description: string };
  },
});

const CheckSecretInput = builder.inputType('CheckSecretInput', {
  description: 'Which secret to check.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The secret’s id.' }),
    idempotencyKey: t.string({ description: idempotencyKeyDescription }),
  }),
});

const CheckSecretPayload = builder.objectRef<CheckedSecret>('CheckSecretPayload').implement({
  description: 'What `checkSecret` found out.',
  fields: (t) => ({
    result: t.expose('result', { type: CheckResultEnum, description: 'What the provider says about the value.' }),
    secret: t.field({
      type: SecretRef,
      description: `The secret with the value that was checked. ${partForWriters}`,
      resolve: ({ secret }) => secret,
    }),
  }),
});

builder.mutationField('checkSecret', (t) =>
  t.field({
    type: CheckSecretPayload,
    description:
      'Asks the provider of a secret whether it knows the value, and keeps the answer as `health`. Nobody sees the value. The audit log has `secret.checked` before anything is sent. Each caller has 30 checks a minute, together with `verify`.',
    directives: scoped('secrets:use'),
    args: { input: t.arg({ type: CheckSecretInput, required: true, description: 'Which secret.' }) },
    resolve: (_root, { input }, { operations }, info) =>
      runMutation(info, input, (told) => operations.checkSecret(told)),
  }),
);
