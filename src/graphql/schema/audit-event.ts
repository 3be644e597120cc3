import type { GraphQLResolveInfo } from 'graphql';
import type { AuditEventPage } from '../../audit/list-events.ts';
import { type AuditEvent as AuditEventModel, auditEventTypes } from '../../model/audit-event.ts';
import { Actor } from './actor.ts';
import { builder, scoped } from './builder.ts';
import { OwnerInput } from './owner.ts';
import { boundsOf, PageInfo } from './page-info.ts';
import { listSelection } from './secret-connection.ts';

const AuditFilter = builder.inputType('AuditFilter', {
  description: 'Selects audit events. Every field that is given must match.',
  fields: (t) => ({
    types: t.stringList({
      description: `Any of these types: ${auditEventTypes.map((type) => `\`${type}\``).join(', ')}.`,
    }),
    secretId: t.id({ description: 'Of this secret.' }),
    actor: t.id({ description: 'By this user or API key: the `id` of `actor`.' }),
    since: t.field({ type: 'DateTime', description: 'At this moment or later.' }),
    until: t.field({ type: 'DateTime', description: 'Before this moment.' }),
  }),
});

const AuditEvent = builder.objectRef<AuditEventModel>('AuditEvent').implement({
  description:
    'What was done to a secret or an API key, by whom and when. It never has a value. Each event is linked to the one before it by a keyed hash, so that a change in the database is found.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'Its number among the events of the owner, from 1.' }),
    type: t.exposeString('type', { description: 'What was done, such as `secret.created`.' }),
    actor: t.expose('actor', { type: Actor, description: 'Who did it.' }),
    requestId: t.exposeString('requestId', {
      description: 'The request in which it was done: `X-Request-Id` of its answer.',
    }),
    at: t.expose('at', {
      type: 'DateTime',
      description:
        'When, by the clock of the gateway. Events are in the order of `sequence`; their times may differ from it.',
    }),
    secretId: t.exposeID('secretId', { nullable: true, description: 'The secret that it is about.' }),
    secretName: t.exposeString('secretName', {
      nullable: true,
      description: 'The name of the secret by then, after a change of the name the new one.',
    }),
    version: t.exposeInt('version', {
      nullable: true,
      description: 'The version that was made, deleted, delivered, used or checked, or whose value was refused.',
    }),
    apiKeyId: t.exposeID('apiKeyId', { nullable: true, description: 'The API key that it is about.' }),
    purpose: t.exposeString('purpose', {
      nullable: true,
      description: 'What a value was delivered for, in the words of who asked.',
    }),
    method: t.exposeString('method', {
      nullable: true,
      description: 'The method of the request that a value was used or checked in.',
    }),
    origin: t.exposeString('origin', { nullable: true, description: 'Where a value was sent to.' }),
    hash: t.exposeString('hash', {
      description:
        'An HMAC over the event and the hash before it, in hex. `secrets-gateway audit verify` checks all of them.',
    }),
  }),
});

interface Edge {
  readonly page: AuditEventPage;
  readonly event: AuditEventModel;
}

const AuditEventEdge = builder.objectRef<Edge>('AuditEventEdge').implement({
  description: 'An audit event in a list, and its position there.',
  fields: (t) => ({
    cursor: t.string({
      description: 'The position, for `after` or `before` in a list of the same owner and filter.',
      resolve: ({ page, event }) => page.cursorOf(event),
    }),
    node: t.field({ type: AuditEvent, description: 'The event.', resolve: ({ event }) => event }),
  }),
});

const AuditEventConnection = builder.objectRef<AuditEventPage>('AuditEventConnection').implement({
  description: 'A page of an owner’s audit events, in the order of `sequence`.',
  fields: (t) => ({
    totalCount: t.int({
      description: 'How many events match in total, on all pages. With a filter this looks at many events.',
      resolve: ({ totalCount }) => {
        if (totalCount === null) throw new Error('totalCount was selected, but not read');
        return totalCount;
      },
    }),
    nodes: t.field({ type: [AuditEvent], description: 'The events of this page.', resolve: ({ events }) => events }),
    edges: t.field({
      type: [AuditEventEdge],
      description: 'The events of this page, each with its cursor.',
      resolve: (page) => page.events.map((event) => ({ page, event })),
    }),
    pageInfo: t.field({
      type: PageInfo,
      description: 'The position of this page in the list.',
      resolve: (page) => boundsOf(page, page.events),
    }),
  }),
});

builder.queryField('auditEvents', (t) =>
  t.field({
    type: AuditEventConnection,
    description:
      'What was done to the secrets and the API keys of an owner: your own, or those of a team or its connector if you are an admin of the team. An event that was changed in the database is an error.',
    directives: scoped('secrets:read'),
    args: {
      owner: t.arg({
        type: OwnerInput,
        required: true,
        defaultValue: {},
        description: 'Whose events; your own by default.',
      }),
      filter: t.arg({ type: AuditFilter, description: 'Which events to list.' }),
      first: t.arg.int({
        description: 'How many from the start, at most 1,000. 100 when neither `first` nor `last` is given.',
      }),
      after: t.arg.string({ description: 'Only events after this cursor.' }),
      last: t.arg.int({ description: 'How many from the end, at most 1,000. Not together with `first`.' }),
      before: t.arg.string({ description: 'Only events before this cursor.' }),
    },
    resolve: (_root, args, { operations }, info: GraphQLResolveInfo) =>
      operations.listAuditEvents({ ...args, select: listSelection(info) }),
  }),
);
