import fc from 'fast-check';
import { buildSchema, getVariableValues, type OperationDefinitionNode, parse } from 'graphql';
import { expect, it } from 'vitest';
import { planVariables } from '../../../src/graphql/engine/plan-variables.ts';

const schema = buildSchema(`
  enum Color { RED GREEN }
  input Tree { int: Int, need: ID!, text: String! = "t", list: [Color!], tree: Tree, trees: [[Tree]!] }
  input One @oneOf { a: Int, b: String }
  type Query { field(tree: Tree, one: One): Int }
`);
const types = ['Int', 'Int!', '[Int!]', '[[String]]!', 'Color', 'Boolean', 'Tree', 'Tree!', '[Tree!]!', 'One'];

const names = fc.constantFrom('int', 'need', 'text', 'list', 'tree', 'trees', 'a', 'b', 'constructor', '__proto__');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, undefined, 0, 1.5, '', 'RED', true, new Set([1]), Object.create({ need: 'inherited' })),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
    fc.record({ need: fc.constantFrom('id', 4), int: fc.constantFrom(1, null, undefined), tree: tie('value') }),
  ),
}));

it('coerces exactly as graphql-js does, or leaves it to graphql-js', () => {
  let planned = 0;
  const run = (type: string, withDefault: boolean, variables: Record<string, unknown>) => {
    const [operation] = parse(`query($v: ${type}${withDefault ? ' = null' : ''}) { __typename }`).definitions;
    const definition = operation as OperationDefinitionNode;
    const coerced = planVariables(schema, definition)(variables);
    if (!coerced) return;
    planned += 1;
    expect(plain(coerced)).toEqual(
      plain(getVariableValues(schema, definition.variableDefinitions ?? [], variables).coerced),
    );
  };
  const variables = fc.oneof(
    value.map((v) => ({ v })),
    fc.constant({}),
    fc.constant({ other: 1 }),
  );
  fc.assert(fc.property(fc.constantFrom(...types), fc.boolean(), variables, run), { numRuns: 20_000 });
  expect(planned).toBeGreaterThan(2000);
});

/** Objects of graphql-js have no prototype. */
function plain(value: unknown): unknown {
  return value === undefined ? 'undefined' : JSON.parse(JSON.stringify(value));
}
