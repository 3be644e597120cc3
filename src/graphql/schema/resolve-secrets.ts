import type { Delivery as DeliveryModel, ResolvedSecrets } from '../../delivery/resolve-secrets.ts';
import { builder, scoped } from './builder.ts';
import { inArgument } from './in-argument.ts';
import { OwnerInput } from './owner.ts';
import { SecretRef } from './refs.ts';
import { showsLists } from './selection.ts';

const ResolveSecretsInput = builder.inputType('ResolveSecretsInput', {
  description:
    'Which values to deliver, and to which key. Without `names`, `placeholders` and `ids` all secrets of the owner; an empty list asks for none. At most 1,000 secrets, and 16 MiB of values.',
  fields: (t) => ({
    owner: t.field({
      type: OwnerInput,
      required: true,
      defaultValue: {},
      description: 'Whose secrets; your own by default.',
    }),
    names: t.stringList({ description: 'Secrets by their names.' }),
    placeholders: t.stringList({ description: 'Secrets by their placeholders, such as `sec_a23f23d26`.' }),
    ids: t.idList({ description: 'Secrets by their UUIDs, in either case. Those of another owner are `missing`.' }),
    recipient: t.field({
      type: 'JSON',
      required: true,
      description:
        'The public key that the values are sealed to, as a JWK: X25519 or P-256. Keep the private key where the values are needed.',
    }),
    purpose: t.string({
      description: 'What the values are needed for, in 1 to 255 characters. It is kept in the audit events.',
    }),
    idempotencyKey: t.string({
      description:
        'A text of your choice for this one request, 1 to 255 characters. A delivery is never kept: sent again within 24 hours with the same input, it is delivered and audited again. With another input it is refused.',
    }),
  }),
});

const Delivery = builder.objectRef<DeliveryModel>('Delivery').implement({
  description: 'A value that only the recipient can read.',
  fields: (t) => ({
    secret: t.field({
      type: SecretRef,
      description: 'The secret as it was delivered. Lists below it need the scope `secrets:read`.',
      resolve: ({ secret }) => secret,
    }),
    jwe: t.exposeString('jwe', {
      description:
        'The value as a compact JWE (RFC 7516) to the recipient: `ECDH-ES+A256KW`, `A256GCM`. Its protected header says `secretId`, `version`, `iat` and `sub`.',
    }),
  }),
});

const ResolveSecretsPayload = builder.objectRef<ResolvedSecrets>('ResolveSecretsPayload').implement({
  description: 'What `resolveSecrets` delivered.',
  fields: (t) => ({
    deliveries: t.field({
      type: [Delivery],
      description: 'Each secret once, in the order of their names.',
      resolve: ({ deliveries }) => deliveries,
    }),
    missing: t.stringList({
      description: 'What was asked for and is not there or has no value, as it was sent.',
      resolve: ({ missing }) => missing,
    }),
  }),
});

builder.mutationField('resolveSecrets', (t) =>
  t.field({
    type: ResolveSecretsPayload,
    description:
      'Delivers values, sealed to a key of yours: nobody in between can read them. Each is audited before the answer leaves. All that is found is delivered, or nothing.',
    directives: scoped('secrets:resolve'),
    args: {
      input: t.arg({ type: ResolveSecretsInput, required: true, description: 'Which values, and to which key.' }),
    },
    resolve: (_root, { input }, { operations }, info) =>
      inArgument('input', operations.resolveSecrets({ ...input, lists: showsLists(info) })),
  }),
);
