import type { GraphQLResolveInfo } from 'graphql';
import type { Secret } from '../../model/secret.ts';
import type { SecretPage } from '../../secrets/list-secrets.ts';
import { builder } from './builder.ts';
import { SecretConnectionRef, SecretRef } from './refs.ts';
import { selectedFields } from './selection.ts';

const SecretFilter = builder.inputType('SecretFilter', {
  description: 'Narrows a list of secrets. What is left out does not narrow; what is there must all hold.',
  fields: (t) => ({
    name: t.string({ description: 'Exactly this name.' }),
    nameStartsWith: t.string({ description: 'A name that begins with this text.' }),
    provider: t.string({ description: 'Exactly this provider.' }),
    tags: t.stringList({ description: 'All of these tags, whatever others there are.' }),
    placeholder: t.string({ description: 'Exactly this placeholder.' }),
  }),
});

/** For a list that comes with a mutation's answer. */
export const shortListArguments = builder.args((t) => ({
  first: t.int({
    description: 'How many from the start, at most 1,000. 100 when neither `first` nor `last` is given.',
  }),
  after: t.string({ description: 'Only what comes after this cursor.' }),
}));

/** For a list of its own. */
export const listArguments = builder.args((t) => ({
  filter: t.field({ type: SecretFilter, required: false, description: 'Which secrets to list.' }),
  ...shortListArguments,
  last: t.int({ description: 'How many from the end, at most 1,000. Not together with `first`.' }),
  before: t.string({ description: 'Only what comes before this cursor.' }),
}));

/** Which parts of a list the client asked for: a count alone reads no secrets, and a page alone does not count. */
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
  description: 'A secret in a list, and its place there.',
  fields: (t) => ({
    cursor: t.string({
      description: 'The place, for `after` or `before` in a list of the same owner and filter.',
      resolve: ({ page, secret }) => page.cursorOf(secret),
    }),
    node: t.field({ type: SecretRef, description: 'The secret.', resolve: ({ secret }) => secret }),
  }),
});

const PageInfo = builder.objectRef<SecretPage>('PageInfo').implement({
  description: 'Where a page stands in its list (Relay cursor connections).',
  directives: { shareable: {} },
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether more comes after this page.' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', { description: 'Whether something comes before this page.' }),
    startCursor: t.string({
      nullable: true,
      description: 'The place of the first secret of this page; null when the page is empty.',
      resolve: (page) => cursorOf(page, page.secrets.at(0)),
    }),
    endCursor: t.string({
      nullable: true,
      description: 'The place of the last secret of this page; null when the page is empty.',
      resolve: (page) => cursorOf(page, page.secrets.at(-1)),
    }),
  }),
});

function cursorOf(page: SecretPage, secret: Secret | undefined): string | null {
  return secret ? page.cursorOf(secret) : null;
}

SecretConnectionRef.implement({
  description: 'A page of an owner’s secrets, in the order of their names.',
  fields: (t) => ({
    totalCount: t.int({
      description: 'How many secrets match, on all pages together.',
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
    pageInfo: t.field({ type: PageInfo, description: 'Where this page stands.', resolve: (page) => page }),
  }),
});
