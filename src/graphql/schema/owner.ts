import type { ObjectFieldBuilder } from '@pothos/core';
import type { Owner } from '../../model/owner.ts';
import { builder, scoped } from './builder.ts';
import { ConnectorRef, SecretConnectionRef, TeamRef, UserRef } from './refs.ts';
import { listArguments, listSelection } from './secret-connection.ts';

export const OwnerInput = builder.inputType('OwnerInput', {
  description:
    'Whose secrets. Empty: your own, and for an API key those of its team or connector. `teamId`: a team’s. Both: those of a team’s connector.',
  fields: (t) => ({
    teamId: t.id({ description: 'A team you are in.' }),
    connectorId: t.id({ description: 'A connector of that team.' }),
  }),
});

UserRef.implement({
  description: 'A person who signs in. The secrets are visible to that user only.',
  directives: { key: { fields: 'id' } },
  fields: (t) => ({
    id: t.id({ description: 'The subject of the user’s tokens.', resolve: (user) => user.userId }),
    secrets: secretsField(t, 'The user’s own secrets, such as provider API keys.'),
  }),
});

TeamRef.implement({
  description: 'A team. Its secrets are visible to its members.',
  directives: { key: { fields: 'id' } },
  fields: (t) => ({
    id: t.id({ description: 'The team’s id, as tokens name it.', resolve: (team) => team.teamId }),
    secrets: secretsField(t, 'The team’s secrets, without those of its connectors.'),
  }),
});

ConnectorRef.implement({
  description: 'A connector of a team. Its secrets are visible to the team’s members.',
  directives: { key: { fields: 'teamId id' } },
  fields: (t) => ({
    teamId: t.exposeID('teamId', { description: 'The team that the connector belongs to.' }),
    id: t.id({ description: 'The connector’s id within its team.', resolve: (connector) => connector.connectorId }),
    secrets: secretsField(t, 'The connector’s secrets.'),
  }),
});

function secretsField<T extends Owner>(
  t: ObjectFieldBuilder<typeof builder.$inferSchemaTypes, T>,
  description: string,
) {
  return t.field({
    type: SecretConnectionRef,
    // A refusal for one owner must not remove the other owners from a federated answer.
    nullable: true,
    directives: scoped('secrets:read'),
    description,
    args: listArguments,
    resolve: (owner, args, { operations }, info) =>
      operations.listSecrets({ ...args, owner, select: listSelection(info) }),
  });
}

export const ownerTypeNames = { user: 'User', team: 'Team', connector: 'Connector' } as const;

export const SecretOwner = builder.unionType('SecretOwner', {
  description: 'Who a secret belongs to.',
  types: [UserRef, TeamRef, ConnectorRef],
  resolveType: (owner) => ownerTypeNames[owner.type],
});
