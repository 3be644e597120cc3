import type { GraphQLResolveInfo } from 'graphql';
import type { ApiKeyPage } from '../../api-keys/list-api-keys.ts';
import type { ApiKey as ApiKeyModel } from '../../model/api-key.ts';
import { Actor } from './actor.ts';
import { builder, scoped } from './builder.ts';
import { boundsOf, PageInfo } from './page-info.ts';
import { listSelection } from './secret-connection.ts';

export const ApiKey = builder.objectRef<ApiKeyModel>('ApiKey').implement({
  description:
    'A credential of a machine, sent as `X-API-Key` or as bearer credentials. It acts for its team, or for one connector of it. The key itself is shown once, when it is made.',
  // The compiler names a field of an API key that is missing here.
  fields: (t) =>
    ({
      id: t.exposeID('id', { description: 'A UUID, in lower case. In audit events it is the actor’s id.' }),
      teamId: t.exposeID('teamId', { description: 'The team that it acts for.' }),
      connectorId: t.exposeID('connectorId', {
        nullable: true,
        description: 'The connector that it acts for, and nothing else; null when it acts for the whole team.',
      }),
      name: t.exposeString('name', { description: 'What it is for. Several keys may have one name.' }),
      prefix: t.exposeString('prefix', { description: 'How the key begins, to recognise it by, such as `sgk_a23F5`.' }),
      scopes: t.exposeStringList('scopes', { description: 'What it allows, such as `secrets:read`.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
      createdBy: t.expose('createdBy', { type: Actor, description: 'Who made it, or rotated the key before it.' }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'From when on it is not accepted; null when it does not expire.',
      }),
      lastUsedAt: t.expose('lastUsedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was last used, to about a minute; null when it never was.',
      }),
      revokedAt: t.expose('revokedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was revoked; null when it was not.',
      }),
    }) satisfies { readonly [field in keyof ApiKeyModel]: unknown },
});

interface Edge {
  readonly page: ApiKeyPage;
  readonly apiKey: ApiKeyModel;
}

const ApiKeyEdge = builder.objectRef<Edge>('ApiKeyEdge').implement({
  description: 'An API key in a list, and its position there.',
  fields: (t) => ({
    cursor: t.string({
      description: 'The position, for `after` in a list of the same team.',
      resolve: ({ page, apiKey }) => page.cursorOf(apiKey),
    }),
    node: t.field({ type: ApiKey, description: 'The API key.', resolve: ({ apiKey }) => apiKey }),
  }),
});

const ApiKeyConnection = builder.objectRef<ApiKeyPage>('ApiKeyConnection').implement({
  description: 'A page of a team’s API keys, in the order of their names.',
  fields: (t) => ({
    totalCount: t.int({
      description: 'How many there are in total, on all pages, with those that have ended.',
      resolve: ({ totalCount }) => {
        if (totalCount === null) throw new Error('totalCount was selected, but not read');
        return totalCount;
      },
    }),
    nodes: t.field({ type: [ApiKey], description: 'The keys of this page.', resolve: ({ apiKeys }) => apiKeys }),
    edges: t.field({
      type: [ApiKeyEdge],
      description: 'The keys of this page, each with its cursor.',
      resolve: (page) => page.apiKeys.map((apiKey) => ({ page, apiKey })),
    }),
    pageInfo: t.field({
      type: PageInfo,
      description: 'The position of this page in the list.',
      resolve: (page) => boundsOf(page, page.apiKeys),
    }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    description:
      'The API keys of a team and of its connectors, also those that were revoked or have expired. Only for admins of the team.',
    directives: scoped('keys:manage'),
    args: {
      teamId: t.arg.id({ required: true, description: 'A team of which you are an admin.' }),
      first: t.arg.int({ description: 'How many, at most 1,000; 100 by default.' }),
      after: t.arg.string({ description: 'Only keys after this cursor.' }),
    },
    resolve: (_root, args, { operations }, info: GraphQLResolveInfo) =>
      operations.listApiKeys({ ...args, select: listSelection(info) }),
  }),
);
