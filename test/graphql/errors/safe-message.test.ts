// biome-ignore-start lint/correctness/noUndeclaredDependencies: what runs here has to be the executor that Yoga brings
import { normalizedExecutor } from '@graphql-tools/executor';
import { validateInputValue } from '@graphql-tools/executor/execution/validateInputValue';
// biome-ignore-end lint/correctness/noUndeclaredDependencies: as above
import fc from 'fast-check';
import {
  buildSchema,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLInputType,
  type GraphQLScalarType,
  NoSchemaIntrospectionCustomRule,
  type ParseOptions,
  parse,
  Source,
  specifiedRules,
  subscribe,
  validate,
  visit,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { safeMessage } from '../../../src/graphql/errors/safe-message.ts';

const schema = buildSchema(/* GraphQL */ `
  directive @tagged(label: String!, status: Status) on FIELD
  scalar DateTime
  enum Status { ACTIVE DISABLED REVOKED }
  type User { id: ID! secrets(first: Int): [Secret!]! }
  type Team { id: ID! secrets(first: Int): [Secret!]! }
  union SecretOwner = User | Team
  interface Node { id: ID! }
  type Secret implements Node { id: ID! name: String! owner: SecretOwner! tags: [String!]! version: Int! status: Status! parent: Secret }
  type Audit { at: DateTime! }
  type SecretConnection { totalCount: Int! nodes: [Secret!]! }
  input OwnerInput { teamId: ID connectorId: ID }
  input SecretFilter { name: String tags: [String!] status: Status }
  input CreateSecretInput {
    id: ID owner: OwnerInput! = {} name: String! value: String tags: [String!] status: Status
    ttlSeconds: Int weight: Float pinned: Boolean expiresAt: DateTime
  }
  input Choice @oneOf { id: ID name: String }
  type Query {
    secret(id: ID!): Secret
    node(id: ID!): Node
    secrets(owner: OwnerInput! = {}, filter: SecretFilter, first: Int, status: Status, pinned: Boolean, weight: Float, before: DateTime): SecretConnection!
    pick(by: Choice): Secret
  }
  type Mutation { createSecret(input: CreateSecretInput!): Secret! createSecrets(inputs: [CreateSecretInput!]!): [Secret!] }
  type Subscription { secretChanged(owner: OwnerInput): Secret audit: Audit }
`);

const NO_ANSWER = 7;
const dateTime = schema.getType('DateTime') as GraphQLScalarType;
dateTime.parseValue = (value) => {
  if (value === NO_ANSWER) return undefined;
  throw new TypeError(`no date: ${JSON.stringify(value)}`);
};
dateTime.parseLiteral = (node) => {
  throw new TypeError(`no date: ${JSON.stringify(node)}`);
};

const MARKER = 'sk-CANARY-4f1d';
const ENUM_MARKER = 'CANARY_ENUM_77';
const NUMBER_MARKER = '4242424242';

type Executor = (args: ExecutionArgs) => unknown;
const EXECUTORS: Record<string, Executor> = { 'graphql-js': execute, '@graphql-tools/executor': normalizedExecutor };

interface Request {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  parseOptions?: ParseOptions;
  executor?: Executor;
  skipValidation?: boolean;
}

/** Every error that a server which does not hide anything would answer with. */
async function errorsOf(request: Request): Promise<readonly GraphQLError[]> {
  let document: DocumentNode;
  try {
    document = parse(new Source(request.query), request.parseOptions);
  } catch (error) {
    return [error as GraphQLError];
  }
  try {
    const refused = request.skipValidation ? [] : validate(schema, document);
    if (refused.length > 0) return refused;
  } catch (error) {
    // `subscription { a @skip(if: null) }`: validate itself reads the argument, and throws.
    return [error as GraphQLError];
  }
  const { variables, operationName, executor = execute } = request;
  const args: ExecutionArgs = {
    schema,
    document,
    variableValues: variables ?? null,
    operationName: operationName ?? null,
    rootValue: { secrets: () => ({ totalCount: 0, nodes: [] }), createSecret: () => ({}), secretChanged: () => ({}) },
  };
  try {
    return ((await executor(args)) as ExecutionResult).errors ?? [];
  } catch (error) {
    return [error as GraphQLError];
  }
}

const leaked = (text: string) => [MARKER, ENUM_MARKER, NUMBER_MARKER].filter((marker) => text.includes(marker));

/** `raw` is the positive control: without safeMessage the marker would be answered. */
async function expectSafe(request: Request, expected: readonly string[], echoes: boolean) {
  const errors = await errorsOf(request);
  const safe = errors.map((error) => safeMessage(error, schema));
  expect(safe).toEqual(expected);
  expect(leaked(safe.join('\n'))).toEqual([]);
  if (echoes) expect(leaked(errors.map((error) => error.message).join('\n'))).not.toEqual([]);
}

describe('syntax errors tell token kinds and no token', () => {
  const cases: [query: string, expected: string, echoes?: boolean, parseOptions?: ParseOptions][] = [
    [`{ secret(id: "x" "${MARKER}") }`, 'Expected Name, found String.', true],
    [`{ secret("""${MARKER}\n": "x""") }`, 'Expected Name, found BlockString.', true],
    [`{ secret(${NUMBER_MARKER}) }`, 'Expected Name, found Int.', true],
    [`{ secret(${NUMBER_MARKER}.5) }`, 'Expected Name, found Float.', true],
    [`{ secret(id ${ENUM_MARKER}) }`, 'Expected ":", found Name.', true],
    ['{ secret(id: "x" { id } }', 'Expected Name, found "{".'],
    ['{ secret', 'Expected Name, found <EOF>.'],
    [`fragment F ${ENUM_MARKER} Secret { id }`, 'Expected "on", found Name.', true],
    ['fragment on on Secret { id }', 'Unexpected Name.'],
    [`${ENUM_MARKER} { secret }`, 'Unexpected Name.', true],
    [`"${MARKER}" 5`, 'Unexpected Int.'],
    [`5 "${MARKER}"`, 'Unexpected Int.'],
    [`"${MARKER}" { secret }`, 'Unexpected description, descriptions are not supported on shorthand queries.'],
    [
      `"${MARKER}" extend type Secret { x: Int }`,
      'Unexpected description, only GraphQL definitions support descriptions.',
    ],
    [`{ secret(id: }`, 'Unexpected "}".'],
    [`query ($a: ID = $${ENUM_MARKER}) { secret }`, 'Unexpected variable in constant value.', true],
    [`enum Status { true }`, 'Name is reserved and cannot be used for an enum value.'],
    [`{ secret(id: '${MARKER}') }`, `Unexpected single quote character ('), did you mean to use a double quote (")?`],
    ['{ secret(id: ~) }', 'Unexpected character.'],
    ['{ secret(id: \ud800) }', 'Invalid character.'],
    ['{ secret(id: 0042) }', 'Invalid number, unexpected digit after 0.'],
    ['{ secret(id: 4.x) }', 'Invalid number, expected digit.'],
    ['{ secret(id: "a\ud800") }', 'Invalid character within String.'],
    ['{ secret(id: """a\ud800""") }', 'Invalid character within String.'],
    [`{ secret(id: "\\uCANA") }`, 'Invalid Unicode escape sequence.'],
    [`{ secret(id: "\\u{${NUMBER_MARKER}}") }`, 'Invalid Unicode escape sequence.', false],
    ['{ secret(id: "\\x") }', 'Invalid character escape sequence.'],
    [`{ secret(id: "${MARKER}) }`, 'Unterminated string.'],
    ['{ a # 1\n # 2\n }', 'Document contains more than 1 comments. Parsing aborted.', false, { maxComments: 1 }],
    ['{ a b c d e }', 'Document contains more that 4 tokens. Parsing aborted.', false, { maxTokens: 4 }],
    ['{ a b }', 'Source contains more than 3 UTF-16 code units. Parsing aborted.', false, { maxSourceLength: 3 }],
  ];
  test.each(cases)('%s', async (query, expected, echoes = false, parseOptions = {}) => {
    await expectSafe({ query, parseOptions }, [`Syntax Error: ${expected}`], echoes);
  });
});

describe('validation errors keep the names of the document and of the schema', () => {
  const DIFFERENT_ALIASES = 'Use different aliases on the fields to fetch both if this was intentional.';
  const cases: [query: string, expected: string[]][] = [
    ['{ secret(id: 1) { id } } schema { query: Q }', ['The schema definition is not executable.', 'Unknown type "Q".']],
    ['{ secret(id: 1) { id } } scalar Foo', ['The "Foo" definition is not executable.']],
    [
      'query A { secret(id: 1) { id } } query A { secret(id: 1) { id } }',
      ['There can be only one operation named "A".'],
    ],
    [
      'query A { secret(id: 1) { id } } { secret(id: 1) { id } }',
      ['This anonymous operation must be the only defined operation.'],
    ],
    [
      'subscription S { secretChanged { id } audit { at } }',
      ['Subscription "S" must select only one top level field.'],
    ],
    [
      'subscription { secretChanged { id } audit { at } }',
      ['Anonymous Subscription must select only one top level field.'],
    ],
    ['subscription S { __typename }', ['Subscription "S" must not select an introspection top level field.']],
    ['subscription { __typename }', ['Anonymous Subscription must not select an introspection top level field.']],
    ['{ node(id: 1) { ... on Secre { id } } }', ['Unknown type "Secre". Did you mean "Secret" or "User"?']],
    ['{ node(id: 1) { ... on Wharrgarbl { id } } }', ['Unknown type "Wharrgarbl".']],
    ['{ ...F } fragment F on Status { id }', ['Fragment "F" cannot condition on non composite type "Status".']],
    ['{ ... on OwnerInput { id } }', ['Fragment cannot condition on non composite type "OwnerInput".']],
    [
      'query ($s: [Secret!]!) { secret(id: $s) { id } }',
      [
        'Variable "$s" cannot be non-input type "[Secret!]!".',
        'Variable "$s" of type "[Secret!]!" used in position expecting type "ID!".',
      ],
    ],
    [
      '{ secret(id: 1) { name { x } } }',
      ['Field "name" must not have a selection since type "String!" has no subfields.'],
    ],
    [
      '{ secrets { nodes } }',
      ['Field "nodes" of type "[Secret!]!" must have a selection of subfields. Did you mean "nodes { ... }"?'],
    ],
    ['{ secret(id: 1) { nmae } }', ['Cannot query field "nmae" on type "Secret". Did you mean "name"?']],
    ['{ secret(id: 1) { frobnicate } }', ['Cannot query field "frobnicate" on type "Secret".']],
    ['{ nodes { id } }', ['Cannot query field "nodes" on type "Query". Did you mean "node"?']],
    ['{ node(id: 1) { ... on Audt { id } } }', ['Unknown type "Audt". Did you mean "Audit"?']],
    [
      '{ node(id: 1) { name } }',
      ['Cannot query field "name" on type "Node". Did you mean to use an inline fragment on "Secret"?'],
    ],
    [
      '{ secret(id: 1) { owner { id } } }',
      ['Cannot query field "id" on type "SecretOwner". Did you mean to use an inline fragment on "Team" or "User"?'],
    ],
    [
      '{ ...F } fragment F on Query { __typename } fragment F on Query { __typename }',
      ['There can be only one fragment named "F".'],
    ],
    ['{ ...Nope }', ['Unknown fragment "Nope".']],
    ['{ __typename } fragment F on Query { __typename }', ['Fragment "F" is never used.']],
    [
      '{ secret(id: 1) { ... on Team { id } } }',
      ['Fragment cannot be spread here as objects of type "Secret" can never be of type "Team".'],
    ],
    [
      '{ secret(id: 1) { ...F } } fragment F on Team { id }',
      ['Fragment "F" cannot be spread here as objects of type "Secret" can never be of type "Team".'],
    ],
    ['{ ...F } fragment F on Query { ...F }', ['Cannot spread fragment "F" within itself.']],
    [
      '{ ...F } fragment F on Query { ...G } fragment G on Query { ...H } fragment H on Query { ...F }',
      ['Cannot spread fragment "F" within itself via "G", "H".'],
    ],
    ['query ($a: ID!, $a: ID!) { secret(id: $a) { id } }', ['There can be only one variable named "$a".']],
    ['query Q { secret(id: $nope) { id } }', ['Variable "$nope" is not defined by operation "Q".']],
    ['{ secret(id: $nope) { id } }', ['Variable "$nope" is not defined.']],
    ['query Q($extra: ID) { __typename }', ['Variable "$extra" is never used in operation "Q".']],
    ['query ($extra: ID) { __typename }', ['Variable "$extra" is never used.']],
    ['{ __typename @nope }', ['Unknown directive "@nope".']],
    ['query @skip(if: true) { __typename }', ['Directive "@skip" may not be used on QUERY.']],
    [
      '{ __typename @skip(if: true) @skip(if: false) }',
      ['The directive "@skip" can only be used once at this location.'],
    ],
    [`{ secret(id: 1, nmae: "${MARKER}") { id } }`, ['Unknown argument "nmae" on field "Query.secret".']],
    [
      `{ secrets(frist: ${NUMBER_MARKER}) { totalCount } }`,
      ['Unknown argument "frist" on field "Query.secrets". Did you mean "first"?'],
    ],
    [
      `{ __typename @tagged(label: "${MARKER}", lable: "${MARKER}") }`,
      ['Unknown argument "lable" on directive "@tagged". Did you mean "label"?'],
    ],
    ['{ secret(id: 1, id: 2) { id } }', ['There can be only one argument named "id".']],
    [
      `mutation { createSecret(input: { name: "a", name: "${MARKER}" }) { id } }`,
      ['There can be only one input field named "name".'],
    ],
    ['{ secret { id } }', ['Field "secret" argument "id" of type "ID!" is required, but it was not provided.']],
    [
      '{ __typename @tagged }',
      ['Directive "@tagged" argument "label" of type "String!" is required, but it was not provided.'],
    ],
    [
      `mutation { createSecret(input: { value: "${MARKER}" }) { id } }`,
      ['Field "CreateSecretInput.name" of required type "String!" was not provided.'],
    ],
    [
      `mutation { createSecret(input: { name: "a", valu: "${MARKER}" }) { id } }`,
      ['Field "valu" is not defined by type "CreateSecretInput". Did you mean "value"?'],
    ],
    [
      'query Q($a: Int) { secret(id: $a) { id } }',
      ['Variable "$a" of type "Int" used in position expecting type "ID!".'],
    ],
    [
      'query Q($a: ID) { pick(by: { id: $a }) { id } }',
      ['Variable "$a" is of type "ID" but must be non-nullable to be used for OneOf Input Object "Choice".'],
    ],
    [
      `{ pick(by: { id: 1, name: "${MARKER}" }) { id } }`,
      ['OneOf Input Object "Choice" must specify exactly one key.'],
    ],
    ['{ pick(by: { id: null }) { id } }', ['Field "Choice.id" must be non-null.']],
    ['{ secret(id: null) { id } }', ['Expected value of type "ID!", found null.']],
    [
      'subscription { secretChanged @skip(if: null) { id } }',
      ['Argument "if" of non-null type "Boolean!" must not be null.'],
    ],
    [
      '{ a: secret(id: 1) { id } a: secret(id: 1) { id: name } }',
      [
        `Fields "a" conflict because subfields "id" conflict because "id" and "name" are different fields. ${DIFFERENT_ALIASES}`,
      ],
    ],
    [
      '{ a: secret(id: 1) { x: id y: id } a: secret(id: 1) { x: name y: tags } }',
      [
        `Fields "a" conflict because subfields "x" conflict because "id" and "name" are different fields and subfields "y" conflict because "id" and "tags" are different fields. ${DIFFERENT_ALIASES}`,
      ],
    ],
    [
      `{ a: secret(id: 1) { id } a: secret(id: "${MARKER}") { id } }`,
      [`Fields "a" conflict because they have differing arguments. ${DIFFERENT_ALIASES}`],
    ],
    [
      '{ secret(id: 1) { owner { ... on User { x: id } ... on Team { x: secrets { id } } } } }',
      [`Fields "x" conflict because they return conflicting types "ID!" and "[Secret!]!". ${DIFFERENT_ALIASES}`],
    ],
    [
      `{ secret(id: 1) { ${'x'.repeat(1200)}: id ${'x'.repeat(1200)}: name } }`,
      [`Fields conflict. ${DIFFERENT_ALIASES}`],
    ],
    [
      `{ a: secret(id: 1) { ${'x'.repeat(990)}: id } a: secret(id: 1) { ${'x'.repeat(990)}: name } }`,
      [`Fields "a" conflict. ${DIFFERENT_ALIASES}`],
    ],
    [
      `{ __schema { types { ${'fields { type { '.repeat(4)} name ${'} } '.repeat(4)} } } }`,
      ['Maximum introspection depth exceeded'],
    ],
    // Names that a request defines for itself are names of the document too.
    [
      'directive @own(mine: String!) on FIELD { __typename @own(mien: 1) }',
      [
        'The "own" definition is not executable.',
        'Unknown argument "mien" on directive "@own".',
        'Directive "@own" argument "mine" of type "String!" is required, but it was not provided.',
      ],
    ],
  ];
  test.each(cases)('%s', async (query, expected) => {
    await expectSafe({ query }, expected, false);
  });

  test('a selection without fields, which only a program can write', () => {
    const document = visit(parse('{ secret(id: 1) { id } }'), {
      SelectionSet: {
        leave: (node, _key, parent) => ((parent as { name?: unknown }).name ? { ...node, selections: [] } : node),
      },
    });
    expect(validate(schema, document).map((error) => safeMessage(error, schema))).toEqual([
      'Field "secret" of type "Secret" must have at least one field selected.',
    ]);
  });

  test('a document that is too costly to compare', async () => {
    await expectSafe({ query: `{ ${'secret(id: 1) { id } '.repeat(1500)} }` }, ['Validation aborted.'], false);
  });

  test('introspection that is turned off, and a limit on the errors', () => {
    const document = parse('{ __schema { types { name } } secret(id: 1) { a b c } }');
    const messages = [
      ...validate(schema, document, [NoSchemaIntrospectionCustomRule]),
      ...validate(schema, document, specifiedRules, { maxErrors: 1 }),
    ].map((error) => safeMessage(error, schema));
    expect(new Set(messages)).toEqual(
      new Set([
        'GraphQL introspection has been disabled, but the requested query contained the field "__schema".',
        'GraphQL introspection has been disabled, but the requested query contained the field "types".',
        'Cannot query field "a" on type "Secret".',
        'Too many validation errors, error limit reached. Validation aborted.',
      ]),
    );
  });
});

describe('literals of the wrong kind are not repeated', () => {
  const input = (fields: string) => `mutation { createSecret(input: { name: "a", ${fields} }) { id } }`;
  const cases: [query: string, expected: string][] = [
    [input(`ttlSeconds: "${MARKER}"`), 'Int cannot represent non-integer value.'],
    [input(`ttlSeconds: ${NUMBER_MARKER}`), 'Int cannot represent non 32-bit signed integer value.'],
    [input(`weight: "${MARKER}"`), 'Float cannot represent non numeric value.'],
    [input(`value: ${ENUM_MARKER}`), 'String cannot represent a non string value.'],
    [input(`value: ${NUMBER_MARKER}`), 'String cannot represent a non string value.'],
    [input(`value: { secret: "${MARKER}" }`), 'String cannot represent a non string value.'],
    [input(`pinned: "${MARKER}"`), 'Boolean cannot represent a non boolean value.'],
    [input(`id: ${ENUM_MARKER}`), 'ID cannot represent a non-string and non-integer value.'],
    [input(`status: "${MARKER}"`), 'Enum "Status" cannot represent non-enum value.'],
    [input(`status: ${ENUM_MARKER}`), 'Value does not exist in "Status" enum.'],
    [input(`owner: "${MARKER}"`), 'Expected value of type "OwnerInput!".'],
    [input(`expiresAt: "${MARKER}"`), 'Expected value of type "DateTime".'],
    [
      `{ secrets(before: { ${'a: {'.repeat(3)} b: "${MARKER}" ${'}'.repeat(3)} }) { totalCount } }`,
      'Expected value of type "DateTime".',
    ],
  ];
  test.each(cases)('%s', async (query, expected) => {
    await expectSafe({ query }, [expected], true);
  });

  test('enum values are suggested', async () => {
    await expectSafe(
      { query: '{ secrets(status: ACTIV) { totalCount } }' },
      ['Value does not exist in "Status" enum. Did you mean the enum value "ACTIVE"?'],
      false,
    );
    await expectSafe(
      { query: '{ secrets(status: "ACTIVE") { totalCount } }' },
      ['Enum "Status" cannot represent non-enum value. Did you mean the enum value "ACTIVE"?'],
      false,
    );
  });
});

describe.each(Object.entries(EXECUTORS))('variables, %s', (_, executor) => {
  const query = 'mutation Make($input: CreateSecretInput!) { createSecret(input: $input) { id } }';
  const AT = 'Variable "$input" got an invalid value at';
  const cases: [input: unknown, expected: string[], silent?: boolean][] = [
    [MARKER, [`${AT} "input"; Expected type "CreateSecretInput" to be an object.`]],
    [[MARKER], [`${AT} "input"; Expected type "CreateSecretInput" to be an object.`]],
    [{ value: MARKER }, [`${AT} "input"; Field "name" of required type "String!" was not provided.`]],
    [{ name: null, value: MARKER }, [`${AT} "input.name"; Expected non-nullable type "String!" not to be null.`], true],
    [{ name: 'a', value: { [MARKER]: 1 } }, [`${AT} "input.value"; String cannot represent a non string value.`]],
    [{ name: 'a', value: Number(NUMBER_MARKER) }, [`${AT} "input.value"; String cannot represent a non string value.`]],
    [{ name: 'a', tags: ['a', [MARKER]] }, [`${AT} "input.tags[1]"; String cannot represent a non string value.`]],
    [{ name: 'a', id: { [MARKER]: 1 } }, [`${AT} "input.id"; ID cannot represent value.`]],
    [{ name: 'a', ttlSeconds: MARKER }, [`${AT} "input.ttlSeconds"; Int cannot represent non-integer value.`]],
    [
      { name: 'a', ttlSeconds: Number(NUMBER_MARKER) },
      [`${AT} "input.ttlSeconds"; Int cannot represent non 32-bit signed integer value.`],
    ],
    [{ name: 'a', weight: MARKER }, [`${AT} "input.weight"; Float cannot represent non numeric value.`]],
    [{ name: 'a', pinned: MARKER }, [`${AT} "input.pinned"; Boolean cannot represent a non boolean value.`]],
    [{ name: 'a', expiresAt: MARKER }, [`${AT} "input.expiresAt"; Expected type "DateTime".`]],
    [{ name: 'a', expiresAt: NO_ANSWER, value: MARKER }, [`${AT} "input.expiresAt"; Expected type "DateTime".`], true],
    [{ name: 'a', owner: MARKER }, [`${AT} "input.owner"; Expected type "OwnerInput" to be an object.`]],
    [{ name: 'a', status: ENUM_MARKER }, [`${AT} "input.status"; Value does not exist in "Status" enum.`]],
    [
      { name: 'a', status: { ACTIV: MARKER } },
      [`${AT} "input.status"; Enum "Status" cannot represent non-string value.`],
    ],
    [
      { nmae: MARKER, name: 'a' },
      [`${AT} "input"; it has a field that is not defined by type "CreateSecretInput". Did you mean "name"?`],
    ],
    [{ name: 'a', [MARKER]: 1 }, [`${AT} "input"; it has a field that is not defined by type "CreateSecretInput".`]],
    [
      { name: 'a', owner: { [`${MARKER}" is not defined by type "Secret". Did you mean "${MARKER}"?`]: 1 } },
      [`${AT} "input.owner"; it has a field that is not defined by type "OwnerInput".`],
    ],
    [
      {
        name: 'a',
        status: `${MARKER}" does not exist in "Status" enum. Did you mean the enum value "${ENUM_MARKER}"?`,
      },
      [`${AT} "input.status"; Value does not exist in "Status" enum.`],
    ],
    [
      {
        name: 'a',
        ttlSeconds: `${MARKER}" at "input.${ENUM_MARKER}[${NUMBER_MARKER}]"; Field "${ENUM_MARKER}" must be non-null.`,
      },
      [`${AT} "input.ttlSeconds"; Int cannot represent non-integer value.`],
    ],
    [
      { name: 1, tags: [MARKER, 2] },
      [
        `${AT} "input.name"; String cannot represent a non string value.`,
        `${AT} "input.tags[1]"; String cannot represent a non string value.`,
      ],
      true,
    ],
  ];
  test.each(cases)('%j', async (input, expected, silent = false) => {
    const request = { query, variables: { input }, executor };
    await expectSafe(request, expected, !silent);
  });

  test('an enum value is suggested', async () => {
    await expectSafe(
      { query, variables: { input: { name: 'a', status: 'ACTVE' } }, executor },
      [`${AT} "input.status"; Value does not exist in "Status" enum. Did you mean the enum value "ACTIVE"?`],
      false,
    );
  });

  test('the original error got lost', async () => {
    const [error] = await errorsOf({ query, variables: { input: { name: 'a', tags: [{ [MARKER]: 1 }] } }, executor });
    const bare = new GraphQLError(error?.message ?? '', { nodes: error?.nodes ?? null });
    expect(leaked(bare.message)).toEqual([MARKER]);
    expect(safeMessage(bare, schema)).toBe(`${AT} "input".`);
  });

  test('missing, null, of a type that is no input, oneOf', async () => {
    await expectSafe(
      { query, executor },
      ['Variable "$input" of required type "CreateSecretInput!" was not provided.'],
      false,
    );
    await expectSafe(
      { query, variables: { input: null }, executor },
      ['Variable "$input" of non-null type "CreateSecretInput!" must not be null.'],
      false,
    );
    await expectSafe(
      {
        query: 'query ($s: [Secret]) { secret(id: $s) { id } }',
        variables: { s: MARKER },
        executor,
        skipValidation: true,
      },
      ['Variable "$s" expected value of type "[Secret]" which cannot be used as an input type.'],
      false,
    );
    const pick = 'query ($by: Choice) { pick(by: $by) { id } }';
    await expectSafe(
      { query: pick, variables: { by: { id: MARKER, name: MARKER } }, executor },
      ['Variable "$by" got an invalid value at "by"; Exactly one key must be specified for OneOf type "Choice".'],
      true,
    );
    await expectSafe(
      { query: pick, variables: { by: { id: null } }, executor },
      ['Variable "$by" got an invalid value at "by.id"; Field "id" must be non-null.'],
      false,
    );
  });

  test('the limit on errors of one request', async () => {
    const many = 'mutation ($inputs: [CreateSecretInput!]!) { createSecrets(inputs: $inputs) { id } }';
    const errors = await errorsOf({ query: many, variables: { inputs: Array(60).fill(MARKER) }, executor });
    expect(safeMessage(errors.at(-1) as GraphQLError, schema)).toBe(
      'Too many errors processing variables, error limit reached. Execution aborted.',
    );
    expect(safeMessage(errors[49] as GraphQLError, schema)).toBe(
      'Variable "$inputs" got an invalid value at "inputs[49]"; Expected type "CreateSecretInput" to be an object.',
    );
  });

  test('arguments', async () => {
    const run = (document: string, expected: string, echoes = false) =>
      expectSafe({ query: document, executor, skipValidation: true }, [expected], echoes);
    await run('{ secret { id } }', 'Argument "id" of required type "ID!" was not provided.');
    await run(
      'query ($v: ID) { secret(id: $v) { id } }',
      'Argument "id" of required type "ID!" was provided the variable "$v" which was not provided a runtime value.',
    );
    await run('{ secret(id: null) { id } }', 'Argument "id" of non-null type "ID!" must not be null.');
    await run(`{ secret(id: { a: "${MARKER}" }) { id } }`, 'Argument "id" has an invalid value.', true);
  });

  test('operations', async () => {
    await expectSafe(
      { query: 'query A { __typename } query B { __typename }', executor: execute },
      ['Must provide operation name if query contains multiple operations.'],
      false,
    );
    await expectSafe(
      { query: 'query A { __typename }', operationName: MARKER, executor: execute },
      ['Unknown operation name.'],
      true,
    );
    await expectSafe(
      { query: 'fragment F on Query { __typename }', executor, skipValidation: true },
      ['Must provide an operation.'],
      false,
    );
  });
});

test('operations the schema does not have', async () => {
  const small = buildSchema('type Query { a: Int }');
  const document = parse('mutation { a }');
  const result = await execute({ schema: small, document });
  expect(result.errors?.map((error) => safeMessage(error, small))).toEqual([
    'Schema is not configured to execute mutation operation.',
  ]);
  const stream = (await subscribe({ schema, document: parse('subscription { nope }') })) as ExecutionResult;
  expect(stream.errors?.map((error) => safeMessage(error, schema))).toEqual([
    'The subscription field "nope" is not defined.',
  ]);
});

test('what a scalar says of a value that is answered', async () => {
  const document = parse('{ secret(id: 1) { id name version status } }');
  const bad = { [MARKER]: 1 };
  const rootValue = { secret: () => ({ id: bad, name: bad, version: MARKER, status: MARKER }) };
  for (const executor of Object.values(EXECUTORS)) {
    const messages = new Set<string | undefined>();
    for (const field of ['id', 'name', 'version', 'status']) {
      const only = parse(`{ secret(id: 1) { ${field} } }`);
      const { errors = [] } = (await executor({ schema, document: only, rootValue })) as ExecutionResult;
      expect(leaked(errors.map((error) => error.message).join())).toEqual([MARKER]);
      for (const error of errors) messages.add(safeMessage(error, schema));
    }
    expect([...messages]).toEqual([
      'ID cannot represent value.',
      'String cannot represent value.',
      'Int cannot represent non-integer value.',
      'Enum "Status" cannot represent value.',
    ]);
  }
  expect(document.definitions).toHaveLength(1);
});

test('what the executor says of a variable where graphql-js is silent', () => {
  const says = (type: string, value: unknown) => {
    const document = parse(`query ($input: ${type}) { __typename }`);
    const definition = document.definitions[0];
    if (definition?.kind !== 'OperationDefinition') throw new Error('no operation');
    const messages: (string | undefined)[] = [];
    validateInputValue(
      value,
      schema.getType(type) as GraphQLInputType,
      (path: readonly (string | number)[], _: unknown, reason: GraphQLError) => {
        const at =
          path.length === 0
            ? ''
            : ` at "input${path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')}"`;
        const error = new GraphQLError(`Variable "$input" got invalid value "${MARKER}"${at}; ${reason.message}`, {
          nodes: definition.variableDefinitions?.[0] ?? null,
          originalError: reason,
        });
        messages.push(safeMessage(error, schema));
      },
    );
    expect(leaked(messages.join())).toEqual([]);
    return messages.map((message) => message?.split('; ')[1]);
  };
  expect(says('CreateSecretInput', MARKER)).toEqual(['Expected value of type "CreateSecretInput" to be an object.']);
  expect(says('CreateSecretInput', { value: MARKER })).toEqual([
    'Expected value of type "CreateSecretInput" to include required field "name".',
  ]);
  expect(says('CreateSecretInput', { name: null })).toEqual([
    'Expected value of non-null type "String!" not to be null.',
  ]);
  expect(says('CreateSecretInput', { name: 'a', tags: [undefined] })).toEqual([
    'Expected a value of non-null type "String!" to be provided.',
  ]);
  expect(says('OwnerInput', { [MARKER]: 1 })).toEqual([
    'Expected value of type "OwnerInput" not to include unknown fields.',
  ]);
  expect(says('OwnerInput', { teamID: MARKER })).toEqual([
    'Expected value of type "OwnerInput" not to include unknown fields.',
  ]);
  expect(says('DateTime', MARKER)).toEqual(['Expected value of type "DateTime".']);
  expect(says('DateTime', NO_ANSWER)).toEqual(['Expected value of type "DateTime".']);
  expect(says('Choice', { id: MARKER, name: MARKER })).toEqual([
    'Within OneOf Input Object type "Choice", exactly one field must be specified, and the value for that field must be non-null.',
  ]);
});

describe('what is not known is not answered', () => {
  test.each([
    MARKER,
    `Cannot query field "${MARKER}" on type "Secret".`,
    'Cannot query field "unheard" on type "Secret".',
    'Cannot query field "name" on type "Secret". And more.',
    'Cannot query field "name" on type "Secret".\nAnd more.',
    `Syntax Error: Expected ${ENUM_MARKER}, found Name.`,
    `Directive "@skip" may not be used on ${ENUM_MARKER}.`,
    `Syntax Error: Document contains more than ${NUMBER_MARKER} comments. Parsing aborted.`,
    `Variable "$${ENUM_MARKER}" got invalid value 5`,
    `Unexpected token 's', "${MARKER}" is not valid JSON`,
    '',
  ])('%s', (message) => {
    expect(safeMessage(new GraphQLError(message), schema)).toBeUndefined();
  });

  test('a value in the document is no name of the document', () => {
    const source = new Source(
      `{ secrets(status: ${ENUM_MARKER}, filter: { name: "${ENUM_MARKER}x" }) { totalCount } } # ${ENUM_MARKER}y`,
    );
    for (const value of [ENUM_MARKER, `${ENUM_MARKER}x`, `${ENUM_MARKER}y`]) {
      const error = new GraphQLError(`Cannot query field "${value}" on type "Query".`, { source });
      expect(safeMessage(error, schema)).toBeUndefined();
    }
    const named = new GraphQLError('Cannot query field "own" on type "Query".', { source: new Source('{ own }') });
    expect(safeMessage(named, schema)).toBe('Cannot query field "own" on type "Query".');
  });

  test('a suggestion that is not in the schema is left out', () => {
    const suggest = (list: string) =>
      safeMessage(new GraphQLError(`Cannot query field "name" on type "Secret". Did you mean ${list}?`), schema);
    expect(suggest(`"id", "${ENUM_MARKER}", or "tags"`)).toBe(
      'Cannot query field "name" on type "Secret". Did you mean "id" or "tags"?',
    );
    expect(suggest(`"${ENUM_MARKER}" or "tags"`)).toBe(
      'Cannot query field "name" on type "Secret". Did you mean "tags"?',
    );
    expect(suggest(`"${ENUM_MARKER}"`)).toBe('Cannot query field "name" on type "Secret".');
  });
});

describe('time does not depend on what a value looks like', () => {
  const MIB = 1024 * 1024;
  const fill = (piece: string) => piece.repeat(Math.ceil(MIB / piece.length));
  const hostile = [
    'a',
    '"',
    '\n',
    '. ',
    '[',
    '"a", ',
    '; ',
    '" at "input.name',
    '" at "input[0][0]"; ',
    '" does not exist in "Status" enum.',
    '" does not exist in "Status" enum. Did you mean the enum value "ACTIVE", "ACTIVE", ',
    '" is not defined by type "Secret". Did you mean "name", ',
    '". Use different aliases on the fields to fetch both if this was intentional',
    'subfields "a" conflict because "a" and "b" are different fields and ',
    '\\"',
  ].map(fill);
  const starts = [
    '',
    'Syntax Error: Unexpected String "',
    'Syntax Error: Expected Name, found String "',
    'Cannot query field "',
    'Cannot query field "a" on type "Secret". Did you mean "',
    'Value "',
    'Enum "Status" cannot represent non-enum value: ',
    'Expected value of type "',
    'Field "',
    'Fields "',
    'Fields "name" conflict because ',
    'Cannot spread fragment "name" within itself via "',
    'Variable "$',
    'Variable "$name" got invalid value "',
    'Unknown operation named "',
    'Argument "id" has invalid value ',
  ];
  const ends = ['', '.', '"', '" at "input.name"', '" enum.', '?'];

  test('1 MiB behind every kind of start', () => {
    for (const start of starts) {
      for (const value of hostile) {
        for (const end of ends) {
          const reason = new GraphQLError(`Value "${value}${end}`);
          const error = new GraphQLError(`${start}${value}${end}`, { originalError: reason });
          const quoted = new GraphQLError(`Variable "$name" got invalid value "${start}"; ${reason.message}`, {
            originalError: reason,
          });
          const began = performance.now();
          const texts = [safeMessage(error, schema), safeMessage(quoted, schema)];
          expect(performance.now() - began).toBeLessThan(2000);
          for (const text of texts) expect((text ?? '').length).toBeLessThan(500);
        }
      }
    }
  }, 120_000);

  test('a document of 1 MiB with a hundred errors', () => {
    const fields = Array.from({ length: 32_000 }, (_, index) => `alias${index}: secret(own${index}: "x")`);
    const document = parse(`query Big { ${fields.join(' ')} }`);
    const errors = validate(schema, document);
    expect(document.loc?.source.body.length).toBeGreaterThan(MIB);
    expect(errors.length).toBeGreaterThan(99);
    const began = performance.now();
    for (const error of errors) expect(safeMessage(error, schema)?.includes('own')).not.toBe(true);
    expect(performance.now() - began).toBeLessThan(2000);
  }, 60_000);
});

describe('properties', () => {
  const NAMES = [
    ENUM_MARKER,
    'name',
    'nmae',
    'id',
    'secret',
    'secrets',
    'Secret',
    'Secre',
    'status',
    'ACTIVE',
    'String',
    'skip',
    'F',
    'on',
    'null',
    'true',
    'input',
    'Team',
    'first',
  ];
  const VALUES = [
    `"${MARKER}"`,
    `"""${MARKER}\n" """`,
    NUMBER_MARKER,
    `${NUMBER_MARKER}.5`,
    ENUM_MARKER,
    `{ ${ENUM_MARKER}: "${MARKER}" }`,
    `["${MARKER}"]`,
    'null',
    'ACTIVE',
    '"x"',
    '7',
    'true',
    '$input',
    '{}',
  ];
  const TOKENS = [
    '{',
    '}',
    '(',
    ')',
    ':',
    '$',
    '@',
    '...',
    '!',
    '[',
    ']',
    '=',
    '|',
    '&',
    '#x\n',
    '"',
    `'${MARKER}'`,
    '\\',
    '\u0007',
    '0042',
    `"\\u${MARKER}"`,
    'fragment',
    'query',
    'mutation',
    'subscription',
    'type',
    '@skip',
    '@nope',
    '@tagged(label: 1)',
    '... on Team { id }',
    '...F',
  ];
  const DOCUMENTS = [
    `query Q($input: ID!, $first: Int = 3) { secret(id: $input) { id name tags ...F } secrets(first: $first, filter: { tags: ["x"], status: ACTIVE }) { nodes { id } } } fragment F on Secret { status owner { ... on User { id } ... on Team { x: secrets(first: 2) { name } } } }`,
    `mutation M($input: CreateSecretInput!) { createSecret(input: $input) { id name } }`,
    `mutation N { createSecret(input: { name: "a", value: "b", tags: ["c"], status: ACTIVE, ttlSeconds: 3, weight: 1.5, pinned: true, owner: { teamId: 4 } }) { id } }`,
    `subscription S { secretChanged(owner: { teamId: "t" }) { id } }`,
    `query A($input: Choice, $on: Boolean!) { pick(by: $input) { id @include(if: $on) @tagged(label: "x", status: ACTIVE) } a: pick(by: { name: "x" }) { parent { parent { name } } } }`,
    `query B($input: [CreateSecretInput!], $filter: SecretFilter, $owner: OwnerInput! = { teamId: "z" }) { secrets(owner: $owner, filter: $filter) { totalCount nodes { id version } } node(id: 7) { id ... on Secret { name } } } `,
    `{ secrets { nodes { name } } } fragment F on Node { ...G } fragment G on Node { id }`,
  ];
  const LEXEME = /"""[\s\S]*?"""|"[^"]*"|[_A-Za-z]\w*|-?\d[\d.]*|\.\.\.|[^\s\w]/g;

  const mutation = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('same', 'same', 'same', 'delete', 'double', 'swap', 'insert', 'replace'),
    name: fc.constantFrom(...NAMES),
    value: fc.constantFrom(...VALUES),
    token: fc.constantFrom(...TOKENS, ...NAMES, ...VALUES),
  });

  const badDocument = fc
    .tuple(fc.constantFrom(...DOCUMENTS), fc.array(mutation, { maxLength: 4 }))
    .map(([document, mutations]) => {
      const lexemes = document.match(LEXEME) ?? [];
      for (const { at, how, name, value, token } of mutations) {
        const index = at % Math.max(1, lexemes.length);
        const old = lexemes[index] ?? '';
        const like =
          /^\w/.test(old) && /[:[=]/.test(lexemes[index - 1] ?? '')
            ? value
            : /^[_A-Za-z]/.test(old)
              ? name
              : /^["\d]/.test(old)
                ? value
                : old;
        if (how === 'same') lexemes[index] = like;
        if (how === 'delete') lexemes.splice(index, 1);
        if (how === 'double') lexemes.splice(index, 0, old);
        if (how === 'swap') lexemes.splice(index, 2, lexemes[index + 1] ?? '', old);
        if (how === 'insert') lexemes.splice(index, 0, token);
        if (how === 'replace') lexemes[index] = token;
      }
      return lexemes.join(' ');
    });

  const key = fc.constantFrom(
    'name',
    'value',
    'tags',
    'status',
    'owner',
    'teamId',
    'id',
    'ttlSeconds',
    'weight',
    'pinned',
    'expiresAt',
    'nmae',
    MARKER,
    ENUM_MARKER,
    NUMBER_MARKER,
    `${MARKER}" at "input.name"; Field "x`,
    `${ENUM_MARKER}" is not defined by type "Secret". Did you mean "${ENUM_MARKER}`,
    '__proto__',
  );
  const scalar = fc.oneof(
    fc.constantFrom(
      MARKER,
      ENUM_MARKER,
      Number(NUMBER_MARKER),
      'ACTIVE',
      'ACTIV',
      null,
      true,
      1.5,
      3,
      `x" at "input.${ENUM_MARKER}"`,
      `${MARKER}\n; String cannot represent a non string value: ${MARKER}`,
      `" does not exist in "${ENUM_MARKER}" enum.`,
    ),
    fc.string().map((text) => `${text}${MARKER}`),
  );
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(key, tie('json'), { maxKeys: 5 }),
    ),
  }));
  const createInput = fc.record(
    {
      name: fc.oneof(fc.constant('a'), json),
      value: json,
      tags: json,
      status: json,
      owner: json,
      ttlSeconds: json,
      weight: json,
      pinned: json,
      expiresAt: json,
      [MARKER]: json,
    },
    { requiredKeys: [] },
  );
  const variables = fc.record(
    { input: fc.oneof(json, createInput), filter: json, owner: json, first: json, on: json, [ENUM_MARKER]: json },
    { requiredKeys: [] },
  );

  /** Markers that the client has put where a name belongs. */
  const named = (query: string) => {
    const names = new Set<string>();
    try {
      visit(parse(query), {
        Name(node) {
          names.add(node.value);
        },
      });
    } catch {
      // nothing in a document that cannot be read is in a name position
    }
    return names;
  };

  const RUNS = Number(process.env.SAFE_MESSAGE_RUNS ?? 4000);

  test('no marker comes out and no text of graphql-js is unknown', { timeout: 600_000 }, async () => {
    const count = { errors: 0, echoing: 0, unknown: new Map<string, number>() };
    await fc.assert(
      fc.asyncProperty(
        badDocument,
        variables,
        fc.constantFrom(...Object.values(EXECUTORS)),
        fc.option(fc.constantFrom(MARKER, 'Q'), { freq: 20 }),
        async (query, values, executor, operationName) => {
          const errors = await errorsOf({
            query,
            variables: values,
            executor,
            ...(operationName === null ? {} : { operationName }),
          });
          const allowed = named(query);
          for (const error of errors) {
            if (notOfTheRequest(error)) continue;
            const safe = safeMessage(error, schema);
            count.errors++;
            if (leaked(error.message).some((marker) => !allowed.has(marker))) count.echoing++;
            if (safe === undefined) count.unknown.set(error.message, (count.unknown.get(error.message) ?? 0) + 1);
            expect(leaked(safe ?? '').filter((marker) => !allowed.has(marker))).toEqual([]);
          }
        },
      ),
      { numRuns: RUNS },
    );
    expect([...count.unknown]).toEqual([]);
    // The positive control: the property was tried on texts that do give markers away.
    expect(count.echoing).toBeGreaterThan(RUNS / 20);
    expect(count.errors).toBeGreaterThan(RUNS / 2);
  });

  /** What resolvers and the data behind them get wrong; no client's mistake. */
  function notOfTheRequest(error: GraphQLError): boolean {
    return (
      error.path !== undefined &&
      /^(Cannot return null|Abstract type|Subscription field must|Expected Iterable)/.test(error.message)
    );
  }

  test('whatever the text, only verified names come out', { timeout: 600_000 }, () => {
    const skeletons = [
      'Cannot query field "%" on type "%".%',
      'Unknown type "%".%',
      'Field "%" is not defined by type "%". Did you mean "%", "%", or "%"?',
      'Field "%" of required type "%" was not provided.',
      'Value "%" does not exist in "%" enum. Did you mean the enum value "%" or "%"?',
      'Enum "%" cannot represent non-enum value: %.%',
      'Expected value of type "%", found %',
      'Variable "$%" got invalid value % at "%"; %',
      'Variable "$%" got invalid value %; %',
      'Variable "$%" of type "%" used in position expecting type "%".',
      'Fields "%" conflict because subfields "%" conflict because "%" and "%" are different fields. Use different aliases on the fields to fetch both if this was intentional.',
      'Fields "%" conflict because they return conflicting types "%" and "%". Use different aliases on the fields to fetch both if this was intentional.',
      'Cannot spread fragment "%" within itself via "%", "%".',
      'Directive "@%" may not be used on %.',
      'Syntax Error: Expected %, found %.',
      'Syntax Error: Unexpected % "%".',
      'Syntax Error: Document contains more that % tokens. Parsing aborted.',
      'POST body is expected to be object but received %',
      'Argument "%" has invalid value %.',
      'Argument "%" of required type "%" was provided the variable "$%" which was not provided a runtime value.',
      'Schema is not configured to execute % operation.',
    ];
    const known = fc.constantFrom(
      'Secret',
      'name',
      'own',
      '[Secret!]!',
      'name[0].tags',
      'Name',
      '"}"',
      'FIELD',
      '7',
      '',
      'query',
    );
    const foreign = fc.constantFrom(
      MARKER,
      ENUM_MARKER,
      NUMBER_MARKER,
      `name.${ENUM_MARKER}`,
      `[${ENUM_MARKER}!]`,
      `name" x "${MARKER}`,
      `\n${MARKER}`,
      ` Did you mean "${ENUM_MARKER}"?`,
    );
    const fill = fc.oneof(
      { weight: 3, arbitrary: known },
      { weight: 1, arbitrary: foreign },
      { weight: 1, arbitrary: fc.constantFrom(...skeletons) },
    );
    const text = fc
      .tuple(fc.constantFrom(...skeletons), fc.array(fill, { minLength: 6, maxLength: 6 }))
      .map(([skeleton, fills]) => fills.reduce((filled, one) => filled.replace('%', () => one), skeleton));
    const source = new Source('query ($own: Int) { own }');
    let rebuilt = 0;
    fc.assert(
      fc.property(text, text, (message, reason) => {
        for (const whole of [message, `Variable "$own" got invalid value ${message}; ${reason}`]) {
          const error = new GraphQLError(whole, { source, originalError: new GraphQLError(reason) });
          const safe = safeMessage(error, schema);
          if (safe !== undefined && leaked(whole).length > 0) rebuilt++;
          expect(leaked(safe ?? '')).toEqual([]);
        }
      }),
      { numRuns: RUNS * 5 },
    );
    expect(rebuilt).toBeGreaterThan(RUNS / 20);
  });
});
