import { runInNewContext } from 'node:vm';
import {
  buildSchema,
  type ExecutionResult,
  execute,
  type GraphQLObjectType,
  type GraphQLScalarType,
  type GraphQLSchema,
  parse,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { prepareOperation } from '../../../src/graphql/engine/prepare-operation.ts';

const never = new Promise<never>(() => {});
const failure = (text: string) => Promise.reject(new Error(text));
const afterOthers = () => new Promise((next) => setImmediate(next));

interface Request {
  readonly variables?: Record<string, unknown>;
  readonly root?: object;
}

/** What a plan answers. It must be what graphql-js answers; the root is made anew for each of them. */
async function run(schema: GraphQLSchema, text: string, request: () => Request = () => ({})): Promise<ExecutionResult> {
  const document = parse(text);
  const prepared = prepareOperation(schema, document);
  if (!prepared) throw new Error('it was not planned');
  const [ofPlan, ofEngine] = [request(), request()];
  const planned = await prepared.execute({
    variableValues: ofPlan.variables,
    contextValue: null,
    rootValue: ofPlan.root,
  });
  const executed = await execute({ schema, document, variableValues: ofEngine.variables, rootValue: ofEngine.root });
  expect(JSON.stringify(planned)).toBe(JSON.stringify(executed));
  return planned;
}

const messages = ({ errors }: ExecutionResult) => errors?.map(({ message }) => message) ?? [];

it('stops coercing variables at the first that is wrong, however many are', async () => {
  const schema = buildSchema('scalar Tag type Query { count(tags: [Tag!]): Int }');
  let coerced = 0;
  (schema.getType('Tag') as GraphQLScalarType).parseValue = () => {
    coerced += 1;
    throw new Error('no tag');
  };
  const document = parse('query($tags: [Tag!]) { count(tags: $tags) }');
  const variableValues = { tags: Array.from({ length: 100_000 }, () => 1) };
  const result = await prepareOperation(schema, document)?.execute({ variableValues, contextValue: null });
  expect(result?.errors?.length).toBe(51);
  // The first of the plan, the first of what graphql-js makes of them, and the 51 that it reports.
  expect(coerced).toBe(53);
});

describe('errors', () => {
  const schema = buildSchema(`type Query { item: Item other: String }
    type Item { needed: String! text: String items: [Item!] item: Item }`);

  it('below a position that is null already are not reported', async () => {
    const [first, below] = [() => failure('first'), () => failure('below')];
    const late = () => Promise.resolve().then(afterOthers).then(below);
    // Both have failed before the item is null.
    const atOnce = await run(schema, '{ item { text needed } }', () => ({
      root: { item: { needed: first, text: below } },
    }));
    expect(messages(atOnce)).toEqual(['below', 'first']);
    const later = () => ({ root: { item: { needed: first, text: late }, other: () => late().catch(() => 'x') } });
    expect(messages(await run(schema, '{ item { text needed } other }', later))).toEqual(['first']);
  });

  it('after the answer do not change it', async () => {
    let failLater = () => {};
    const late = new Promise((_, reject) => {
      failLater = () => reject(new Error('late'));
    });
    const root = { item: { needed: () => failure('first'), item: { text: () => late } } };
    const document = parse('{ item { needed item { text } } }');
    const result = await prepareOperation(schema, document)?.execute({ contextValue: null, rootValue: root });
    const before = JSON.stringify(result);
    failLater();
    await afterOthers();
    expect(JSON.stringify(result)).toBe(before);
    expect(messages(result as ExecutionResult)).toEqual(['first']);
  });

  it('of an item fail a list of needed items at once, although another item never settles', async () => {
    const thrown = () => ({ root: { item: { items: [never, new Error('an item')] } } });
    const rejected = () => ({ root: { item: { items: [never, failure('an item')] } } });
    for (const root of [thrown, rejected]) {
      const result = await run(schema, '{ item { items { text } } }', root);
      expect(result.data).toEqual({ item: { items: null } });
      expect(messages(result)).toEqual(['an item']);
    }
  });

  it('of items that nobody waits for are handled', async () => {
    const unhandled: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', (error) => unhandled.push(error));
    try {
      const document = parse('{ item { items { needed } } }');
      const prepared = prepareOperation(schema, document);
      const items = () => [{ needed: () => failure('before') }, new Error('the list'), failure('never read')];
      for (const list of [items(), new Set(items())]) {
        const result = await prepared?.execute({ contextValue: null, rootValue: { item: { items: list } } });
        expect(messages(result as ExecutionResult)).toEqual(['the list']);
      }
      await afterOthers();
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    expect(unhandled).toEqual([]);
  });
});

it('two executions share no argument that a resolver could write to', async () => {
  const schema = buildSchema('input In { list: [Int] } type Query { seen(in: In, list: [Int], text: String): String }');
  const document = parse('{ seen(in: { list: [1] }, list: [1], text: "x") }');
  const prepared = prepareOperation(schema, document);
  const seen = (args: { in: { list: number[] }; list: number[]; text: string }) => {
    const text = JSON.stringify(args);
    args.in.list.push(2);
    args.list.push(2);
    Object.assign(args.in, { a: 1 });
    args.text = 'y';
    return text;
  };
  const results = [1, 2].map(() => prepared?.execute({ contextValue: null, rootValue: { seen } }));
  const expected = { data: { seen: '{"in":{"list":[1]},"list":[1],"text":"x"}' } };
  expect(results).toEqual([expected, expected]);
});

it('reads each property once', async () => {
  const schema = buildSchema('type Query { text: String int: Int! list: [String] query: Query }');
  const read: string[] = [];
  const value = (name: string): unknown => ({ text: 5, int: 1, list: ['a'], query: root })[name];
  const root: object = new Proxy(
    {},
    {
      get(_target, name) {
        read.push(String(name));
        return value(String(name));
      },
    },
  );
  const document = parse('{ text int list query { text } }');
  await prepareOperation(schema, document)?.execute({ contextValue: null, rootValue: root });
  // `then`: whether the object is a promise.
  expect(read.filter((name) => name !== 'then')).toEqual(['text', 'int', 'list', 'query', 'text']);
});

// biome-ignore-start lint/suspicious/noThenProperty: thenables are what is tried here
it.each<[string, () => unknown, unknown]>([
  ['an object', () => ({ then: (fulfil: (value: string) => void) => fulfil('later') }), 'later'],
  [
    'a function',
    () => Object.assign(() => 'called', { then: (fulfil: (value: string) => void) => fulfil('later') }),
    'later',
  ],
])('%s with a then is a promise', async (_what, make, expected) => {
  const schema = buildSchema('type Query { text: String list: [String] }');
  Object.assign(schema.getQueryType()?.getFields().text ?? {}, { resolve: make });
  const result = await run(schema, '{ text list }', () => ({ root: { list: [make(), 'now'] } }));
  expect(result).toEqual({ data: { text: expected, list: [expected, 'now'] } });
});
// biome-ignore-end lint/suspicious/noThenProperty: thenables are what is tried here

it.each<[string, () => unknown, unknown]>([
  ['a set', () => new Set(['a', 'b']), ['a', 'b']],
  [
    'the keys of a map',
    () =>
      new Map([
        ['a', 1],
        ['b', 2],
      ]).keys(),
    ['a', 'b'],
  ],
  [
    'a generator',
    function* () {
      yield 'a';
      yield Promise.resolve('b');
    },
    ['a', 'b'],
  ],
  // biome-ignore lint/suspicious/noSparseArray: what is tried here
  ['an array with holes', () => ['a', , 'b'], ['a', null, 'b']],
  [
    'an array with an iterator of its own',
    () => Object.assign(['x'], { [Symbol.iterator]: () => ['a'].values() }),
    ['a'],
  ],
  ['an array of another realm', () => runInNewContext('["a", "b"]'), ['a', 'b']],
  ['a text', () => 'ab', null],
  ['an object with a length', () => ({ length: 1, 0: 'a' }), null],
])('%s is a list, if it can be iterated', async (_what, list, expected) => {
  const schema = buildSchema('type Query { list: [String] }');
  const result = await run(schema, '{ list }', () => ({ root: { list } }));
  expect(result.data).toEqual({ list: expected });
});

it.each<[string, unknown, unknown]>([
  ['true', true, { text: 'a' }],
  ['false', false, null],
  ['a promise of true', Promise.resolve(true), { text: 'a' }],
  ['a promise of false', Promise.resolve(false), null],
])('an object whose isTypeOf is %s', async (_what, answer, expected) => {
  const schema = buildSchema('type Query { item: Item } type Item { text: String }');
  (schema.getType('Item') as GraphQLObjectType).isTypeOf = () => answer as boolean;
  const result = await run(schema, '{ item { text } }', () => ({ root: { item: { text: 'a' } } }));
  expect(result.data).toEqual({ item: expected });
});

it.each([
  ['a variable in a directive', 'query($a: Boolean!) { text @skip(if: $a) }'],
  [
    'a variable in a directive of a fragment',
    'query($a: Boolean!) { ...F } fragment F on Query { text @include(if: $a) }',
  ],
  ['introspection', '{ __schema { types { name } } }'],
  ['introspection in a fragment', '{ ...F } fragment F on Query { __type(name: "Query") { name } }'],
  ['a subscription', 'subscription { text }'],
  ['a name that objects do not take', '{ __proto__: text }'],
  ['the name of what makes a promise', '{ then: text }'],
  ['no operation of that name', 'query A { text } query B { text }'],
])('%s is not planned', (_what, text) => {
  const schema = buildSchema('type Query { text: String } type Subscription { text: String }');
  expect(prepareOperation(schema, parse(text))).toBeNull();
});

it('has no more fields than it may have, however often fragments double each other', () => {
  const schema = buildSchema('type Query { query: Query text: String }');
  const levels = Array.from({ length: 40 }, (_, level) => {
    const next = level === 39 ? '' : ` ...F${level + 1}`;
    return `fragment F${level} on Query { a: query { text${next} } b: query { text${next} } }`;
  });
  const document = parse(`{ ...F0 } ${levels.join(' ')}`);
  expect(prepareOperation(schema, document, null, 1000)).toBeNull();
  expect(prepareOperation(schema, parse('{ query { text } }'), null, 2)?.size).toBe(2);
});
