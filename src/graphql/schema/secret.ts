import type { Secret } from '../../store/store.ts';
import { builder, scoped } from './builder.ts';
import { OwnerInput, SecretOwner } from './owner.ts';
import { SecretConnectionRef, SecretRef } from './refs.ts';
import { listArguments, listSelection, shortListArguments } from './secret-connection.ts';

SecretRef.implement({
  description: 'A secret. Its value went in and never comes out: what shows is a mask, a placeholder and a version.',
  directives: { key: { fields: 'id' } },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUID, in lower case.' }),
    placeholder: t.exposeString('placeholder', {
      description:
        'Stands for the value in templates, such as `sec_a23f23d26`. Made by the server, unique for the owner.',
    }),
    name: t.exposeString('name', { description: 'The name, unique for the owner.' }),
    owner: t.field({ type: SecretOwner, description: 'Who the secret belongs to.', resolve: (secret) => secret.owner }),
    provider: t.exposeString('provider', {
      nullable: true,
      description: 'Whose service the value is for, such as `openai`.',
    }),
    notes: t.exposeString('notes', { nullable: true, description: 'What a person wanted to remember about it.' }),
    tags: t.exposeStringList('tags', { description: 'Labels, in the order they were given.' }),
    maskedValue: t.exposeString('maskedValue', {
      nullable: true,
      description: 'Enough of the value to recognise it, such as `sk-pro••••789`; null while no value is set.',
    }),
    version: t.exposeInt('version', { description: '1 at first, and one more with every change.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
});

builder.queryField('secret', (t) =>
  t.field({
    type: SecretRef,
    nullable: true,
    description: 'One secret by its id; null when there is none that you may see.',
    directives: scoped('secrets:read'),
    args: { id: t.arg.id({ required: true, description: 'The secret’s UUID, in either case.' }) },
    resolve: (_root, { id }, { operations }) => operations.findSecret(id),
  }),
);

builder.queryField('secrets', (t) =>
  t.field({
    type: SecretConnectionRef,
    description: 'An owner’s secrets, in the order of their names.',
    directives: scoped('secrets:read'),
    args: {
      owner: t.arg({ type: OwnerInput, required: true, defaultValue: {}, description: 'Whose; your own by default.' }),
      ...listArguments,
    },
    resolve: (_root, args, { operations }, info) => operations.listSecrets({ ...args, select: listSelection(info) }),
  }),
);

const CreateSecretInput = builder.inputType('CreateSecretInput', {
  description: 'A new secret.',
  fields: (t) => ({
    id: t.id({ description: 'A UUID of your choice; left out, the server makes one.' }),
    owner: t.field({
      type: OwnerInput,
      required: true,
      defaultValue: {},
      description: 'Whose secret it shall be; your own by default.',
    }),
    name: t.string({
      required: true,
      description:
        'Unique for the owner. For your own secret an environment variable name, such as `OPENAI_API_KEY`; otherwise 1 to 255 characters in any language.',
    }),
    value: t.string({
      description:
        'The value in clear, 1 byte to 64 KiB, kept exactly as sent. Pass it in a variable. A team’s secret may do without until later.',
    }),
    provider: t.string({
      description: 'Whose service the value is for, such as `openai`. Required for your own secret.',
    }),
    notes: t.string({ description: 'At most 4 KiB.' }),
    tags: t.stringList({ description: 'At most 50, of 1 to 64 characters each.' }),
  }),
});

const CreateSecretPayload = builder.objectRef<Secret>('CreateSecretPayload').implement({
  description: 'What `createSecret` did.',
  fields: (t) => ({
    secret: t.field({ type: SecretRef, description: 'The new secret.', resolve: (secret) => secret }),
    secrets: t.field({
      type: SecretConnectionRef,
      // The secret is there whatever becomes of the list: an error here must not hide that.
      nullable: true,
      description: 'The owner’s updated list, read after the write. Needs the scope `secrets:read`.',
      args: shortListArguments,
      resolve: ({ owner }, args, { operations }, info) =>
        operations.listSecrets({ ...args, owner, select: listSelection(info) }),
    }),
  }),
});

builder.mutationField('createSecret', (t) =>
  t.field({
    type: CreateSecretPayload,
    description: 'Creates a secret. The value is sealed before it reaches the store.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: CreateSecretInput, required: true, description: 'The new secret.' }) },
    resolve: (_root, { input }, { operations }) => operations.createSecret(input),
  }),
);

const UpdateSecretInput = builder.inputType('UpdateSecretInput', {
  description: 'Changes to a secret. What is left out is kept.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which secret.' }),
    value: t.string({ description: 'A new value in clear. Pass it in a variable. Its mask is refused.' }),
    name: t.string({ description: 'A new name.' }),
    provider: t.string({ description: 'A new provider; null clears it, except for your own secret.' }),
    notes: t.string({ description: 'New notes; null clears them.' }),
    tags: t.stringList({ description: 'The new tags, all of them; an empty list clears them.' }),
    expectedVersion: t.int({ description: 'Change it only if this is still its version.' }),
  }),
});

const UpdateSecretPayload = builder.objectRef<Secret>('UpdateSecretPayload').implement({
  description: 'What `updateSecret` did.',
  fields: (t) => ({
    secret: t.field({ type: SecretRef, description: 'The secret as it is now.', resolve: (secret) => secret }),
  }),
});

builder.mutationField('updateSecret', (t) =>
  t.field({
    type: UpdateSecretPayload,
    description: 'Changes a secret. A new value is sealed before it reaches the store.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: UpdateSecretInput, required: true, description: 'The changes.' }) },
    resolve: (_root, { input }, { operations }) => operations.updateSecret(input),
  }),
);

const DeleteSecretInput = builder.inputType('DeleteSecretInput', {
  description: 'Which secret to delete.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The secret’s id.' }),
    expectedVersion: t.int({ description: 'Delete it only if this is still its version.' }),
  }),
});

const DeleteSecretPayload = builder.objectRef<Secret>('DeleteSecretPayload').implement({
  description: 'What `deleteSecret` did.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of what is no longer there.' }),
    secret: t.field({ type: SecretRef, description: 'The secret as it last was.', resolve: (secret) => secret }),
  }),
});

builder.mutationField('deleteSecret', (t) =>
  t.field({
    type: DeleteSecretPayload,
    description: 'Deletes a secret and its value for good. Placeholders of it resolve no more.',
    directives: scoped('secrets:write'),
    args: { input: t.arg({ type: DeleteSecretInput, required: true, description: 'Which secret.' }) },
    resolve: (_root, { input }, { operations }) => operations.deleteSecret(input),
  }),
);
