import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, type RequestOptions, TestGateway } from '../support/gateway.ts';

const times = (count: number, write: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => write(i)).join(' ');

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
});
afterAll(() => gateway.close());

const run = (query: string, variables: Record<string, unknown> = {}, options: RequestOptions = {}) =>
  gateway.run(query, variables, options);

async function expectAllowed(answer: Promise<GraphQLAnswer>): Promise<void> {
  const { status, errors, data } = await answer;
  expect(errors).toEqual([]);
  expect(status).toBe(200);
  expect(data).toBeTypeOf('object');
}

/** Refused with its own type, a message for people, and the number that is the limit. */
async function expectRefused(answer: Promise<GraphQLAnswer>, type: string, description: RegExp): Promise<void> {
  const { status, errors, text } = await answer;
  expect(status).toBe(400);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', status: 400, type });
  expect(errors[0]?.message).toMatch(/\w/);
  expect(errors[0]?.extensions.description).toMatch(description);
  expect(text).not.toContain('"data"');
}

/** Nested as deep as `levels`, with lists of one secret each. */
function nested(levels: number): string {
  const fields = ['secrets(first: 1)', 'nodes', 'owner'];
  const leaf = { secrets: 'totalCount', nodes: 'id', owner: '__typename' };
  let document = '';
  let close = '';
  for (let level = 1; level < levels; level += 1) {
    const field = fields[(level - 1) % 3] ?? '';
    const cast = field === 'owner' && level < levels - 1 ? ' { ... on User {' : ' {';
    document += `${field}${cast} `;
    close += cast.replaceAll(/[^{]/g, '').replaceAll('{', ' }');
  }
  const last = (fields[(levels - 2) % 3] ?? '').replace(/\(.*/, '') as keyof typeof leaf;
  return `{ ${document}${leaf[last]}${close} }`;
}

describe('an operation may have at most', () => {
  it('2,000 tokens', async () => {
    const operations = (count: number) => times(count, (index) => `query Q${index} { __typename }`);
    const answer = (count: number, more = '') =>
      gateway.send({ body: JSON.stringify({ query: operations(count) + more, operationName: 'Q1' }) });
    await expectAllowed(answer(400));
    await expectRefused(answer(399, ' query Q { viewer __typename }'), 'tokens_limit_error', /2,000 tokens/);
  });

  it('524,288 characters', async () => {
    const document = (length: number) => '{ __typename } #'.padEnd(length, '.');
    await expectAllowed(run(document(524_288)));
    await expectRefused(run(document(524_289)), 'length_limit_error', /524,288 characters/);
  });

  it('255 characters in a name', async () => {
    const named = (length: number) => run(`query ${'Q'.repeat(length)} { viewer { ${'a'.repeat(length)}: subject } }`);
    await expectAllowed(named(255));
    await expectRefused(named(256), 'name_length_limit_error', /255 characters in a name/);
    await expectRefused(run(`{ viewer { subject @${'a'.repeat(256)} } }`), 'name_length_limit_error', /255/);
  });

  it('64 levels of brackets of any kind', async () => {
    const lists = (levels: number) => `{ secret(id: ${'['.repeat(levels)}${']'.repeat(levels)}) { id } }`;
    const { errors } = await run(lists(62));
    expect(errors[0]?.extensions.type).toBe('invalid_request_error');
    await expectRefused(run(lists(63)), 'depth_limit_error', /64 levels of brackets/);
    await expectRefused(run(`{ secret(id: ${'{ a: '.repeat(63)}`), 'depth_limit_error', /64 levels of brackets/);
    // What stands in a string or behind a # opens nothing.
    await expectAllowed(run(`{ secrets(filter: { name: "${'['.repeat(100)}" }) { totalCount } } # ${'['.repeat(100)}`));
  });

  it('64 levels of arrays and objects in the body', async () => {
    const nested = (levels: number, text = '') => {
      const list = `${'['.repeat(levels)}${text}${']'.repeat(levels)}`;
      return gateway.send({ body: `{ "query": "query ($v: Int) { __typename }", "variables": { "v": ${list} } }` });
    };
    const { errors } = await nested(62);
    expect(errors[0]?.extensions.type).toBe('invalid_request_error');
    await expectRefused(nested(63), 'depth_limit_error', /64 levels of arrays and objects/);
    // What stands in a string opens nothing, wherever the string seems to end.
    const text = JSON.stringify(`"${'['.repeat(100)}\\"\\\\`);
    expect((await nested(62, `${text},${text}`)).errors[0]?.extensions.type).toBe('invalid_request_error');
    await expectRefused(nested(62, `${text},[${text}]`), 'depth_limit_error', /64 levels/);
  });

  it('16 levels of fields', async () => {
    await expectAllowed(run(nested(16)));
    await expectRefused(run(nested(17)), 'depth_limit_error', /16 levels/);
  });

  it('16 levels of fields, through fragments', async () => {
    const through = (leaf: string) => `
      { viewer { teams { team { ...Four } } } }
      fragment Four on Team { secrets(first: 1) { nodes { owner { ... on Team { ...Eight } } } } }
      fragment Eight on Team { secrets(first: 1) { nodes { owner { ... on Team { ...Twelve } } } } }
      fragment Twelve on Team { secrets(first: 1) { nodes { owner { ... on Team { secrets(first: 1) { ${leaf} } } } } } }`;
    await expectAllowed(run(through('totalCount')));
    await expectRefused(
      run(through('nodes { owner { ... on Team { secrets { totalCount } } } }')),
      'depth_limit_error',
      /16 levels/,
    );
  });

  it('20 fields at the root', async () => {
    const roots = (count: number) => times(count, (index) => `r${index}: viewer { subject }`);
    await expectAllowed(run(`{ ${roots(20)} }`));
    await expectRefused(run(`{ ${roots(21)} }`), 'root_fields_limit_error', /20 fields at the root/);
    await expectRefused(
      run(`{ ${roots(15)} ...F ... on Query { __typename } } fragment F on Query { ${roots(5)} }`),
      'root_fields_limit_error',
      /20 fields at the root/,
    );
  });

  it.each(['subject', '__typename'])('30 aliases of %s', async (field) => {
    const aliases = (count: number) => times(count, (index) => `a${index}: ${field}`);
    await expectAllowed(run(`{ viewer { ${aliases(30)} } }`));
    await expectRefused(run(`{ viewer { ${aliases(31)} } }`), 'aliases_limit_error', /30 aliases/);
  });

  it('30 aliases, each counted as often as its fragment is spread', async () => {
    const fragment = `fragment F on User { ${times(10, (index) => `a${index}: id`)} }`;
    const spreads = (count: number) => times(count, () => 'owner { ...F }');
    await expectAllowed(run(`{ secrets { nodes { ${spreads(3)} } } } ${fragment}`));
    await expectRefused(
      run(`{ secrets { nodes { ${spreads(4)} } } } ${fragment}`),
      'aliases_limit_error',
      /30 aliases/,
    );
  });

  it('30 directives', async () => {
    const directives = (count: number) => times(count, () => '... @include(if: true) { subject }');
    await expectAllowed(run(`{ viewer { ${directives(30)} } }`));
    await expectRefused(run(`{ viewer { ${directives(31)} } }`), 'directives_limit_error', /30 directives/);
    const onField = times(40, () => '@skip(if: false)');
    await expectRefused(run(`{ viewer { subject ${onField} } }`), 'directives_limit_error', /30 directives/);
    await expectRefused(run(`query ${onField} { __typename }`), 'directives_limit_error', /30 directives/);
  });

  it('50 fields that repeat one beside them', async () => {
    await expectAllowed(run(`{ viewer { ${'subject '.repeat(51)} } }`));
    await expectRefused(run(`{ viewer { ${'subject '.repeat(52)} } }`), 'repetitions_limit_error', /50 fields/);
    await expectRefused(
      run(`{ viewer { ${'... on Viewer { subject } '.repeat(52)} } }`),
      'repetitions_limit_error',
      /50 fields/,
    );
  });

  it('1,000 representations', async () => {
    const entities = 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }';
    const r = (count: number) => Array(count).fill({ __typename: 'User', id: 'ada' });
    await expectAllowed(run(entities, { r: r(1000) }));
    await expectRefused(
      run(entities, { r: r(1001) }).then((answer) => ({ ...answer, text: '' })),
      'representations_limit_error',
      /1,?000 representations/,
    );
  });

  it('5,000 keys and items in its variables, at whatever level', async () => {
    const variables = (items: number) => ({ a: Array(items - 1).fill(null) });
    expect((await run('{ __typename }', variables(5000))).data).toEqual({ __typename: 'Query' });
    await expectRefused(run('{ __typename }', variables(5001)), 'variables_limit_error', /5,000 keys and items/);
    const nested = { a: { b: Array(2500).fill({ c: 1 }) } };
    await expectRefused(run('{ __typename }', nested), 'variables_limit_error', /5,000 keys and items/);
  });
});

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
      'as variables that win over their defaults',
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

  it('anew for each request, though the document is known', async () => {
    const document = `query ($a: Int, $b: Int) ${lists('first: $a', 'first: $b')}`;
    await expectAllowed(run(document, { a: 1, b: 1 }));
    await expectRefused(run(document, { a: 1000, b: 1000 }), 'objects_limit_error', /150,000 objects/);
    await expectAllowed(run(document, { a: 1, b: 1 }));
  });

  it('as pages of 100 where no size is given', async () => {
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

  it('for one of the types that a representation can be of, not for all', async () => {
    const types = (inner: number) =>
      ['User', 'Team', 'Connector'].map((type) => `... on ${type} { secrets(first: ${inner}) { nodes { id } } }`);
    const entities = (inner: number) =>
      `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ${types(inner).join(' ')} } }`;
    const r = Array(1000).fill({ __typename: 'User', id: 'ada' });
    await expectAllowed(run(entities(148), { r }));
    await expectRefused(run(entities(149), { r }), 'objects_limit_error', /150,000/);
  });

  it('and so are the lists it reads, however little is in them', async () => {
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

it.each([
  '{ then: viewer { subject } }',
  '{ viewer { then: subject } }',
  '{ ...F } fragment F on Query { then: __typename }',
])('an alias that would make an object look like a promise is refused: %s', async (query) => {
  const { status, errors } = await run(query);
  expect([status, errors[0]?.extensions.type]).toEqual([400, 'invalid_request_error']);
  expect(errors[0]?.message).toMatch(/alias/);
});

describe('a list', () => {
  it.each([
    ['first: 0', 'last: 0'],
    ['first: 1000', 'last: 1000'],
  ])('has %s and %s', async (...args) => {
    for (const arg of args) await expectAllowed(run(`{ secrets(${arg}) { totalCount nodes { id } } }`));
  });

  it.each(['first: -1', 'last: -1', 'first: 1001', 'last: 1001', 'first: 1, last: 1', 'first: 2147483647'])(
    'has not %s',
    async (args) => {
      const { status, errors } = await run(`{ secrets(${args}) { totalCount } }`);
      expect(status).toBe(422);
      expect(errors[0]?.extensions).toMatchObject({ code: 'UNPROCESSABLE_ENTITY', type: 'validation_error' });
      expect(errors[0]?.extensions.errors?.[0]?.field).toMatch(/first|last/);
    },
  );
});

describe('fragments', () => {
  const nestedSpread = (name: string, ...spreads: string[]) =>
    `fragment ${name} on Secret { owner { ... on Team { secrets { nodes { ${spreads.map((s) => `...${s}`)} } } } } }`;
  it.each([
    ['at once', '{ ...F } fragment F on Query { ...F }'],
    ['through another', '{ ...F } fragment F on Query { ...G } fragment G on Query { __typename ...F }'],
    [
      'below a field',
      '{ viewer { ...F } } fragment F on Viewer { teams { team { ...T } } } fragment T on Team { secrets { nodes { owner { ...T } } } }',
    ],
    ['where nothing spreads them', '{ __typename } fragment F on Query { ...G } fragment G on Query { ...F }'],
    // graphql-js's validation leaves the stack here.
    [
      'in pairs',
      `{ secrets(first: 1) { nodes { ...F0 ...F1 } } } ${times(70, (i) => nestedSpread(`F${i}`, `F${(i + 1) % 70}`, `F${(i + 2) % 70}`))}`,
    ],
    [
      'in pairs where nothing spreads them',
      `{ __typename } ${times(70, (i) => nestedSpread(`F${i}`, `F${(i + 1) % 70}`, `F${(i + 2) % 70}`))}`,
    ],
  ])('that spread themselves %s are refused', async (_how, query) => {
    await expectRefused(run(query), 'fragment_cycle_error', /spread/);
  });

  const doubling = (type: string, last: string) =>
    `${times(100, (i) => `fragment F${i} on ${type} { ...F${i + 1} ...F${i + 1} }`)} fragment F100 on ${type} { ${last} }`;

  it('that double each other a hundred times are counted, not walked', async () => {
    const startedAt = performance.now();
    await expectRefused(run(`{ ...F0 } ${doubling('Query', '__typename')}`), 'root_fields_limit_error', /20/);
    await expectRefused(run(`{ viewer { ...F0 } } ${doubling('Viewer', 'a: subject')}`), 'aliases_limit_error', /30/);
    await expectRefused(
      run(`{ viewer { ...F0 } } ${doubling('Viewer', 'subject @skip(if: false)')}`),
      'directives_limit_error',
      /30/,
    );
    await expectRefused(
      run(`{ secrets(first: 1000) { nodes { ...F0 } } } ${doubling('Secret', 'owner { __typename }')}`),
      'objects_limit_error',
      /150,000/,
    );
    await expectAllowed(run(`{ viewer { ...F0 } } ${doubling('Viewer', 'subject')}`));
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});

describe('introspection', () => {
  it('as GraphiQL asks for it is answered', async () => {
    const query = getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    });
    await expectAllowed(run(query));
    await expectAllowed(run(query, {}, { token: null }));
  });

  it.each([
    ['fields', '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }'],
    [
      'fragments',
      '{ __schema { types { ...F } } } fragment F on __Type { fields { type { ...G } } } fragment G on __Type { fields { type { possibleTypes { fields { name } } } } }',
    ],
  ])('that goes in circles through %s is refused', async (_how, query) => {
    for (const token of [undefined, null]) {
      const { status, errors } = await run(query, {}, token === null ? { token } : {});
      expect(status).toBe(400);
      expect(errors[0]?.message).toBe('Maximum introspection depth exceeded');
      expect(errors[0]?.extensions.code).toBe('BAD_REQUEST');
    }
  });

  describe('in production', () => {
    let production: TestGateway;
    beforeAll(async () => {
      production = await TestGateway.start('sqlite', { NODE_ENV: 'production' });
    });
    afterAll(() => production.close());

    it.each([
      '{ __schema { queryType { name } } }',
      '{ __type(name: "Secret") { name } }',
      '{ ...F } fragment F on Query { a: __schema { types { name } } }',
    ])('is off: %s', async (query) => {
      const { status, errors, text } = await production.run(query);
      expect(status).toBe(400);
      expect(errors[0]?.message).toMatch(/^GraphQL introspection has been disabled/);
      expect(errors[0]?.extensions.code).toBe('BAD_REQUEST');
      expect(text).not.toContain('"data"');
    });

    it('leaves __typename and the subgraph to gateways', async () => {
      const { data } = await production.run('{ __typename _service { sdl } }', {}, { token: null });
      expect(data.__typename).toBe('Query');
      expect(data._service.sdl).toContain('type Secret');
    });
  });
});

describe('a body has at most 1 MiB', () => {
  const mebibyte = 1024 * 1024;
  const body = (bytes: number) => '{"query":"{ __typename }"}'.padEnd(bytes);

  it('and what follows one that is larger is not lost with it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { status, headers } = await gateway.send({ body: body(mebibyte * 2) });
      expect([status, headers.get('connection')]).toEqual([413, 'close']);
      expect((await gateway.send({ body: body(100) })).data).toEqual({ __typename: 'Query' });
    }
  });

  it('by its content-length', async () => {
    expect((await gateway.send({ body: body(mebibyte) })).data).toEqual({ __typename: 'Query' });
    const { status, errors, headers } = await gateway.send({ body: body(mebibyte + 1) });
    expect(status).toBe(413);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      status: 413,
      type: 'payload_too_large_error',
      requestId: headers.get('x-request-id'),
    });
    expect(errors[0]?.extensions.description).toMatch(/1 MiB/);
  });

  it('in bytes, not in characters', async () => {
    const query = `{"query":"{ __typename } #${'é'.repeat(mebibyte / 2)}"}`;
    expect(query.length).toBeLessThan(mebibyte);
    expect((await gateway.send({ body: query })).status).toBe(413);
  });

  /** In pieces, without saying how many bytes there will be. */
  async function chunked(text: string): Promise<{ status: number; text: string }> {
    const token = await gateway.issuer.token();
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const outgoing = request(gateway.url, { method: 'POST', headers }, async (response) => {
        let answer = '';
        for await (const chunk of response) answer += chunk;
        resolve({ status: response.statusCode ?? 0, text: answer });
      });
      outgoing.on('error', reject);
      for (let at = 0; at < text.length; at += 100_000) outgoing.write(text.slice(at, at + 100_000));
      outgoing.end();
    });
  }

  it('by what arrives in chunks', async () => {
    expect(await chunked(body(mebibyte))).toMatchObject({ status: 200, text: '{"data":{"__typename":"Query"}}' });
    const { status, text } = await chunked(body(mebibyte + 1));
    expect(status).toBe(413);
    expect(JSON.parse(text).errors[0].extensions.code).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('with PERSISTED_OPERATIONS', () => {
  const hash = 'ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38';
  let directory: string;
  let known: TestGateway;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'operations-'));
    const operations = {
      Subject: 'query Subject { viewer { subject } }',
      [hash]:
        'query Page($first: Int) { secrets(first: $first) { nodes { owner { ... on User { secrets(first: $first) { nodes { id } } } } } } }',
      Delete: 'mutation Delete($id: ID!) { deleteSecret(input: { id: $id }) { id } }',
    };
    await writeFile(join(directory, 'operations.json'), JSON.stringify(operations));
    known = await TestGateway.start('sqlite', { PERSISTED_OPERATIONS: join(directory, 'operations.json') });
  });
  afterAll(async () => {
    await known.close();
    await rm(directory, { recursive: true });
  });

  const post = (body: unknown) => known.send({ body: JSON.stringify(body) });
  const get = (parameters: Record<string, string>) =>
    known.send({ method: 'GET' }, {}, `?${new URLSearchParams(parameters)}`);
  const persistedQuery = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } });

  it('runs the operation of a documentId', async () => {
    expect((await post({ documentId: 'Subject' })).data).toEqual({ viewer: { subject: 'ada' } });
    expect((await get({ documentId: 'Subject' })).data).toEqual({ viewer: { subject: 'ada' } });
  });

  it('runs the operation of a hash, as Apollo clients send it, with its variables', async () => {
    const extensions = persistedQuery(hash);
    const variables = { first: 1 };
    expect((await post({ extensions, variables })).data).toEqual({ secrets: { nodes: [] } });
    const inUrl = { extensions: JSON.stringify(extensions), variables: JSON.stringify(variables) };
    expect((await get(inUrl)).data).toEqual({ secrets: { nodes: [] } });
  });

  it('runs them in a batch', async () => {
    const { text } = await post([{ documentId: 'Subject' }, { documentId: 'Other' }]);
    expect(JSON.parse(text)).toMatchObject([
      { data: { viewer: { subject: 'ada' } } },
      { errors: [{ extensions: { type: 'unknown_operation_error' } }] },
    ]);
  });

  it.each<[string, unknown]>([
    ['an unknown documentId', { documentId: 'Other' }],
    ['an unknown hash', { extensions: persistedQuery('0'.repeat(64)) }],
    ['a name that every object has', { documentId: 'constructor' }],
    ['an id that is no text', { documentId: ['Subject'] }],
    ['the text of an operation', { query: '{ __typename }' }],
    ['the text of a known operation', { query: 'query Subject { viewer { subject } }' }],
    ['text beside a known id', { documentId: 'Subject', query: '{ __typename }' }],
    ['text beside a known hash', { extensions: persistedQuery(hash), query: '{ __typename }' }],
    ['nothing', {}],
  ])('refuses %s', async (_what, body) => {
    const { status, errors } = await post(body);
    expect(status).toBe(400);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', status: 400, type: 'unknown_operation_error' });
    expect(errors[0]?.message).toBe('Only known operations are accepted.');
  });

  it('holds them to the limits and the methods all the same', async () => {
    await expectRefused(post({ documentId: hash, variables: { first: 1000 } }), 'objects_limit_error', /150,000/);
    const variables = JSON.stringify({ id: crypto.randomUUID() });
    expect((await get({ documentId: 'Delete', variables })).status).toBe(405);
  });

  it.each([
    ['is not there', undefined, /cannot be read/],
    ['is not JSON', '{', /is not JSON/],
    ['is null', 'null', /is not a JSON object/],
    ['is text', '"{ __typename }"', /is not a JSON object/],
    ['is a list', '["{ __typename }"]', /is not a JSON object/],
    ['holds what is not GraphQL', '{"Broken":"query {"}', /"Broken" is not GraphQL/],
    ['holds what is not text', '{"Number":1}', /"Number" is not GraphQL/],
  ])('a file that %s is refused at start', async (_what, content, message) => {
    const path = join(directory, `${crypto.randomUUID()}.json`);
    if (content !== undefined) await writeFile(path, content);
    const start = TestGateway.start('sqlite', { PERSISTED_OPERATIONS: path });
    await expect(start).rejects.toThrow(/^PERSISTED_OPERATIONS /);
    await expect(start).rejects.toThrow(message);
  });
});
