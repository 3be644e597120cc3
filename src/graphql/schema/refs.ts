import type { Owner } from '../../model/owner.ts';
import type { Secret } from '../../model/secret.ts';
import type { SecretPage } from '../../secrets/list-secrets.ts';
import { builder } from './builder.ts';

// These types refer to each other in a circle. Each is implemented in the file of its name.
export const SecretRef = builder.objectRef<Secret>('Secret');
export const SecretConnectionRef = builder.objectRef<SecretPage>('SecretConnection');
export const UserRef = builder.objectRef<Extract<Owner, { type: 'user' }>>('User');
export const TeamRef = builder.objectRef<Extract<Owner, { type: 'team' }>>('Team');
export const ConnectorRef = builder.objectRef<Extract<Owner, { type: 'connector' }>>('Connector');
