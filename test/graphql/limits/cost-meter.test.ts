import fc from 'fast-check';
import { type DocumentNode, getOperationAST, Kind, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../src/errors.ts';
import type { ListSizes } from '../../../src/graphql/limits/list-sizes.ts';
import { checkOperation, type OperationCost } from '../../../src/graphql/limits/operation-cost.ts';
import { schema } from '../../../src/graphql/schema/schema.ts';

function costOf(document: string | DocumentNode, sizes: Partial<ListSizes> = {}): OperationCost {
  const parsed = typeof document === 'string' ? parse(document) : document;
  const operation = getOperationAST(parsed) as OperationDefinitionNode;
  return checkOperation(parsed, operation, { schema, variables: {}, teams: 0, ...sizes });
}

/** The cost, or the type of the refusal. */
function outcomeOf(document: string | DocumentNode): OperationCost | string {
  try {
    return costOf(document);
  } catch (error) {
    if (error instanceof DomainError) return error.type;
    throw error;
  }
}

describe('an operation costs', () => {
  it.each<[string, string, Partial<OperationCost>]>([
    ['a level for each nested field', '{ viewer { teams { team { id } } } }', { depth: 4, rootFields: 1 }],
    ['its deepest branch', '{ a: viewer { subject } viewer { teams { role } } b: __typename }', { depth: 3 }],
    ['no level for a fragment', '{ ... { viewer { ... on Viewer { subject } } } }', { depth: 2 }],
    ['its root fields, through fragments too', '{ a ...F ... { b } } fragment F on Query { c d }', { rootFields: 4 }],
    ['its aliases on every level', '{ a: viewer { b: subject c: __typename } }', { aliases: 3 }],
    [
      'its directives in every position',
      'query @a { viewer @b { ... @c { subject @d @e } ...F @f } } fragment F on Viewer { kind @g }',
      { directives: 7 },
    ],
    [
      'its introspections',
      '{ __schema { types { name } } a { __type(name: "x") { name } } ...F } fragment F on Query { _service { sdl } }',
      { introspections: 3 },
    ],
    [
      'a repetition for each field that repeats one beside it',
      '{ viewer { subject subject kind subject } viewer { kind } }',
      { repetitions: 3 },
    ],
    ['a repetition for each field that repeats an alias', '{ a: x a: x a: y }', { repetitions: 2 }],
    [
      'a repetition for each field repeated in an inline fragment',
      '{ viewer { kind ... { kind } ... on Viewer { kind } } }',
      { repetitions: 2 },
    ],
    ['no repetition for the same field elsewhere', '{ a { id } b { id } }', { repetitions: 0 }],
    ['an object for each field that has fields', '{ viewer { teams { team { id } } } }', { objects: 1, lists: 0 }],
    ['a list for each list of secrets', '{ secrets { totalCount } a: secrets { totalCount } }', { lists: 2 }],
  ])('%s', (_what, document, cost) => {
    expect(costOf(document)).toMatchObject(cost);
  });

  it('for an event at most a few lists without pages: a subscription is charged once, whatever its events cost', () => {
    const event = (selected: string) => `subscription { secretChanged { secret { ${selected} } } }`;
    const versions = (count: number) => Array.from({ length: count }, (_, index) => `v${index}: versions { version }`);
    expect(costOf(event(versions(5).join(' ')))).toMatchObject({ lists: 5 });
    expect(outcomeOf(event(versions(6).join(' ')))).toBe('lists_limit_error');
    const nested = 'owner { ... on Team { ...F } }';
    const document = `${event(nested)} fragment F on Team { secrets(first: 1) { nodes { id } } }`;
    expect(outcomeOf(document)).toBe('lists_limit_error');
  });

  it('what its fragments cost, each time that they are spread', () => {
    const fragment = 'fragment F on Viewer { a: subject b: kind @x }';
    expect(costOf(`{ viewer { ...F } v: viewer { ...F c: kind } } ${fragment}`)).toMatchObject({
      aliases: 6,
      directives: 2,
      objects: 2,
    });
  });

  it('nothing for fragments that are not spread', () => {
    expect(costOf('{ a } fragment F on Query { a: secrets { nodes { id } } }')).toEqual(costOf('{ a }'));
  });

  it('only what the operation that runs costs, in a document of several', () => {
    const document = parse('query A { secrets { nodes { id } } } query B { a }');
    const operation = getOperationAST(document, 'B') as OperationDefinitionNode;
    expect(checkOperation(document, operation, { schema, variables: {}, teams: 0 })).toMatchObject({
      lists: 0,
      objects: 0,
    });
  });
});

describe('a list of secrets may return', () => {
  const list = (args: string) => `{ secrets${args} { nodes { id } } }`;
  /** The connection itself, and each node. */
  const nodes = (cost: OperationCost) => cost.objects - 1;

  it.each<[string, number]>([
    ['', 100],
    ['(first: 7)', 7],
    ['(last: 7)', 7],
    ['(first: 0)', 0],
    ['(first: 1000)', 1000],
    ['(first: 1001)', 1000],
    ['(first: -1)', 0],
    ['(first: null, last: 7)', 7],
    ['(after: "x", filter: { tags: ["first"] })', 100],
    ['(first: "7")', 100],
    ['(first: 7.5)', 100],
  ])('with %s: %i', (args, count) => {
    expect(nodes(costOf(list(args)))).toBe(count);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['$n: Int', { n: 7 }, 7],
    ['$n: Int', {}, 100],
    ['$n: Int', { n: null }, 100],
    ['$n: Int = 7', {}, 7],
    ['$n: Int = 7', { n: 9 }, 9],
    ['$n: Int = 7', { n: null }, 100],
    ['$n: Int = 7', { other: 9 }, 7],
    ['$n: Int', { n: 5000 }, 1000],
    ['$n: Int', { n: -5 }, 0],
    ['$n: Int', { n: '7' }, 100],
    ['$n: Int', { n: [7] }, 100],
    ['$n: Int = null', {}, 100],
  ])('as a variable (%s) with %j: %i', (definition, variables, count) => {
    expect(nodes(costOf(`query (${definition}) ${list('(first: $n)')}`, { variables }))).toBe(count);
  });

  it('as many edges as nodes, and both when both are selected', () => {
    expect(costOf('{ secrets(first: 7) { edges { cursor } } }').objects).toBe(1 + 7);
    expect(costOf('{ secrets(first: 7) { edges { node { id } } nodes { id } } }').objects).toBe(1 + 7 * 2 + 7);
  });

  it('the lists of the owner for each of its nodes', () => {
    const inner = 'owner { ... on Team { secrets(first: 3) { nodes { id } } } }';
    const { objects, lists } = costOf(`{ secrets(first: 5) { nodes { ${inner} } } }`);
    expect([objects, lists]).toEqual([1 + 5 * (1 + 1 + 1 + 3), 1 + 5]);
  });

  it('the size of the list also in a fragment, which is measured again for each size', () => {
    const document =
      '{ a: secrets(first: 5) { ...Page } b: secrets(first: 9) { ...Page } } fragment Page on C { nodes { id } }';
    expect(costOf(document).objects).toBe(2 + 5 + 9);
  });
});

describe('a list below data of the caller', () => {
  it('is counted once for each of its teams', () => {
    const document = '{ viewer { teams { team { secrets(first: 2) { nodes { id } } } } } }';
    for (const teams of [0, 1, 50]) {
      expect(costOf(document, { teams })).toMatchObject({ lists: teams, objects: 1 + teams * (1 + 1 + 1 + 2) });
    }
  });

  it('is counted once for each representation, in a variable or in the document', () => {
    const variables = { r: Array(30).fill({ __typename: 'Team', id: 'red' }) };
    const select = '{ ... on Team { secrets(first: 0) { totalCount } } }';
    expect(costOf(`query ($r: [_Any!]!) { _entities(representations: $r) ${select} }`, { variables }).lists).toBe(30);
    expect(costOf(`{ _entities(representations: [{}, {}, {}]) ${select} }`).lists).toBe(3);
  });

  it('is counted for the most expensive type of entity only, since an object has one type', () => {
    const on = (type: string, first: number) => `... on ${type} { secrets(first: ${first}) { nodes { id } } }`;
    const of = (...types: string[]) =>
      costOf(`{ _entities(representations: []) { __typename } o { ${types.join(' ')} } }`);
    expect(of(on('User', 3), on('Team', 9), on('Connector', 5)).objects).toBe(1 + 1 + 9);
    expect(of(on('Team', 3), on('Team', 9)).objects).toBe(1 + 1 + 3 + 1 + 9);
  });
});

describe('fragments', () => {
  type Selection = { head: string; inner?: Selection[] };
  const { selections } = fc.letrec<{ selections: Selection[]; selection: Selection }>((tie) => ({
    selections: fc.array(tie('selection'), { minLength: 1, maxLength: 3 }),
    selection: fc.oneof(
      { depthSize: 'small' },
      fc.record({ head: fc.constantFrom('id', 'a: id', '__typename @x') }),
      fc.record({
        head: fc.constantFrom('secrets(first: 3)', 'nodes', 'owner', 'v: viewer', '... on X', '... on Team'),
        inner: tie('selections'),
      }),
    ),
  }));

  const inPlace = (among: Selection[]): string =>
    among.map(({ head, inner }) => (inner ? `${head} { ${inPlace(inner)} }` : head)).join(' ');

  /** The same selections, with each inline fragment as a named fragment. */
  function withNames(among: Selection[], definitions: string[]): string {
    const texts = among.map(({ head, inner }) => {
      if (!inner) return head;
      const body = withNames(inner, definitions);
      if (!head.startsWith('...')) return `${head} { ${body} }`;
      const name = `F${definitions.length}`;
      definitions.push(`fragment ${name} ${head.replace('... ', '')} { ${body} }`);
      return `...${name}`;
    });
    return texts.join(' ');
  }

  it('with names cost the same as inline fragments, except for repetitions across fragments', () => {
    fc.assert(
      fc.property(selections, (among) => {
        const definitions: string[] = [];
        const text = withNames(among, definitions);
        const costs = [`{ ${inPlace(among)} }`, `{ ${text} } ${definitions.join(' ')}`].map((document) => {
          const outcome = outcomeOf(document);
          return typeof outcome === 'string' ? outcome : { ...outcome, repetitions: 0 };
        });
        expect(costs[1]).toEqual(costs[0]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['itself', '{ ...A } fragment A on Query { ...A }'],
    ['another that spreads it', '{ ...A } fragment A on Query { ...B } fragment B on Query { a ...A }'],
    ['itself below fields', '{ ...A } fragment A on Query { a { b { ...A } } }'],
    ['itself in an inline fragment', '{ ...A } fragment A on Query { ... on Query { ...A } }'],
    ['itself though no operation spreads it', '{ a } fragment A on Query { ...A }'],
    ['itself in lists of one size', '{ a } fragment A on Query { secrets { nodes { ...A } } }'],
    ['itself in lists of two sizes', '{ a } fragment A on Query { secrets(first: 2) { ...A } }'],
  ])('are refused when one spreads %s', (_what, document) => {
    expect(outcomeOf(document)).toBe('fragment_cycle_error');
  });

  it('that do not exist cost nothing: validation reports them', () => {
    expect(costOf('{ a ...Missing }')).toEqual(costOf('{ a }'));
  });

  it.each([
    ['a: b', 'aliases_limit_error'],
    ['o { id }', 'objects_limit_error'],
    ['__typename', { ...costOf('{ q { __typename } }') }],
  ])('that spread the next one twice, 100 levels deep, are each measured once: { %s }', (leaf, outcome) => {
    const levels = 100;
    const doubling = Array.from({ length: levels }, (_, n) => `fragment F${n} on Q { ...F${n + 1} ...F${n + 1} }`);
    const document = parse(`{ q { ...F0 } } ${doubling.join(' ')} fragment F${levels} on Q { ${leaf} }`);
    let measured = 0;
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
      const { selections } = definition.selectionSet;
      Object.defineProperty(definition.selectionSet, 'selections', {
        get() {
          measured += 1;
          // Otherwise an exponential measurement would never end.
          if (measured > 10 * levels) throw new Error('a fragment is measured again and again');
          return selections;
        },
      });
    }
    expect(outcomeOf(document)).toEqual(outcome);
    expect(measured).toBe(levels + 1);
  });
});
