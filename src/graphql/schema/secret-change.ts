import {
  type SecretChange as SecretChangeModel,
  type SecretChangeType,
  secretChangeTypes,
} from '../../model/secret-change.ts';
import { builder, scoped } from './builder.ts';
import { OwnerInput } from './owner.ts';
import { SecretRef } from './refs.ts';

const meanings: { readonly [type in SecretChangeType]: string } = {
  CREATED: 'It was created.',
  UPDATED: 'It has a new version: it was updated, or rolled back.',
  DELETED: 'It was deleted. It can be restored for a while.',
  RESTORED: 'It was restored after a deletion.',
  PURGED: 'It was removed for good.',
  REJECTED: 'Its value does not work any more: the service that it is for refused it.',
};

const SecretChangeTypeEnum = builder.enumType('SecretChangeType', {
  description: 'What happened to a secret.',
  values: Object.fromEntries(secretChangeTypes.map((type) => [type, { description: meanings[type] }])) as {
    readonly [type in SecretChangeType]: { readonly description: string };
  },
});

const SecretChange = builder.objectRef<SecretChangeModel>('SecretChange').implement({
  description: 'One change to a secret.',
  fields: (t) => ({
    type: t.expose('type', { type: SecretChangeTypeEnum, description: 'What happened.' }),
    secretId: t.exposeID('secretId', { description: 'The secret that it happened to.' }),
    version: t.exposeInt('version', {
      nullable: true,
      description: 'The version that the change made; of a deletion and a purge the one that was there.',
    }),
    secret: t.field({
      type: SecretRef,
      nullable: true,
      description:
        'The secret as it is now, which may be newer than this change; null once it is deleted. Its `version` tells.',
      resolve: ({ type, secretId }, _args, { operations }) =>
        type === 'DELETED' || type === 'PURGED' ? null : operations.findSecret(secretId),
    }),
    cursor: t.exposeString('cursor', {
      description: 'The position after this change: subscribe with it as `after` to go on from here, at any replica.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When, by the clock of the gateway that made the change.' }),
  }),
});

builder.subscriptionField('secretChanged', (t) =>
  t.field({
    type: SecretChange,
    description:
      'Every change to an owner’s secrets as it happens, in order, none left out and none twice. Accept `text/event-stream`. It ends when your credentials do.',
    directives: scoped('secrets:read'),
    args: {
      owner: t.arg({
        type: OwnerInput,
        required: true,
        defaultValue: {},
        description: 'Whose secrets; your own by default.',
      }),
      after: t.arg.string({
        description:
          'The cursor of the last change that you have: what came after it is told first. Without it you are told what happens once the subscription has begun.',
      }),
    },
    // Several at once where several are there: the endpoint makes an event of each.
    subscribe: (_root, args, { operations }) => operations.followChanges(args) as Promise<never>,
    resolve: (change: SecretChangeModel) => change,
  }),
);
