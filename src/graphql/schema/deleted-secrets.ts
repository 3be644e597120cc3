import { builder, scoped } from './builder.ts';
import { OwnerInput } from './owner.ts';
import { SecretConnectionRef } from './refs.ts';
import { listSelection, shortListArguments } from './secret-connection.ts';

builder.queryField('deletedSecrets', (t) =>
  t.field({
    type: SecretConnectionRef,
    description:
      'An owner’s secrets that were deleted and can still be restored, as they were, in the order of their names. `restoreSecret` brings one back, `purgeSecret` removes it for good.',
    directives: scoped('secrets:read'),
    args: {
      owner: t.arg({
        type: OwnerInput,
        required: true,
        defaultValue: {},
        description: 'Whose secrets; your own by default.',
      }),
      ...shortListArguments,
    },
    resolve: (_root, args, { operations }, info) =>
      operations.listDeletedSecrets({ ...args, select: listSelection(info) }),
  }),
);
