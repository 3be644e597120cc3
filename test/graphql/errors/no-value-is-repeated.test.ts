import fc from 'fast-check';
import { type ASTNode, GraphQLError, parse, Source, visit } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorTable } from '../../../src/errors.ts';
import { toClientError } from '../../../src/graphql/errors/client-error.ts';
import {
  ENUM_MARKER,
  errorsOf,
  leaked,
  MARKER,
  NUMBER_MARKER,
  rawErrorsOf,
  startEndpoint,
  stopEndpoint,
  written,
} from './endpoint.ts';

beforeAll(startEndpoint);
afterAll(stopEndpoint);

const OTHER_NAMES =
  'name nmae id secret secrets Secret Secre status ACTIVE String skip F on null true input Team first';
const NAMES = [ENUM_MARKER, ...OTHER_NAMES.split(' ')];
const VALUES = [
  ...[`"${MARKER}"`, `"""${MARKER}\n" """`, NUMBER_MARKER, `${NUMBER_MARKER}.5`, ENUM_MARKER],
  ...[`{ ${ENUM_MARKER}: "${MARKER}" }`, `["${MARKER}"]`, 'null', 'ACTIVE', '"x"', '7', 'true', '$input', '{}'],
];
const TOKENS = [
  ...'{ } ( ) : $ @ ... ! [ ] = | & " \\ \u0007 0042 fragment query mutation subscription type @skip @nope'.split(' '),
  ...['#x\n', `'${MARKER}'`, `"\\u${MARKER}"`, '@tagged(label: 1)', '... on Team { id }', '...F'],
];
const DOCUMENTS = [
  `query Q($input: ID!, $first: Int = 3) { secret(id: $input) { id name tags ...F } secrets(first: $first, filter: { tags: ["x"], status: ACTIVE }) { nodes { id } } } fragment F on Secret { status owner { ... on User { id } ... on Team { x: secrets(first: 2) { name } } } }`,
  `mutation M($input: CreateSecretInput!) { createSecret(input: $input) { id name } }`,
  `mutation N { createSecret(input: { name: "a", value: "b", tags: ["c"], status: ACTIVE, ttlSeconds: 3, weight: 1.5, pinned: true, owner: { teamId: 4 } }) { id } }`,
  `subscription S { secretChanged(owner: { teamId: "t" }) { id } }`,
  `query A($input: OwnerInput, $on: Boolean!) { secrets(owner: $input, before: "t") { totalCount @include(if: $on) @tagged(label: "x", status: ACTIVE) } a: broken { parent { parent { name } } } }`,
  `query B($input: [CreateSecretInput!], $filter: SecretFilter, $owner: OwnerInput! = { teamId: "z" }) { secrets(owner: $owner, filter: $filter) { totalCount nodes { id version } } node(id: 7) { id ... on Secret { name } } } `,
  `{ secrets { nodes { name } } } fragment F on Node { ...G } fragment G on Node { id }`,
];
const LEXEME = /"""[\s\S]*?"""|"[^"]*"|[_A-Za-z]\w*|-?\d[\d.]*|\.\.\.|[^\s\w]/g;

const mutation = fc.record({
  at: fc.noBias(fc.nat(9999)),
  how: fc.constantFrom(...Array(9).fill('same'), 'delete', 'double', 'swap', 'insert', 'replace'),
  name: fc.constantFrom(...NAMES),
  value: fc.constantFrom(...VALUES),
  token: fc.constantFrom(...TOKENS, ...NAMES, ...VALUES),
});

const badDocument = fc
  .tuple(fc.constantFrom(...DOCUMENTS), fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([document, mutations]) => {
    const lexemes = document.match(LEXEME) ?? [];
    for (const { at, how, name, value, token } of mutations) {
      const index = at % Math.max(1, lexemes.length);
      const old = lexemes[index] ?? '';
      const isValue = /^["\d]/.test(old) || (/^\w/.test(old) && /[:[=]/.test(lexemes[index - 1] ?? ''));
      if (how === 'same') lexemes[index] = isValue ? value : /^[_A-Za-z]/.test(old) ? name : old;
      if (how === 'delete') lexemes.splice(index, 1);
      if (how === 'double') lexemes.splice(index, 0, old);
      if (how === 'swap') lexemes.splice(index, 2, lexemes[index + 1] ?? '', old);
      if (how === 'insert') lexemes.splice(index, 0, token);
      if (how === 'replace') lexemes[index] = token;
    }
    return lexemes.join(' ');
  });

const fields = 'name value tags status owner teamId id ttlSeconds weight pinned expiresAt'.split(' ');
const hostile = [`${MARKER}" at "input.name"; Field "x`, `${ENUM_MARKER}" is not defined by type "Secret`];
const key = fc.constantFrom(...fields, 'nmae', '__proto__', MARKER, ENUM_MARKER, NUMBER_MARKER, ...hostile);
const scalar = fc.oneof(
  fc.constantFrom(MARKER, ENUM_MARKER, Number(NUMBER_MARKER), 'ACTIVE', 'ACTIV', null, true, 1.5, 3, ...hostile),
  fc.string().map((text) => `${text}${MARKER}`),
);
const { any } = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(key, tie('any'), { maxKeys: 5 }),
  ),
}));
const anyFields = Object.fromEntries([...fields, MARKER].map((name) => [name, any]));
const createInput = fc.record({ ...anyFields, name: fc.oneof(fc.constant('a'), any) }, { requiredKeys: [] });
const variables = fc.record(
  { input: fc.oneof(any, createInput), filter: any, owner: any, first: any, on: any, [ENUM_MARKER]: any },
  { requiredKeys: [] },
);

/** Markers that the client has put in the position of a name. */
function named(query: string): Set<string> {
  const names = new Set<string>();
  try {
    visit(parse(query), { Name: (node) => void names.add(node.value) });
  } catch {
    // A document that cannot be parsed has no names.
  }
  return names;
}

const RUNS = Number(process.env.RUNS ?? 3000);
const operationName = fc.option(fc.constantFrom(MARKER, 'Q'), { freq: 20, nil: undefined });

test('no error contains a marker, in whatever position it was sent, and every error says what is wrong', {
  timeout: 600_000,
}, async () => {
  const count = { answered: 0, echoing: 0 };
  await fc.assert(
    fc.asyncProperty(badDocument, variables, operationName, async (query, values, operation) => {
      written.length = 0;
      const request = { query, variables: values, operationName: operation };
      const allowed = named(query);
      const markersIn = (text: string) => leaked(text).filter((marker) => !allowed.has(marker));
      const errors = await errorsOf(request);
      expect(markersIn(JSON.stringify(errors))).toEqual([]);
      expect(leaked(JSON.stringify(written))).toEqual([]);
      expect(written.length).toBeGreaterThan(0);
      expect(errors.map(({ message }) => message)).not.toContain(errorTable.BAD_REQUEST.message);
      count.answered += errors.length;
      if (markersIn((await rawErrorsOf(request)).map(({ message }) => message).join('\n')).length > 0) count.echoing++;
    }),
    { numRuns: RUNS },
  );
  // Positive control: graphql-js would have quoted the marker for many of these requests.
  expect(count.echoing).toBeGreaterThan(RUNS / 10);
  expect(count.answered).toBeGreaterThan(RUNS / 2);
});

test('an error whose text is not the gateway’s own is answered without that text', () => {
  const source = new Source(`{ name(id: "${MARKER}") }`);
  const nodesOf = (kind: 'Field' | 'StringValue') => {
    const nodes: ASTNode[] = [];
    visit(parse(source), { [kind]: (node: ASTNode) => void nodes.push(node) });
    return nodes;
  };
  const skeletons = ['%', 'Cannot query field "%" on type "Secret".', 'Syntax Error: Unexpected %.'];
  const text = fc
    .tuple(fc.constantFrom(...skeletons), fc.oneof(fc.constantFrom(MARKER, 'Name', 'name'), fc.string()))
    .map(([skeleton, fill]) => skeleton.replace('%', () => fill));
  const place = fc.record({
    nodes: fc.constantFrom(null, nodesOf('Field'), nodesOf('StringValue')),
    path: fc.constantFrom(null, ['secret', 0, 'name']),
    source: fc.constantFrom(null, source),
  });
  const plain = text.map((message) => new TypeError(message));
  const foreign = text.map((message) => new GraphQLError(message));
  const located = fc
    .tuple(text, place, fc.oneof(fc.constant(null), plain, foreign))
    .map(([message, where, originalError]) => new GraphQLError(message, { ...where, originalError }));
  const { BAD_REQUEST, INTERNAL_SERVER_ERROR } = errorTable;
  const fixed = [BAD_REQUEST.message, INTERNAL_SERVER_ERROR.message, 'An argument has an invalid value.'];
  fc.assert(
    fc.property(fc.oneof(plain, located), (error) => {
      const { message, locations, path, extensions, ...others } = toClientError(error, 'r').formatted;
      expect(fixed).toContain(message);
      expect(leaked(JSON.stringify({ locations, path, extensions, others }))).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});
