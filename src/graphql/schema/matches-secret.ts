import { builder } from './builder.ts';
import { OwnerInput } from './owner.ts';
import { SecretRef } from './refs.ts';

builder.queryField('matchesSecret', (t) =>
  t.field({
    type: [SecretRef],
    description:
      'Whose leaked value is this? An owner’s secrets that have this value now, in the order of their names, at most 1,000. Nothing is opened for it. Send `value` or `sealedValue`, in a variable and by POST. It needs the scopes `secrets:match` and `secrets:read`, and works 30 times a minute.',
    directives: { authenticated: {}, requiresScopes: { scopes: [['secrets:match', 'secrets:read']] } },
    args: {
      owner: t.arg({
        type: OwnerInput,
        required: true,
        defaultValue: {},
        description: 'Whose secrets; your own by default.',
      }),
      value: t.arg.string({ description: 'The value, in clear. Every byte counts.' }),
      sealedValue: t.arg.string({
        description:
          'The value sealed to one of the `sealingKeys`, in place of `value`: a compact JWE with `use: "match"` in its header. It may be sent again until it expires.',
      }),
    },
    resolve: async (_root, args, { operations }) => [...(await operations.matchesSecret(args))],
  }),
);
