import type { GraphQLResolveInfo } from 'graphql';
import type { Secret } from '../../model/secret.ts';
import type { SecretPage } from '../../secrets/list-secrets.ts';
import { builder } from './builder.ts';
import { boundsOf, PageInfo } from './page-info.ts';
import { SecretConnectionRef, SecretRef } from './refs.ts';
import { HealthStatus } from './secret-health.ts';
import { selectedFields } from './selection.ts';

const SecretFilter = builder.inputType('SecretFilter', {
  description: 'Selects secrets of a list. Every field that is given must match.',
  fields: (t) => ({
    name: t.string({ description: 'Exactly this name.' }),
    nameStartsWith: t.string({ description: 'A name that begins with this text.' }),
    provider: t.string({ description: 'Exactly this provider.' }),
    tags: t.stringList({ description: 'All of these tags; the secret may have others, too.' }),
    placeholder: t.string({ description: 'Exactly this placeholder.' }),
    expiresBefore: t.field({
      type: 'DateTime',
      description: '`expiresAt` is before this moment. A secret without `expiresAt` does not match.',
    }),
    notUpdatedSince: t.field({
      type: 'DateTime',
      description: 'Last updated before this moment: one that was updated at it does not match.',
    }),
    hasValue: t.boolean({ description: 'Whether a value is set.' }),
    health: t.field({
      type: HealthStatus,
      description: 'The status of `health` is exactly this. A secret whose `health` is null does not match.',
    }),
    notUsedSince: t.field({
      type: 'DateTime',
      description: 'Last used before this moment, or never: one that was used at it does not match.',
    }),
  }),
});

/** For a list in a mutation's payload. */
export const shortListArguments = builder.args((t) => ({
  first: t.int({
    description: 'How many from the start, at most 1,000. 100 when neither `first` nor `last` is given.',
  }),
  after: t.string({ description: 'Only secrets after this cursor.' }),
}));

/** For a list that is asked for by itself. */
export const listArguments = builder.args((t) => ({
  filter: t.field({ type: SecretFilter, required: false, description: 'Which secrets to list.' }),
  ...shortListArguments,
  last: t.int({ description: 'How many from the end, at most 1,000. Not together with `first`.' }),
  before: t.string({ description: 'Only secrets before this cursor.' }),
}));

/** Which parts of a list the client selected: a count alone reads no secrets, and a page alone does not count. */
export function listSelection(info: GraphQLResolveInfo): { page: boolean; totalCount: boolean } {
  const fields = selectedFields(info);
  return {
    page: fields.has('nodes') || fields.has('edges') || fields.has('pageInfo'),
    totalCount: fields.has('totalCount'),
  };
}

interface Edge {
  readonly page: SecretPage;
  readonly secret: Secret;
}

const SecretEdge = builder.objectRef<Edge>('SecretEdge').implement({
  description: 'A secret in a list, and its position there.',
  fields: (t) => ({
    cursor: t.string({
      description: 'The position, for `after` or `before` in a list of the same owner and filter.',
      resolve: ({ page, secret }) => page.cursorOf(secret),
    }),
    node: t.field({ type: SecretRef, description: 'The secret.', resolve: ({ secret }) => secret }),
  }),
});

SecretConnectionRef.implement({
  description: 'A page of an owner’s secrets, in the order of their names.',
  fields: (t) => ({
    totalCount: t.int({
      description: 'How many secrets match in total, on all pages.',
      resolve: ({ totalCount }) => {
        if (totalCount === null) throw new Error('totalCount was selected, but not read');
        return totalCount;
      },
    }),
    nodes: t.field({ type: [SecretRef], description: 'The secrets of this page.', resolve: (page) => page.secrets }),
    edges: t.field({
      type: [SecretEdge],
      description: 'The secrets of this page, each with its cursor.',
      resolve: (page) => page.secrets.map((secret) => ({ page, secret })),
    }),
    pageInfo: t.field({
      type: PageInfo,
      description: 'The position of this page in the list.',
      resolve: (page) => boundsOf(page, page.secrets),
    }),
  }),
});
