import type { GraphQLResolveInfo } from 'graphql';
import type { Owner } from '../owner.ts';
import type { PageArguments } from '../secrets/list-secrets.ts';
import { builder, type GraphQLContext, scoped } from './builder.ts';
import { ConnectorRef, SecretConnectionRef, TeamRef, UserRef } from './refs.ts';
import { listArguments, listSelection } from './secret-connection.ts';

export const OwnerInput = builder.inputType('OwnerInput', {
  description: 'Whose secrets. Empty: your own. `teamId`: a team’s. Both: those of a team’s connector.',
  fields: (t) => ({
    teamId: t.id({ description: 'A team you are in.' }),
    connectorId: t.id({ description: 'A connector of that team.' }),
  }),
});

const listOf = (owner: Owner, args: PageArguments, { operations }: GraphQLContext, info: GraphQLResolveInfo) =>
  operations.listSecrets({ ...args, owner, select: listSelection(info) });

UserRef.implement({
  description: 'Somebody who signs in. Its secrets are visible to that user alone.',
  directives: { key: { fields: 'id' } },
  fields: (t) => ({
    id: t.id({ description: 'The subject of the user’s tokens.', resolve: (user) => user.userId }),
    secrets: t.field({
      type: SecretConnectionRef,
      // One owner that may not be seen must not take the others of a federated answer with it.
      nullable: true,
      directives: scoped('secrets:read'),
      description: 'The user’s own secrets, such as provider API keys.',
      args: listArguments,
      resolve: listOf,
    }),
  }),
});

TeamRef.implement({
  description: 'A team. Its secrets are visible to its members.',
  directives: { key: { fields: 'id' } },
  fields: (t) => ({
    id: t.id({ description: 'The id that tokens name the team by.', resolve: (team) => team.teamId }),
    secrets: t.field({
      type: SecretConnectionRef,
      // One owner that may not be seen must not take the others of a federated answer with it.
      nullable: true,
      directives: scoped('secrets:read'),
      description: 'The team’s secrets, without those of its connectors.',
      args: listArguments,
      resolve: listOf,
    }),
  }),
});

ConnectorRef.implement({
  description: 'A connector of a team. Its secrets are visible to the team’s members.',
  directives: { key: { fields: 'teamId id' } },
  fields: (t) => ({
    teamId: t.exposeID('teamId', { description: 'The team that the connector belongs to.' }),
    id: t.id({ description: 'The connector’s id within its team.', resolve: (connector) => connector.connectorId }),
    secrets: t.field({
      type: SecretConnectionRef,
      // One owner that may not be seen must not take the others of a federated answer with it.
      nullable: true,
      directives: scoped('secrets:read'),
      description: 'The connector’s secrets.',
      args: listArguments,
      resolve: listOf,
    }),
  }),
});

export const ownerTypeNames = { user: 'User', team: 'Team', connector: 'Connector' } as const;

export const SecretOwner = builder.unionType('SecretOwner', {
  description: 'Who a secret belongs to.',
  types: [UserRef, TeamRef, ConnectorRef],
  resolveType: (owner) => ownerTypeNames[owner.type],
});
