import type { Membership, Principal } from '../../model/principal.ts';
import { ActorKind } from './actor.ts';
import { builder } from './builder.ts';
import { TeamRef } from './refs.ts';

const TeamRole = builder.enumType('TeamRole', {
  description: 'The role of a team’s member.',
  values: {
    ADMIN: { value: 'admin', description: 'Works with the team’s secrets, and manages the team.' },
    MEMBER: { value: 'member', description: 'Works with the team’s secrets.' },
  } as const,
});

const TeamMembership = builder.objectRef<Membership>('TeamMembership').implement({
  description: 'A team that the caller is in.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The team’s id.' }),
    role: t.expose('role', { type: TeamRole, description: 'The caller’s role there.' }),
    team: t.field({
      type: TeamRef,
      description: 'The team.',
      resolve: ({ id }) => ({ type: 'team' as const, teamId: id }),
    }),
  }),
});

const Viewer = builder.objectRef<Principal>('Viewer').implement({
  description: 'Who calls, as the credentials say.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ActorKind, description: 'A user or an API key.' }),
    subject: t.exposeString('subject', { description: 'The subject of the token, or the id of the API key.' }),
    teams: t.field({ type: [TeamMembership], description: 'The teams the caller is in.', resolve: (p) => p.teams }),
    scopes: t.stringList({
      description: 'What the credentials allow, such as `secrets:read`.',
      resolve: (principal) => [...principal.scopes],
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Who you are for this gateway.',
    directives: { authenticated: {} },
    resolve: (_root, _args, { operations }) => operations.viewer(),
  }),
);
