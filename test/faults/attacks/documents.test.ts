import { afterAll, beforeAll, expect, it } from 'vitest';
import { AttackedGateway, mebibyte, typeOf } from '../../support/attacked-gateway.ts';
import { times } from '../../support/limits.ts';

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await AttackedGateway.start();
});
afterAll(() => gateway.close());

const cycle = (count: number) =>
  times(
    count,
    (i) =>
      `fragment F${i} on Secret { owner { ... on Team { secrets { nodes { ...F${(i + 1) % count} ...F${(i + 2) % count} } } } } }`,
  );
const doubling = (leaf: string) =>
  `${times(150, (i) => `fragment F${i} on Viewer { ...F${i + 1} ...F${i + 1} }`)} fragment F150 on Viewer { ${leaf} }`;
const documents: [string, string, string][] = [
  ['5,000 aliases', `{ ${times(5000, (i) => `a${i}: __typename`)} }`, 'tokens_limit_error'],
  ['600 aliases', `{ viewer { ${times(600, (i) => `a${i}: __typename`)} } }`, 'aliases_limit_error'],
  ['a depth of 3,000', '{ a '.repeat(3000) + '}'.repeat(3000), 'depth_limit_error'],
  ['a depth of 3,000, never closed', '{ a '.repeat(3000), 'depth_limit_error'],
  ['a depth of 600', `${'{ a '.repeat(600)}${'}'.repeat(600)}`, 'depth_limit_error'],
  ['a list of lists of lists', `{ secret(id: ${'['.repeat(3000)}`, 'depth_limit_error'],
  ['a fragment cycle', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }', 'fragment_cycle_error'],
  ['fragment cycles in pairs', `{ secrets { nodes { ...F0 ...F1 } } } ${cycle(70)}`, 'fragment_cycle_error'],
  ['fragments that double', `{ viewer { ...F0 } } ${doubling('a: subject')}`, 'aliases_limit_error'],
  [
    'circular introspection',
    `{ __schema { ${'types { fields { type { '.repeat(4)}name${' } } }'.repeat(4)} } }`,
    'invalid_request_error',
  ],
  ['5,000 directives', `{ __typename ${'@skip(if: false) '.repeat(5000)} }`, 'tokens_limit_error'],
  ['200 directives', `{ __typename ${'@skip(if: false) '.repeat(200)} }`, 'directives_limit_error'],
  ['1,000 unknown directives', `{ __typename ${'@a '.repeat(990)} }`, 'directives_limit_error'],
  [
    'fields repeated many times',
    `{ secrets { ${'nodes { owner { __typename } } '.repeat(280)} } }`,
    'repetitions_limit_error',
  ],
  [
    'lists of lists of secrets',
    '{ secrets { nodes { owner { ... on User { secrets { nodes { owner { ... on User { secrets { nodes { id } } } } } } } } } } }',
    'objects_limit_error',
  ],
  [
    'the subgraph’s schema twenty times',
    `{ ${times(20, (i) => `a${i}: _service { sdl }`)} }`,
    'introspections_limit_error',
  ],
  ['250,000 comments', `{ __typename } ${'#\n'.repeat(250_000)}`, 'comments_limit_error'],
  ['25,000 comments', `{ __typename } ${'#\n'.repeat(25_000)}`, 'comments_limit_error'],
  ['a name of a megabyte', `{ ${'a'.repeat(mebibyte - 1000)} }`, 'length_limit_error'],
  ['a name of half of that', `{ ${'a'.repeat(mebibyte / 2 - 1000)} }`, 'name_length_limit_error'],
  [
    '1,000 unknown arguments',
    `{ secrets(${times(600, (i) => `frist${i}: 1`)}) { totalCount } }`,
    'invalid_request_error',
  ],
];

const batchOf = (query: string) => JSON.stringify(Array.from({ length: 10 }, () => ({ query: anew(query) })));
const fitsInBatch = ([, query]: readonly [string, string, string]) => query.length <= 90_000;

/** The same document with a different text each time, so that none is cached. */
let sent = 0;
const anew = (query: string) => {
  sent += 1;
  return query + ' '.repeat(sent);
};

it.each(documents)('refuses %s and keeps answering other clients', async (what, query, type) => {
  const send = () => gateway.run(anew(query));
  await gateway.attack(what, send, (answer) => expect(typeOf(answer)).toMatch(new RegExp(`^${type}$`)));
});

it.each(documents.filter(fitsInBatch))(
  'refuses a batch of ten documents with %s and keeps answering other clients',
  async (what, query, type) => {
    const send = () => gateway.post(batchOf(query));
    await gateway.attack(`${what}, ten at once in a batch`, send, ({ status, text }) => {
      expect(status).toBe(200);
      const types = JSON.parse(text).map(
        (one: { errors: { extensions: { type: string } }[] }) => one.errors[0]?.extensions.type,
      );
      expect(types).toHaveLength(10);
      for (const one of types) expect(one).toMatch(new RegExp(`^${type}$`));
    });
  },
);
