import {
  GraphQLBoolean,
  GraphQLEnumType,
  type GraphQLFieldConfigMap,
  GraphQLFloat,
  GraphQLID,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql';
import { answerAt, chance, hash, pick, type World } from './faults.ts';

// A schema whose values are as bad as resolvers can make them. What happens at a place follows from a seed and the place alone,
// so that two engines meet the same.

const color = new GraphQLEnumType({
  name: 'Color',
  values: { RED: { value: 1 }, GREEN: { value: { deep: true } }, BLUE: {} },
});

/** A scalar that serializes and parses as its values say. */
const odd = new GraphQLScalarType({
  name: 'Odd',
  serialize(value) {
    if (value === 'throws') throw new Error('serialize failed');
    if (value === 'null') return null;
    if (value === 'nothing') return undefined;
    if (value === 'promise') return Promise.resolve('later');
    if (value === 'rejects') return Promise.reject(new Error('serialized later, and failed'));
    return value;
  },
  parseValue(value) {
    if (value === 'throws') throw new Error('parseValue failed');
    return value === 'nothing' ? undefined : value;
  },
});

const input: GraphQLInputObjectType = new GraphQLInputObjectType({
  name: 'Input',
  fields: () => ({
    a: { type: GraphQLInt, defaultValue: 7 },
    b: { type: new GraphQLNonNull(GraphQLString), defaultValue: 'b' },
    list: { type: new GraphQLList(new GraphQLNonNull(GraphQLInt)) },
    color: { type: color },
    odd: { type: odd },
    inner: { type: input },
  }),
});

const args = {
  int: { type: GraphQLInt, defaultValue: 3 },
  text: { type: GraphQLString },
  needed: { type: new GraphQLNonNull(GraphQLInt), defaultValue: 5 },
  input: { type: input, defaultValue: { a: 1 } },
  list: { type: new GraphQLList(GraphQLInt) },
  color: { type: color },
  odd: { type: odd },
};

/** Its resolver tells its arguments and its description, and writes to both. */
function told(source: unknown, given: Record<string, unknown>, world: World, info: GraphQLResolveInfo): unknown {
  const { path, returnType, parentType, fieldNodes, rootValue, operation, variableValues } = info;
  const keys = [];
  for (let at: typeof path | undefined = path; at; at = at.prev) keys.push(`${at.typename}.${at.key}`);
  world.trace.push(
    JSON.stringify([given, Object.keys(info), keys, String(returnType), parentType.name, fieldNodes.length]),
    JSON.stringify([typeof source, rootValue, operation.operation, variableValues, Object.keys(info.fragments)]),
  );
  for (const value of [given, given.input, given.list]) {
    // The default of an argument belongs to the schema.
    if (typeof value === 'object' && value !== null && value !== args.input.defaultValue)
      Object.assign(value, { x: 1 });
  }
  Object.assign(info, { cacheControl: {} });
  return valueAt(world, `${place(source)}/${keys[0]}`, returnType);
}

const isTypeOf = (name: string) => (value: unknown, world: World) => {
  world.trace.push(`is ${place(value)} a ${name}?`);
  return answerAt(world, `${place(value)}?${name}`, () => true) as boolean;
};

const list = <T extends GraphQLOutputType>(type: T) => new GraphQLList(type);
const needed = <T extends GraphQLOutputType>(type: T) => new GraphQLNonNull(type as never) as GraphQLOutputType;

const fields = (): GraphQLFieldConfigMap<unknown, World> => ({
  text: { type: GraphQLString },
  int: { type: needed(GraphQLInt) },
  float: { type: GraphQLFloat },
  yes: { type: GraphQLBoolean },
  id: { type: needed(GraphQLID) },
  color: { type: color },
  odd: { type: odd },
  oddNeeded: { type: needed(odd) },
  texts: { type: list(GraphQLString) },
  ints: { type: needed(list(needed(GraphQLInt))) },
  matrix: { type: list(needed(list(GraphQLInt))) },
  node: { type: node },
  nodeNeeded: { type: needed(node) },
  nodes: { type: list(node) },
  nodesNeeded: { type: list(needed(node)) },
  checked: { type: checked },
  animal: { type: animal },
  animals: { type: needed(list(needed(animal))) },
  named: { type: named },
  told: { type: GraphQLString, args, resolve: told },
  toldNeeded: { type: needed(list(node)), args, resolve: told },
  called: { type: GraphQLInt, args },
});

const named = new GraphQLInterfaceType({ name: 'Named', fields: { text: { type: GraphQLString } } });
const node: GraphQLObjectType = new GraphQLObjectType({ name: 'Node', interfaces: [named], fields });
const checked: GraphQLObjectType = new GraphQLObjectType({ name: 'Checked', fields, isTypeOf: isTypeOf('Checked') });
const cat = new GraphQLObjectType({ name: 'Cat', interfaces: [named], fields, isTypeOf: isTypeOf('Cat') });
const animal = new GraphQLUnionType({
  name: 'Animal',
  types: [cat, checked, node],
  resolveType(value, world) {
    world.trace.push(`what is ${place(value)}?`);
    return answerAt(world, `${place(value)}?`, () =>
      pick(world, `${place(value)}?!`, ['Cat', 'Checked', 'Node']),
    ) as string;
  },
});

export const faultySchema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields }),
  mutation: new GraphQLObjectType({ name: 'Mutation', fields }),
  types: [cat],
});

/** What the root, and any object, is read from: each reading of a property is noted. */
export function objectAt(world: World, at: string, isFunction = false): object {
  const target = isFunction ? () => 'called itself' : {};
  const properties: PropertyDescriptorMap = { place: { value: at } };
  for (const [name, { type }] of Object.entries(node.getFields())) {
    // Not enumerable: an error text that describes the object would read them.
    properties[name] = {
      get() {
        world.trace.push(`${at}.${name}`);
        return valueAt(world, `${at}.${name}`, type);
      },
    };
  }
  const typeName =
    chance(world, `${at}/type`, 60) && pick(world, `${at}/name`, ['Cat', 'Node', 'Checked', 'Color', 'No', 7]);
  if (typeName) properties.__typename = { value: typeName };
  return Object.defineProperties(target, properties);
}

function place(value: unknown): string {
  return String((value as { place?: unknown } | null | undefined)?.place);
}

/** A value of a type, or a fault; at once or later. */
function valueAt(world: World, at: string, type: GraphQLOutputType): unknown {
  return answerAt(world, at, () => plainAt(world, at, type));
}

function plainAt(world: World, at: string, type: GraphQLOutputType): unknown {
  if (isNonNullType(type)) return plainAt(world, at, type.ofType as GraphQLOutputType);
  if (isListType(type)) return listAt(world, at, type.ofType as GraphQLOutputType);
  if (!isLeafType(type)) {
    const isFunction = !isAbstractType(type) && chance(world, `${at}~function`, 5);
    const object = objectAt(world, at, isFunction);
    // A function that is read as a property is called for the value.
    return isFunction ? () => object : object;
  }
  const plain = leafAt(world, at, type.name);
  if (!chance(world, `${at}~called`, 10)) return plain;
  return function called(this: unknown, ...given: unknown[]): unknown {
    world.trace.push(`${at}(${place(this)}, ${JSON.stringify(given[0])}, ${given.length})`);
    return plain;
  };
}

function leafAt(world: World, at: string, name: string): unknown {
  const values: Record<string, unknown[]> = {
    String: ['', 'text', 'text', 5, true, { valueOf: () => 'of an object' }],
    Int: [0, 1, -0, 2 ** 31, '5', true, -(2 ** 31)],
    Float: [0.5, 1, '1.5', -0],
    Boolean: [true, false, 1, 0],
    ID: ['id', 7, 7n],
    Color: [1, 1, 'BLUE', 'RED'],
    Odd: ['odd', 'odd', { an: 'object' }, 'throws', 'null', 'nothing', 'promise', 'rejects', ['list']],
  };
  return pick(world, `${at}~leaf`, values[name] ?? []);
}

function listAt(world: World, at: string, type: GraphQLOutputType): unknown {
  const length = Math.floor(hash(world, `${at}~length`) * 4);
  const item = (index: number) => {
    try {
      return valueAt(world, `${at}[${index}]`, type);
    } catch {
      return null;
    }
  };
  const items = () => Array.from({ length }, (_, index) => item(index));
  switch (pick(world, `${at}~list`, ['array', 'array', 'array', 'set', 'generator', 'holes', 'broken'])) {
    case 'set':
      return new Set(items());
    case 'generator':
    case 'broken':
      return generated(world, at, length, item);
    case 'holes':
      // biome-ignore lint/suspicious/noSparseArray: what is tried here
      return [...items(), , item(length)];
    default:
      return items();
  }
}

/** Notes how far it was read, and that it was closed; one in two breaks. */
function* generated(world: World, at: string, length: number, item: (index: number) => unknown): Generator<unknown> {
  try {
    for (let index = 0; index < length; index += 1) {
      world.trace.push(`${at}[${index}]`);
      yield item(index);
    }
    if (chance(world, `${at}~breaks`, 30)) throw new Error(`broke at ${at}`);
  } finally {
    world.trace.push(`${at} closed`);
  }
}
