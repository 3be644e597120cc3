import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import fc from 'fast-check';
import { getOperationAST, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/graphql/endpoint/engine.ts';
import { graphqlResponseType } from '../../../src/graphql/endpoint/response-type.ts';
import { checkOperation, type OperationCost } from '../../../src/graphql/limits/operation-cost.ts';
import { schema } from '../../../src/graphql/schema/schema.ts';
import type { Principal } from '../../../src/model/principal.ts';
import { defaultPageSize, maxPageSize } from '../../../src/rules/page.ts';
import { Answer } from '../../../src/runtime/answer.ts';
import type { AnswerError } from '../../support/gateway.ts';
import { openStreamOn, subscriptionsForTest } from '../../support/subscriptions.ts';

const principal: Principal = {
  kind: 'user',
  subject: 'ada',
  teams: [1, 2, 3].map((id) => ({ id: `t${id}`, role: 'member' as const })),
  scopes: new Set(['secrets:read']),
};

let listsRead = 0;

/** Operations that return as much as they may, and count the lists. */
function bindOperations() {
  const owner = { type: 'team', teamId: 'red' };
  const secret = { id: 'id', owner, name: 'n', tags: [], version: 1, placeholder: 'sec_1' };
  return {
    viewer: () => principal,
    findSecret: () => secret,
    async listSecrets({ first, last }: { first?: number | null; last?: number | null }) {
      listsRead += 1;
      if (first != null && last != null) throw new Error('both ends');
      const size = first ?? last ?? defaultPageSize;
      if (size < 0 || size > maxPageSize) throw new Error('not a page');
      return { secrets: Array(size).fill(secret), totalCount: 0, cursorOf: () => 'cursor' };
    },
  };
}

/** Objects in an answer, without the answer itself. */
function objectsIn(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + objectsIn(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum, item) => sum + objectsIn(item), 1);
}

const names = ['a', 'b', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length', 'then'];
const sizes = [0, 1, 2, 7, null, -1, 1e2, '3', [2], {}, { first: 1 }, true, 1.5, undefined];
const representation = { __typename: 'Team', id: 't1' };
const lists = [
  representation,
  [representation],
  [[representation]],
  Array(5).fill(representation),
  [],
  null,
  'x',
  { length: 0 },
];

const size = fc.oneof(
  fc.constantFrom(...names.map((name) => `$${name}`)),
  fc.constantFrom('0', '1', '2', '7', 'null', '-1', '1e1'),
);
const listArguments = fc
  .tuple(fc.option(size), fc.option(size))
  .map(([first, last]) => [first && `first: ${first}`, last && `last: ${last}`].filter(Boolean).join(', '))
  .map((text) => (text ? `(${text})` : ''));
const directive = fc.constantFrom('', '', '@skip(if: false)', '@include(if: true)', '@skip(if: true)');

const { page } = fc.letrec<{ page: string; inner: string }>((tie) => ({
  page: fc
    .tuple(listArguments, directive, fc.constantFrom('nodes', 'edges { node'), tie('inner'))
    .map(([args, skip, of, inner]) => `secrets${args} ${skip} { ${of} { ${inner} }${of === 'nodes' ? '' : ' }'} }`),
  inner: fc.oneof(
    { maxDepth: 2 },
    fc.constant('id'),
    tie('page').map((inner) => `id owner { ... on User { id ${inner} } ... on Team { ${inner} } }`),
    tie('page').map((inner) => `id ...F owner { ... on Team { a: id ${inner} } }`),
  ),
}));

const list = fc.constantFrom('$r', '$__proto__', '$constructor', '[$a, $b]', '[]', '[{}, {}]', '{}', '"x"', 'null');
const operation = fc.oneof(
  page,
  page.map((inner) => `viewer { teams { id team { ${inner} } } }`),
  fc.tuple(list, page).map(([r, inner]) => `_entities(representations: ${r}) { ... on Team { ${inner} } }`),
);
const fragment = listArguments.map(
  (args) => `fragment F on Secret { owner { ... on Team { secrets${args} { nodes { id } } } } }`,
);
const variable = fc.record({
  name: fc.constantFrom(...names, 'r'),
  type: fc.constantFrom('Int', 'Int!', 'Int', '[_Any!]', '[_Any!]!', '_Any!', '[Int]', 'String'),
  byDefault: fc.constantFrom('', '', ' = null', ' = 2', ' = 0', ' = []', ' = [{}, {}]', ' = {}'),
});
const definitions = fc.uniqueArray(variable, { selector: ({ name }) => name, minLength: 1, maxLength: 5 });
const values = fc.dictionary(fc.constantFrom(...names, 'r'), fc.constantFrom(...sizes, ...lists), {
  noNullPrototype: true,
});

/** A valid document with every variable that it uses, and no other. */
function documentOf(
  selection: string,
  fragmentText: string,
  variables: readonly { name: string; type: string; byDefault: string }[],
) {
  const text = `{ ${selection} }${selection.includes('...F') ? fragmentText : ''}`;
  const used = new Set([...text.matchAll(/\$(\w+)/g)].map(([, name]) => name));
  const declared = new Map(variables.map((one) => [one.name, one]));
  const header = [...used].map((name = '') => {
    const { type, byDefault } = declared.get(name) ?? { type: name === 'r' ? '[_Any!]!' : 'Int', byDefault: '' };
    return `$${name}: ${type}${byDefault}`;
  });
  return `query ${header.length > 0 ? `(${header.join(', ')})` : ''} ${text}`;
}

let server: Server;
beforeAll(async () => {
  const engine = createEngine({
    schema,
    bindOperations: bindOperations as never,
    introspection: true,
    securityDirectives: false,
    batchLimit: 0,
    plans: true,
    subscriptions: subscriptionsForTest(),
    persistedOperations: null,
    log: { isLevelEnabled: () => true, info() {}, error() {} } as never,
    onOperation() {},
  });
  server = createServer(async (request, response) => {
    const answer = new Answer();
    const caller = { principal, requestId: 'r', answer, writeDeadlineMs: Infinity, secureTransport: true };
    const openStream = openStreamOn(response);
    const given = { caller, mediaType: graphqlResponseType, startedAtMs: 0, openStream };
    const context = { ...given, onAnswer() {}, async spend() {} };
    await engine(request, response, { ...context, body: await json(request) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

/** @param variables JSON: there `__proto__` is a property like any other */
async function run(query: string, variables: string) {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const body = `{"query":${JSON.stringify(query)},"variables":${variables}}`;
  listsRead = 0;
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { data, errors = [] } = (await answer.json()) as { data?: object; errors?: AnswerError[] };
  return { data, errors, lists: listsRead, objects: data ? objectsIn(data) - 1 : 0 };
}

/** Null where the operation is refused. */
function measure(query: string, variables: string): OperationCost | null {
  const document = parse(query);
  const operation = getOperationAST(document);
  if (!operation || validate(schema, document).length > 0) return null;
  try {
    return checkOperation(document, operation, { schema, variables: JSON.parse(variables), teams: 3 });
  } catch {
    return null;
  }
}

it('at least as many lists and objects are measured as an operation reads and returns', async () => {
  let executed = 0;
  const arbitrary = fc.tuple(operation, fragment, definitions, values);
  await fc.assert(
    fc.asyncProperty(arbitrary, async ([selection, fragmentText, declared, sent]) => {
      const query = documentOf(selection, fragmentText, declared);
      const variables = JSON.stringify(sent);
      const measured = measure(query, variables);
      if (!measured || measured.objects > 20_000) return;
      const returned = await run(query, variables);
      executed += returned.data ? 1 : 0;
      expect(measured.lists).toBeGreaterThanOrEqual(returned.lists);
      expect(measured.objects).toBeGreaterThanOrEqual(returned.objects);
    }),
    { numRuns: 1500 },
  );
  expect(executed).toBeGreaterThan(200);
}, 60_000);

describe('a variable that is called like a property of every object', () => {
  const ofObjects = Object.getOwnPropertyNames(Object.prototype);
  const pages = (size: string): string =>
    `secrets(${size}) { nodes { owner { ... on Team { secrets(${size}) { nodes { id } } } } } }`;

  it.each(ofObjects)('%s has the value that was sent', async (name) => {
    const query = `query ($${name}: Int) { ${pages(`first: $${name}`)} }`;
    expect(await run(query, `{"${name}":2}`)).toMatchObject({ errors: [], lists: 3, objects: 1 + 2 * 3 + 4 });
    expect(await run(query, `{"${name}":0}`)).toMatchObject({ errors: [], data: { secrets: { nodes: [] } } });
    const { lists, errors } = await run(query, `{"${name}":1000}`);
    expect([lists, errors[0]?.extensions.type]).toEqual([0, 'objects_limit_error']);
  });

  it.each(ofObjects)('%s has no value when none was sent', async (name) => {
    const page = `secrets(first: $${name}, last: 1000) { nodes { id } }`;
    const query = `query ($${name}: Int) { secrets(last: 151) { nodes { owner { ... on Team { ${page} } } } } }`;
    const { lists, errors } = await run(query, '{}');
    expect([lists, errors[0]?.extensions.type]).toEqual([0, 'objects_limit_error']);
    const filtered = `query ($${name}: String) { secrets(first: 1, filter: { name: $${name} }) { nodes { id } } }`;
    expect(await run(filtered, '{}')).toMatchObject({ errors: [], lists: 1 });
  });

  it.each(ofObjects)('%s has its default when none was sent', async (name) => {
    const query = `query ($${name}: Int = 3) { secrets(first: $${name}) { nodes { id } } }`;
    expect(await run(query, '{}')).toMatchObject({ errors: [], objects: 4 });
  });
});
