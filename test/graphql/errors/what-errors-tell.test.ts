import { NoSchemaIntrospectionCustomRule, specifiedRules } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bad,
  ENUM_MARKER,
  errorsOf,
  leaked,
  MARKER,
  NO_ANSWER,
  NUMBER_MARKER,
  type Request,
  rawErrorsOf,
  startEndpoint,
  stopEndpoint,
} from './endpoint.ts';

beforeAll(startEndpoint);
afterAll(stopEndpoint);

/** @param echoes whether graphql-js itself would have repeated the marker */
async function expectErrors(request: Request, expected: readonly string[], echoes: boolean, code = 'BAD_REQUEST') {
  const errors = await errorsOf(request);
  expect(errors.map(({ message }) => message)).toEqual(expected);
  for (const { extensions } of errors) expect(extensions.code).toBe(code);
  if (echoes) expect(leaked((await rawErrorsOf(request)).join('\n'))).not.toEqual([]);
}

describe('syntax errors name the kinds of tokens, and repeat no token', () => {
  const cases: [query: string, expected: string, echoes?: boolean][] = [
    [`{ secret(id: "x" "${MARKER}") }`, 'Expected Name, found String', true],
    [`{ secret("""${MARKER}\n": "x""") }`, 'Expected Name, found BlockString', true],
    [`{ secret(${NUMBER_MARKER}) }`, 'Expected Name, found Int', true],
    [`{ secret(${NUMBER_MARKER}.5) }`, 'Expected Name, found Float', true],
    [`{ secret(id ${ENUM_MARKER}) }`, 'Expected ":", found Name', true],
    ['{ secret(id: "x" { id } }', 'Expected Name, found "{"'],
    ['{ secret', 'Expected Name, found <EOF>'],
    ['{ ...', 'Expected "{", found <EOF>'],
    [`fragment F ${ENUM_MARKER} Secret { id }`, 'Expected "on", found Name', true],
    [`${ENUM_MARKER} { secret }`, 'Unexpected Name', true],
    [`"${MARKER}" 5`, 'Unexpected Int'],
    [`{ secret(id: }`, 'Unexpected "}"'],
    [`"${MARKER}" { secret }`, 'Unexpected description'],
    [`query ($a: ID = $${ENUM_MARKER}) { secret }`, 'Unexpected variable', true],
    [`enum Status { true }`, 'this is not GraphQL'],
    [`{ secret(id: '${MARKER}') }`, `Unexpected single quote character ('), did you mean to use a double quote (")?`],
    ['{ secret(id: ~) }', 'Unexpected character'],
    ['{ secret(id: 0042) }', 'Invalid number'],
    ['{ secret(id: "a\ud800") }', 'Invalid character within String'],
    [`{ secret(id: "\\uCANA") }`, 'Invalid Unicode escape sequence'],
    ['{ secret(id: "\\x") }', 'Invalid character escape sequence'],
    [`{ secret(id: "${MARKER}) }`, 'Unterminated string'],
  ];
  test.each(cases)('%s', async (query, expected, echoes = false) => {
    await expectErrors({ query }, [`Syntax Error: ${expected}.`], echoes);
  });

  test('with the position', async () => {
    const [error] = await errorsOf({ query: '{\n  secret(id "x")\n}' });
    expect(error?.locations).toEqual([{ line: 2, column: 13 }]);
  });
});

describe('errors about a document are as helpful as those of graphql-js', () => {
  test.each([
    '{ secret(id: 1) { nmae } }',
    '{ secret(id: 1) { frobnicate } }',
    '{ node(id: 1) { ... on Secre { id } } }',
    '{ node(id: 1) { name } }',
    '{ secret(id: 1) { owner { id } } }',
    `{ secret(id: 1, nmae: "${MARKER}") { id } }`,
    `{ secrets(frist: ${NUMBER_MARKER}) { totalCount } }`,
    `{ __typename @tagged(label: "${MARKER}", lable: "${MARKER}") }`,
    '{ secret { id } }',
    '{ __typename @tagged }',
    '{ __typename @nope }',
    'query @skip(if: true) { __typename }',
    `mutation { createSecret(input: { value: "${MARKER}" }) { id } }`,
    `mutation { createSecret(input: { name: "a", valu: "${MARKER}" }) { id } }`,
    `mutation { createSecret(input: { name: "a", name: "${MARKER}" }) { id } }`,
    'query Q($a: Int) { secret(id: $a) { id } }',
    'query ($s: [Secret!]!) { secret(id: $s) { id } }',
    'query Q { secret(id: $nope) { id } }',
    'query Q($extra: ID) { __typename }',
    '{ ...Nope } fragment F on Status { id }',
    '{ ...F ...F } fragment F on Query { __typename } fragment F on Query { __typename }',
    `{ a: secret(id: 1) { id } a: secret(id: "${MARKER}") { id } }`,
    '{ a: secret(id: 1) { x: id y: id } a: secret(id: 1) { x: name y: tags } }',
    '{ secret(id: 1) { owner { ... on User { x: id } ... on Team { x: secrets { id } } } } }',
    `{ __schema { types { ${'fields { type { '.repeat(4)} name ${'} } '.repeat(4)} } } }`,
    'subscription S { secretChanged { id } secretDeleted { id } }',
    'directive @own(mine: String!) on FIELD { __typename @own(mien: 1) }',
  ])('%s', async (query) => {
    const raw = await rawErrorsOf({ query });
    expect(raw).not.toEqual([]);
    const told = await errorsOf({ query });
    expect(told.map(({ message, locations }) => ({ message, locations }))).toEqual(
      raw.map(({ message, locations }) => ({ message, locations })),
    );
  });

  test('but have at most 1,000 characters', async () => {
    const alias = 'x'.repeat(255);
    const selection = (field: string) => [1, 2, 3, 4, 5].map((at) => `${alias.slice(at)}: ${field}`).join(' ');
    const [error] = await errorsOf({
      query: `{ a: secret(id: 1) { ${selection('id')} } a: secret(id: 1) { ${selection('name')} } }`,
    });
    expect(error?.message).toMatch(/^Fields "a" conflict because subfields "x/);
    expect(error?.message).toHaveLength(1000);
  });

  test('the error texts of every validation rule were reviewed: they print no literal, or are replaced', () => {
    expect([...specifiedRules, NoSchemaIntrospectionCustomRule].map(({ name }) => name.replace('Rule', ''))).toEqual([
      ...['ExecutableDefinitions', 'UniqueOperationNames', 'LoneAnonymousOperation', 'SingleFieldSubscriptions'],
      ...['KnownTypeNames', 'FragmentsOnCompositeTypes', 'VariablesAreInputTypes', 'ScalarLeafs'],
      ...['FieldsOnCorrectType', 'UniqueFragmentNames', 'KnownFragmentNames', 'NoUnusedFragments'],
      ...['PossibleFragmentSpreads', 'NoFragmentCycles', 'UniqueVariableNames', 'NoUndefinedVariables'],
      ...['NoUnusedVariables', 'KnownDirectives', 'UniqueDirectivesPerLocation', 'KnownArgumentNames'],
      ...['UniqueArgumentNames', 'ValuesOfCorrectType', 'ProvidedRequiredArguments', 'VariablesInAllowedPosition'],
      ...['OverlappingFieldsCanBeMerged', 'UniqueInputFieldNames', 'MaxIntrospectionDepth'],
      'NoSchemaIntrospectionCustom',
    ]);
  });
});

const INT = 'Expected type "Int": a whole number of at most 32 bits.';
const STRING = 'Expected type "String": a string.';
const STATUS = 'Expected type "Status": one of "ACTIVE", "DISABLED", "REVOKED".';

describe('literals of the wrong kind are not repeated', () => {
  const input = (fields: string) => `mutation { createSecret(input: { name: "a", ${fields} }) { id } }`;
  const cases: [query: string, expected: string, echoes?: boolean][] = [
    [input(`ttlSeconds: "${MARKER}"`), INT],
    [input(`ttlSeconds: ${NUMBER_MARKER}`), INT],
    [input(`weight: "${MARKER}"`), 'Expected type "Float": a number.'],
    [input(`value: ${ENUM_MARKER}`), STRING],
    [input(`value: ${NUMBER_MARKER}`), STRING],
    [input(`value: { secret: "${MARKER}" }`), STRING],
    [input(`tags: ["a", { ${ENUM_MARKER}: 1 }]`), STRING],
    [input(`pinned: "${MARKER}"`), 'Expected type "Boolean": true or false.'],
    [input(`id: ${ENUM_MARKER}`), 'Expected type "ID": a string or a whole number.'],
    [input(`status: "${MARKER}"`), STATUS],
    [input(`status: ${ENUM_MARKER}`), STATUS],
    [input(`owner: "${MARKER}"`), 'Expected type "OwnerInput" to be an object.'],
    [input(`owner: ["${MARKER}"]`), 'Expected type "OwnerInput" to be an object.'],
    [input(`expiresAt: "${MARKER}"`), 'Expected type "DateTime": a moment, such as "2026-04-15T12:00:00Z".'],
    [
      `{ secrets(before: { a: { b: "${MARKER}" } }) { totalCount } }`,
      'Expected type "DateTime": a moment, such as "2026-04-15T12:00:00Z".',
    ],
    ['{ secret(id: null) { id } }', 'Expected type "ID!", found null.', false],
    [`query ($v: Int = "${MARKER}") { secrets(first: $v) { totalCount } }`, INT],
    [`subscription { secretChanged @skip(if: "${MARKER}") { id } }`, 'An argument has an invalid value.'],
  ];
  test.each(cases)('%s', async (query, expected, echoes = true) => {
    await expectErrors({ query }, [expected], echoes);
  });
});

describe('values of variables are not repeated, and errors have the path of the wrong value', () => {
  const query = 'mutation Make($input: CreateSecretInput!) { createSecret(input: $input) { id } }';
  const unknown = (type: string, names: string) =>
    `It has a field that type "${type}" does not define. Its fields are "${names.split(' ').join('", "')}".`;
  const NOT_OF_INPUT = unknown(
    'CreateSecretInput',
    'id owner name value tags status ttlSeconds weight pinned expiresAt',
  );
  const NOT_OF_OWNER = unknown('OwnerInput', 'teamId connectorId');
  const cases: [input: unknown, expected: [path: string, problem: string][], silent?: boolean][] = [
    [MARKER, [['', 'Expected type "CreateSecretInput" to be an object.']]],
    [[MARKER], [['', 'Expected type "CreateSecretInput" to be an object.']]],
    [null, [['', 'Expected type "CreateSecretInput!", found null.']], true],
    [{ value: MARKER }, [['', 'Field "name" of required type "String!" was not provided.']]],
    [{ name: null, value: MARKER }, [['.name', 'Expected type "String!", found null.']], true],
    [{ name: 'a', value: bad }, [['.value', STRING]]],
    [{ name: 'a', value: Number(NUMBER_MARKER) }, [['.value', STRING]]],
    [{ name: 'a', tags: ['a', [MARKER]] }, [['.tags[1]', STRING]]],
    [{ name: 'a', tags: bad }, [['.tags', STRING]]],
    [{ name: 'a', id: bad }, [['.id', 'Expected type "ID": a string or a whole number.']]],
    [{ name: 'a', ttlSeconds: MARKER }, [['.ttlSeconds', INT]]],
    [{ name: 'a', ttlSeconds: Number(NUMBER_MARKER) }, [['.ttlSeconds', INT]]],
    [{ name: 'a', weight: MARKER }, [['.weight', 'Expected type "Float": a number.']]],
    [{ name: 'a', pinned: MARKER }, [['.pinned', 'Expected type "Boolean": true or false.']]],
    [
      { name: 'a', expiresAt: MARKER },
      [['.expiresAt', 'Expected type "DateTime": a moment, such as "2026-04-15T12:00:00Z".']],
    ],
    [
      { name: 'a', expiresAt: NO_ANSWER, value: MARKER },
      [['.expiresAt', 'Expected type "DateTime": a moment, such as "2026-04-15T12:00:00Z".']],
      true,
    ],
    [{ name: 'a', owner: MARKER }, [['.owner', 'Expected type "OwnerInput" to be an object.']]],
    [{ name: 'a', status: ENUM_MARKER }, [['.status', STATUS]]],
    [{ name: 'a', status: bad }, [['.status', STATUS]]],
    [{ nmae: MARKER, name: 'a' }, [['', NOT_OF_INPUT]]],
    [{ name: 'a', [MARKER]: 1 }, [['', NOT_OF_INPUT]]],
    [{ name: 'a', owner: { [`${MARKER}" is not defined by type "Secret`]: 1 } }, [['.owner', NOT_OF_OWNER]]],
    [JSON.parse(`{ "name": "a", "__proto__": "${MARKER}" }`), [['', NOT_OF_INPUT]]],
    [
      { name: 1, tags: [MARKER, 2] },
      [
        ['.name', STRING],
        ['.tags[1]', STRING],
      ],
      true,
    ],
  ];
  test.each(cases)('%j', async (input, expected, silent = false) => {
    const texts = expected.map(
      ([path, problem]) => `Variable "$input" got an invalid value at "input${path}"; ${problem}`,
    );
    await expectErrors({ query, variables: { input } }, texts, !silent);
  });

  test('a missing variable', async () => {
    const missing = 'Variable "$input" of required type "CreateSecretInput!" was not provided.';
    await expectErrors({ query, variables: { [MARKER]: MARKER } }, [missing], false);
  });

  test('a variable whose value is invalid for its argument', async () => {
    const owners = 'query ($owner: OwnerInput) { secrets(owner: $owner) { totalCount } }';
    await expectErrors({ query: owners, variables: { owner: null } }, ['An argument has an invalid value.'], false);
    const nested = `mutation ($owner: OwnerInput) { createSecret(input: { name: "${MARKER}", owner: $owner }) { id } }`;
    await expectErrors({ query: nested, variables: { owner: null } }, ['An argument has an invalid value.'], true);
    const [error] = await errorsOf({ query: owners, variables: { owner: null } });
    expect(error).toMatchObject({ path: ['secrets'], locations: [{ line: 1, column: 45 }] });
  });
});

test('the name of an unknown operation is not repeated', async () => {
  const query = 'query A { __typename } query B { __typename }';
  const expected = ['Could not determine what operation to execute.'];
  await expectErrors({ query, operationName: MARKER }, expected, true);
});

test('the error of a scalar for an invalid value of a resolver is not answered', async () => {
  for (const field of ['id', 'name', 'version', 'status', 'tags']) {
    const query = `{ broken { ${field} } }`;
    await expectErrors({ query }, ['An unexpected error occurred.'], field !== 'tags', 'INTERNAL_SERVER_ERROR');
  }
});

describe('the number of errors is bounded', () => {
  test('for 300 bad literals, and for as many unknown fields', async () => {
    const literals = `["x"${` ${NUMBER_MARKER}`.repeat(300)}]`;
    const fields = Array.from({ length: 300 }, (_, at) => `x${at}: 1`);
    for (const query of [
      `mutation { createSecret(input: { name: "a", tags: ${literals} }) { id } }`,
      `mutation { createSecret(input: { name: "a", ${fields.join(' ')} }) { id } }`,
    ]) {
      const errors = await errorsOf({ query });
      expect(errors).toHaveLength(11);
      expect(errors.at(-1)?.message).toMatch(/^Too many validation errors/);
    }
  });

  test('for 4,000 bad values in variables', async () => {
    const query = 'mutation ($inputs: [CreateSecretInput!]!) { createSecrets(inputs: $inputs) { id } }';
    const errors = await errorsOf({ query, variables: { inputs: Array(4000).fill(MARKER) } });
    expect(errors).toHaveLength(11);
    expect(errors[9]?.message).toMatch(/at "inputs\[9\]"/);
    expect(errors[10]?.message).toBe('Too many errors in the variables.');
  });
});
