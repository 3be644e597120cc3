import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RequestOptions, TestGateway } from '../../support/gateway.ts';
import { expectAllowed, expectRefused, times } from '../../support/limits.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const run = (query: string, variables: Record<string, unknown> = {}, options: RequestOptions = {}) =>
  gateway.run(query, variables, options);

describe('the objects that an operation could return are counted', () => {
  // 1 + 1,000 × (3 + inner): 149,001 with 146, and 150,001 with 147.
  const lists = (outer: string, inner: string) =>
    `{ secrets(${outer}) { nodes { owner { ... on User { secrets(${inner}) { nodes { id } } } } } } }`;
  const ways: [string, (inner: number) => [string, Record<string, unknown>]][] = [
    ['as literals', (inner) => [lists('first: 1000', `first: ${inner}`), {}]],
    ['from the end', (inner) => [lists('last: 1000', `last: ${inner}`), {}]],
    ['as variables', (inner) => [`query ($a: Int, $b: Int) ${lists('first: $a', 'first: $b')}`, { a: 1000, b: inner }]],
    [
      'as defaults of variables',
      (inner) => [`query ($a: Int = 1000, $b: Int = ${inner}) ${lists('first: $a', 'first: $b')}`, {}],
    ],
    [
      'as variables that override their defaults',
      (inner) => [`query ($a: Int = 1, $b: Int = 1) ${lists('first: $a', 'first: $b')}`, { a: 1000, b: inner }],
    ],
    [
      'with a variable that is null beside the other end',
      (inner) => [
        `query ($a: Int, $b: Int = 1) ${lists('first: $a, last: 1000', `first: $b, last: ${inner}`)}`,
        { a: null, b: null },
      ],
    ],
    [
      'through fragments',
      (inner) => [
        `{ secrets(first: 1000) { ...Page } }
         fragment Page on SecretConnection { nodes { ...Owner } }
         fragment Owner on Secret { owner { ... on User { secrets(first: ${inner}) { ...Ids } } } }
         fragment Ids on SecretConnection { nodes { id } }`,
        {},
      ],
    ],
    [
      'as edges',
      (inner) => [
        `{ secrets(first: 1000) { edges { node { owner { ... on User { secrets(first: ${inner - 1}) { edges { cursor } } } } } } } }`,
        {},
      ],
    ],
  ];

  it.each(ways)('%s', async (_how, write) => {
    await expectAllowed(run(...write(146)));
    await expectRefused(run(...write(147)), 'objects_limit_error', /150,000 objects/);
  });

  it('again for each request, even if the document is cached', async () => {
    const document = `query ($a: Int, $b: Int) ${lists('first: $a', 'first: $b')}`;
    await expectAllowed(run(document, { a: 1, b: 1 }));
    await expectRefused(run(document, { a: 1000, b: 1000 }), 'objects_limit_error', /150,000 objects/);
    await expectAllowed(run(document, { a: 1, b: 1 }));
  });

  it('as pages of 100 when no size is given', async () => {
    const page = 'secrets { nodes { owner { ... on User { secrets { nodes { id } } } } } }';
    await expectAllowed(run(`{ ${times(14, (index) => `a${index}: ${page}`)} }`));
    await expectRefused(run(`{ ${times(15, (index) => `a${index}: ${page}`)} }`), 'objects_limit_error', /150,000/);
  });

  it('once for each representation', async () => {
    const entities = (inner: number) =>
      `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { secrets(first: ${inner}) { nodes { id } } } } }`;
    const r = Array(1000).fill({ __typename: 'User', id: 'ada' });
    await expectAllowed(run(entities(148), { r }));
    await expectRefused(run(entities(149), { r }), 'objects_limit_error', /150,000/);
    const literal = (count: number) => {
      const representations = times(count, () => '{ __typename: "User", id: "ada" }');
      return `{ _entities(representations: [${representations}]) { ... on User { secrets(first: 1000) { nodes { id } } } } }`;
    };
    await expectAllowed(run(literal(149)));
    await expectRefused(run(literal(150)), 'objects_limit_error', /150,000/);
  });

  it('for one of the possible types of a representation, not for all', async () => {
    const types = (inner: number) =>
      ['User', 'Team', 'Connector'].map((type) => `... on ${type} { secrets(first: ${inner}) { nodes { id } } }`);
    const entities = (inner: number) =>
      `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ${types(inner).join(' ')} } }`;
    const r = Array(1000).fill({ __typename: 'User', id: 'ada' });
    await expectAllowed(run(entities(148), { r }));
    await expectRefused(run(entities(149), { r }), 'objects_limit_error', /150,000/);
  });

  it('and so are the lists that it reads, even empty ones', async () => {
    const aliases = (count: number) =>
      times(count, (index) => `a${index}: secrets(first: 0, filter: { tags: ["t"] }) { totalCount }`);
    const entities = (count: number) =>
      `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { ${aliases(count)} } } }`;
    const r = Array(100).fill({ __typename: 'User', id: 'ada' });
    await expectAllowed(run(entities(15), { r }));
    await expectRefused(run(entities(16), { r }), 'lists_limit_error', /1,500 lists/);
  });

  it('once for each team of the caller', async () => {
    const query = '{ viewer { teams { team { secrets(first: 1000) { nodes { id } } } } } }';
    const token = (teams: number) => gateway.issuer.token({ teams: Array.from({ length: teams }, (_, i) => `t${i}`) });
    await expectAllowed(run(query, {}, { token: await token(149) }));
    await expectRefused(run(query, {}, { token: await token(150) }), 'objects_limit_error', /150,000/);
  });
});

describe('a list', () => {
  it.each([
    ['first: 0', 'last: 0'],
    ['first: 1000', 'last: 1000'],
  ])('accepts %s and %s', async (...args) => {
    for (const arg of args) await expectAllowed(run(`{ secrets(${arg}) { totalCount nodes { id } } }`));
  });

  it.each(['first: -1', 'last: -1', 'first: 1001', 'last: 1001', 'first: 1, last: 1', 'first: 2147483647'])(
    'refuses %s',
    async (args) => {
      const { status, errors } = await run(`{ secrets(${args}) { totalCount } }`);
      expect(status).toBe(422);
      expect(errors[0]?.extensions).toMatchObject({ code: 'UNPROCESSABLE_ENTITY', type: 'validation_error' });
      expect(errors[0]?.extensions.errors?.[0]?.field).toMatch(/first|last/);
    },
  );
});
