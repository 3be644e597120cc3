import { randomBytes } from 'node:crypto';
import { apiKeyHolder, reader, spender, teamsOf, writer } from './identities.ts';
import { counter } from './load.ts';
import { idOf, readerIds, writerIds } from './records.ts';

export type Variables = Readonly<Record<string, unknown>>;

export interface Work {
  readonly name: string;
  readonly query: string;
  readonly operationName: string;
  /** For the nth connection. */
  readonly variables: (connection: number) => Variables;
  /** Whose token the nth connection sends; null for none. */
  readonly subject: (connection: number) => string | null;
  /** The answer to a write has new ids and times each time. */
  readonly differs?: boolean;
  /** Every contender has its own error text for a refusal. */
  readonly refused?: boolean;
  /** What each connection does once before. */
  readonly before?: Pick<Work, 'query' | 'operationName' | 'variables'>;
  /** How many values `counter` has. */
  readonly cycle?: number;
}

export const maxConnections = 128;

const fields = '{ id name placeholder maskedValue tags version createdAt updatedAt }';

export const list: Work = {
  name: 'list of 20 of 100, totalCount',
  operationName: 'List',
  query: `query List { secrets(first: 20) { totalCount nodes ${fields} } }`,
  variables: () => ({}),
  subject: reader,
};

export const one: Work = {
  name: 'one secret',
  operationName: 'One',
  query: `query One($id: ID!) { secret(id: $id) ${fields} }`,
  variables: (connection) => ({ id: idOf(readerIds(connection).from) }),
  subject: reader,
};

export const create: Work = {
  name: 'create',
  operationName: 'Create',
  query: `mutation Create($input: CreateSecretInput!) { createSecret(input: $input) { secret ${fields} } }`,
  variables: () => ({
    input: {
      owner: {},
      name: `MADE_${randomBytes(6).toString('hex')}_${counter}`,
      value: `sk-proj-${counter}${'k'.repeat(30)}`,
      provider: 'openai',
      tags: ['made'],
    },
  }),
  subject: writer,
  differs: true,
};

export const update: Work = {
  name: 'update',
  operationName: 'Update',
  query: `mutation Update($input: UpdateSecretInput!) { updateSecret(input: $input) { secret ${fields} } }`,
  variables: (connection) => ({
    input: { id: idOf(writerIds(connection).from), notes: `${randomBytes(6).toString('hex')} ${counter}` },
  }),
  subject: writer,
  differs: true,
};

export const tenLists: Work = {
  name: '10 aliased lists of 20',
  operationName: 'TenLists',
  query: `query TenLists(${teamsOf(0)
    .map((_, n) => `$o${n}: OwnerInput!`)
    .join(' ')}) {
    ${teamsOf(0)
      .map((_, n) => `l${n}: secrets(owner: $o${n}, first: 20) { totalCount nodes ${fields} }`)
      .join('\n')}
  }`,
  variables: (connection) => Object.fromEntries(teamsOf(connection).map((teamId, n) => [`o${n}`, { teamId }])),
  subject: reader,
};

export const entities: Work = {
  name: '_entities of 100 secrets',
  operationName: 'Entities',
  query: `query Entities($of: [_Any!]!) { _entities(representations: $of) { ... on Secret ${fields} } }`,
  variables(connection) {
    const { from, count } = readerIds(connection);
    return { of: Array.from({ length: count }, (_, n) => ({ __typename: 'Secret', id: idOf(from + n) })) };
  },
  subject: reader,
};

export const refusal: Work = { ...list, name: 'anonymous refusal', subject: () => null, refused: true };

/** The same as `list`, and each request is another document to the server. */
export const cold: Work = { ...list, name: 'a list in a new document', query: `${list.query}\n# ${counter}` };

const ten = Array.from({ length: 10 }, (_, n) => n);

export const hundredFields: Work = {
  name: 'a document of 100 fields',
  operationName: 'HundredFields',
  query: `query HundredFields(${ten.map((n) => `$i${n}: ID!`).join(' ')}) {
    ${ten.map((n) => `s${n}: secret(id: $i${n}) ${fields}`).join('\n')}
  }`,
  variables(connection) {
    const { from } = readerIds(connection);
    return Object.fromEntries(ten.map((n) => [`i${n}`, idOf(from + n)]));
  },
  subject: reader,
};

export const byApiKey: Work = { ...list, name: 'a list with an API key', subject: apiKeyHolder };

export const notFound: Work = {
  ...update,
  name: 'refusal: 404',
  variables: () => ({ input: { id: idOf(0xffff_ffff), notes: 'nobody' } }),
  refused: true,
};

/** After the first request. */
export const tooMany: Work = { ...list, name: 'refusal: 429', subject: spender, refused: true };

/** A key to seal to, which nobody holds the other half of. */
const recipient = { kty: 'OKP', crv: 'X25519', x: 'eRTZ0wfLXkoOSJTLOdCwCY-IQt10iTPUvK4rjaOzbTI' };

export const resolve: Work = {
  name: 'a delivery of one value',
  operationName: 'Resolve',
  query: `mutation Resolve($input: ResolveSecretsInput!) {
    resolveSecrets(input: $input) { deliveries { secret { id name } jwe } missing }
  }`,
  variables: () => ({ input: { owner: {}, names: ['DELIVERED'], recipient } }),
  subject: writer,
  differs: true,
  before: {
    query: create.query,
    operationName: create.operationName,
    variables: () => ({
      input: { owner: {}, name: 'DELIVERED', provider: 'openai', value: `sk-proj-${'k'.repeat(42)}` },
    }),
  },
};
