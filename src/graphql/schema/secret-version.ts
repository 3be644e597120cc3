import type { SecretVersion as SecretVersionModel } from '../../model/secret-version.ts';
import { Actor } from './actor.ts';
import { builder } from './builder.ts';
import { Destination } from './destination.ts';

export const SecretVersion = builder.objectRef<SecretVersionModel>('SecretVersion').implement({
  description: 'A value that a secret has, or had. You see its mask; `rollbackSecret` gives it to the secret again.',
  // The compiler names a field of a version that is missing here.
  fields: (t) =>
    ({
      version: t.exposeInt('version', {
        description: 'The version of the secret in which the value was set. A change of anything else makes no entry.',
      }),
      maskedValue: t.exposeString('maskedValue', {
        nullable: true,
        description: 'A part of the value to recognise it by, such as `sk-pro••••789`.',
      }),
      destination: t.expose('destination', {
        type: Destination,
        nullable: true,
        description: 'Where the gateway may send this value; null: nowhere. A rollback brings it back with the value.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the value was set.' }),
      actor: t.expose('actor', { type: Actor, description: 'Who set the value.' }),
      current: t.exposeBoolean('current', { description: 'Whether it is the value that the secret has now.' }),
    }) satisfies { readonly [field in keyof SecretVersionModel]: unknown },
});
