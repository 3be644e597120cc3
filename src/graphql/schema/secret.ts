import type { Secret } from '../../model/secret.ts';
import { Actor } from './actor.ts';
import { builder, scoped } from './builder.ts';
import { Destination } from './destination.ts';
import { OwnerInput, SecretOwner } from './owner.ts';
import { SecretConnectionRef, SecretRef } from './refs.ts';
import { listArguments, listSelection } from './secret-connection.ts';
import { SecretHealth } from './secret-health.ts';
import { SecretVersion } from './secret-version.ts';

SecretRef.implement({
  description: 'A secret. Its value is never returned: you see a mask, a placeholder and a version.',
  directives: { key: { fields: 'id' } },
  // The compiler names a field of a secret that is missing here.
  fields: (t) =>
    ({
      id: t.exposeID('id', { description: 'A UUID, in lower case.' }),
      placeholder: t.exposeString('placeholder', {
        description:
          'Stands for the value in templates, such as `sec_a23f23d26`. Made by the server, unique for the owner.',
      }),
      name: t.exposeString('name', { description: 'The name, unique for the owner.' }),
      owner: t.field({
        type: SecretOwner,
        description: 'Who the secret belongs to.',
        resolve: (secret) => secret.owner,
      }),
      provider: t.exposeString('provider', {
        nullable: true,
        description: 'Whose service the value is for, such as `openai`.',
      }),
      notes: t.exposeString('notes', { nullable: true, description: 'Notes of the people who use it.' }),
      tags: t.exposeStringList('tags', { description: 'Labels, in the order they were given.' }),
      maskedValue: t.exposeString('maskedValue', {
        nullable: true,
        description: 'A part of the value to recognise it by, such as `sk-pro••••789`; null while no value is set.',
      }),
      destination: t.expose('destination', {
        type: Destination,
        nullable: true,
        description:
          'Where the gateway may send the value, so that nobody else holds it; null: nowhere. It changes only together with the value.',
      }),
      useUrl: t.string({
        nullable: true,
        description:
          'A URL that stands for the origin of `destination`: requests to it are sent on with the value put in. Give it to an SDK as its base URL, and credentials of the gateway as its API key. Null without a destination.',
        resolve: (secret, _args, { operations }) => operations.useUrl(secret),
      }),
      version: t.exposeInt('version', { description: '1 at first, plus 1 with every change.' }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When somebody should replace the value. It is a reminder: nothing happens then.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
      updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
      createdBy: t.expose('createdBy', { type: Actor, description: 'Who created it.' }),
      updatedBy: t.expose('updatedBy', { type: Actor, description: 'Who made the last change.' }),
      lastUsedAt: t.expose('lastUsedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the value was last sent to its destination; null before. It does not change `version`.',
      }),
      health: t.expose('health', {
        type: SecretHealth,
        nullable: true,
        description:
          'What the last check or use found out about the value; null if nothing is known. It does not change `version`.',
      }),
      versions: t.field({
        type: [SecretVersion],
        description:
          'The values that it has and had, newest first. The last 10 are kept; none is there while no value is set.',
        directives: scoped('secrets:read'),
        args: {
          first: t.arg.int({ description: 'How many of the newest; all by default.' }),
          before: t.arg.int({ description: 'Only versions before this one.' }),
        },
        resolve: (secret, args, { operations }) => operations.listVersions({ ...args, secret }),
      }),
    }) satisfies { readonly [field in keyof Secret | 'useUrl' | 'versions']: unknown },
});

builder.queryField('secret', (t) =>
  t.field({
    type: SecretRef,
    nullable: true,
    description: 'One secret by its id; null when there is none, or none that you may see.',
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
      owner: t.arg({
        type: OwnerInput,
        required: true,
        defaultValue: {},
        description: 'Whose secrets; your own by default.',
      }),
      ...listArguments,
    },
    resolve: (_root, args, { operations }, info) => operations.listSecrets({ ...args, select: listSelection(info) }),
  }),
);
