import {
  defaultTypeResolver,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  locatedError,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';
import { type CollectedErrors, keysOf, type Path } from './collected-errors.ts';
import type { FieldPlan, OperationPlan, SelectionPlan, TypePlan } from './plan.ts';
import { argumentsOf } from './plan-arguments.ts';
import { isPromise } from './promise.ts';
import { runtimeType } from './runtime-type.ts';

// Walks a plan as graphql-js walks a document: the same resolvers are called in the same order, with the same promises between
// them, so that values and errors come in the same order, too.

/** One execution of a plan. */
export interface Run {
  readonly plan: OperationPlan;
  readonly contextValue: unknown;
  readonly rootValue: unknown;
  readonly variableValues: Record<string, unknown>;
  readonly collected: CollectedErrors;
}

export type Data = Record<string, unknown>;

export function executeFields(run: Run, fields: SelectionPlan, source: unknown, path?: Path): Data | Promise<Data> {
  const results: Data = {};
  let pending: Promise<unknown>[] | undefined;
  let keys: string[] | undefined;
  try {
    // By index: an iterator for each object of a list costs as much as a field.
    for (let index = 0; index < fields.length; index += 1) {
      const field = fields[index] as FieldPlan;
      const result = executeField(run, field, source, path);
      if (result === undefined) continue;
      // A promise keeps its place in the order of the answer.
      results[field.key] = result;
      if (!isPromise(result)) continue;
      pending ??= [];
      keys ??= [];
      pending.push(result);
      keys.push(field.key);
    }
  } catch (error) {
    if (!pending) throw error;
    return rejectAfter(pending, error);
  }
  return pending && keys ? fulfilled(results, keys, pending) : results;
}

// Functions that make closures stand alone: V8 allocates what a closure holds whenever its function is entered.

function fulfilled(results: Data, keys: readonly string[], pending: readonly Promise<unknown>[]): Promise<Data> {
  return Promise.all(pending).then((values) => {
    for (let index = 0; index < values.length; index += 1) results[keys[index] as string] = values[index];
    return results;
  });
}

/** What the others promised may fail as well, and has to be handled. */
function rejectAfter(pending: readonly Promise<unknown>[], error: unknown): Promise<never> {
  const rethrow = () => {
    throw error;
  };
  return Promise.all(pending).then(nothing).then(rethrow, rethrow);
}

const nothing = () => undefined;

export function executeField(run: Run, field: FieldPlan, source: unknown, parent: Path | undefined): unknown {
  // Most fields are properties of their parent that need no conversion, and for these no path is made.
  let path: Path | undefined;
  let value: unknown;
  try {
    if (field.resolve) {
      const args = argumentsIn(run, field);
      path = pathOf(field, parent);
      value = field.resolve(source, args, run.contextValue, describe(run, field, path));
    } else {
      const args = field.args?.length === 0 ? undefined : argumentsIn(run, field);
      if ((typeof source === 'object' && source !== null) || typeof source === 'function') {
        const object = source as Record<string, (...args: unknown[]) => unknown>;
        value = object[field.name];
        if (typeof value === 'function') {
          path = pathOf(field, parent);
          value = object[field.name]?.(args ?? {}, run.contextValue, describe(run, field, path));
        }
      }
    }
    field.watch?.(value, run.contextValue, field.key);
  } catch (error) {
    return failed(run, field, field.type, path ?? pathOf(field, parent), error);
  }
  if (value === null && !field.type.isNonNull) return null;
  const plain = field.type.plain(value);
  return plain === undefined ? settle(run, field, field.type, path ?? pathOf(field, parent), value) : plain;
}

function argumentsIn({ variableValues }: Run, { args, definition, node }: FieldPlan): Record<string, unknown> {
  return argumentsOf(args, definition, node, variableValues);
}

function pathOf(field: FieldPlan, prev: Path | undefined): Path {
  return { prev, key: field.key, typename: field.parentType.name };
}

/** What graphql-js tells a resolver about its field: properties of an object of its own, which it may copy. */
function describe({ plan, rootValue, variableValues }: Run, field: FieldPlan, path: Path): GraphQLResolveInfo {
  return {
    fieldName: field.name,
    fieldNodes: field.nodes,
    returnType: field.definition.type,
    parentType: field.parentType,
    path,
    schema: plan.schema,
    fragments: plan.fragments,
    rootValue,
    operation: plan.operation,
    variableValues,
  };
}

/** Completes the value of a field, or of an item of its list. */
function settle(run: Run, field: FieldPlan, type: TypePlan, path: Path, value: unknown): unknown {
  try {
    const completed = isPromise(value)
      ? completeLater(run, field, type, path, value)
      : complete(run, field, type, path, value);
    return isPromise(completed) ? caught(run, field, type, path, completed) : completed;
  } catch (error) {
    return failed(run, field, type, path, error);
  }
}

function completeLater(run: Run, field: FieldPlan, type: TypePlan, path: Path, value: Promise<unknown>): unknown {
  return value.then((resolved) => complete(run, field, type, path, resolved));
}

function caught(run: Run, field: FieldPlan, type: TypePlan, path: Path, completed: Promise<unknown>): unknown {
  return completed.then(undefined, (error) => failed(run, field, type, path, error));
}

/** @throws GraphQLError where null is not allowed, so that the parent becomes null */
function failed(run: Run, field: FieldPlan, { isNonNull }: TypePlan, path: Path, thrown: unknown): null {
  const error = locatedError(thrown, field.nodes as FieldPlan['nodes'][number][], keysOf(path));
  if (isNonNull) throw error;
  run.collected.add(error, path);
  return null;
}

function complete(run: Run, field: FieldPlan, type: TypePlan, path: Path, value: unknown): unknown {
  if (value instanceof Error) throw value;
  if (value == null) {
    if (!type.isNonNull) return null;
    throw new Error(`Cannot return null for non-nullable field ${field.parentType.name}.${field.name}.`);
  }
  switch (type.kind) {
    case 'leaf':
      return completeLeaf(type.of, value);
    case 'list':
      return completeList(run, field, type.of, path, value);
    case 'object':
      return completeObject(run, field, type.of, field.selection, path, value);
    case 'abstract':
      return completeAbstract(run, field, type.of, path, value);
  }
}

function completeLeaf(type: GraphQLLeafType, value: unknown): unknown {
  const serialized = type.serialize(value);
  if (serialized != null) return serialized;
  throw new Error(
    `Expected \`${type.name}.serialize(${inspect(value)})\` to return non-nullable value, returned: ${inspect(serialized)}`,
  );
}

function completeAbstract(run: Run, field: FieldPlan, type: GraphQLAbstractType, path: Path, value: unknown): unknown {
  const resolveType = type.resolveType ?? defaultTypeResolver;
  const resolved: unknown = resolveType(value, run.contextValue, describe(run, field, path), type);
  const completeAs = (name: unknown) => {
    const found = runtimeType(run.plan, field, type, name, value);
    return completeObject(run, field, found, field.selections?.get(found), path, value);
  };
  return isPromise(resolved) ? resolved.then(completeAs) : completeAs(resolved);
}

function completeObject(
  run: Run,
  field: FieldPlan,
  type: GraphQLObjectType,
  selection: SelectionPlan | undefined,
  path: Path,
  value: unknown,
): unknown {
  if (type.isTypeOf) return completeChecked(run, field, type, selection, path, value);
  return executeFields(run, selection ?? [], value, path);
}

function completeChecked(
  run: Run,
  field: FieldPlan,
  type: GraphQLObjectType,
  selection: SelectionPlan | undefined,
  path: Path,
  value: unknown,
): unknown {
  const execute = (isOfType: unknown) => {
    if (isOfType) return executeFields(run, selection ?? [], value, path);
    const { nodes } = field;
    throw new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, { nodes });
  };
  const isOfType: unknown = type.isTypeOf?.(value, run.contextValue, describe(run, field, path));
  return isPromise(isOfType) ? isOfType.then(execute) : execute(isOfType);
}

function completeList(run: Run, field: FieldPlan, type: TypePlan, path: Path, value: unknown): unknown {
  if (typeof value !== 'object' || typeof (value as Iterable<unknown>)[Symbol.iterator] !== 'function') {
    const { parentType, name } = field;
    throw new GraphQLError(`Expected Iterable, but did not find one for field "${parentType.name}.${name}".`);
  }
  const list = value as Iterable<unknown>;
  // A list that is no array may run code for each of its items.
  return isPlainArray(list)
    ? completeArray(run, field, type, path, list)
    : completeIterable(run, field, type, path, list);
}

function isPlainArray(list: Iterable<unknown>): list is unknown[] {
  return Array.isArray(list) && list[Symbol.iterator] === Array.prototype[Symbol.iterator];
}

function completeArray(run: Run, field: FieldPlan, type: TypePlan, path: Path, list: readonly unknown[]): unknown {
  // A copy has the right size from the beginning.
  const items = [...list];
  let isPending = false;
  let index = 0;
  try {
    for (; index < items.length; index += 1) {
      const completed = completeItem(run, field, type, path, index, items[index]);
      isPending ||= isPromise(completed);
      items[index] = completed;
    }
  } catch (error) {
    // Those before it were replaced by what they promise to be completed to, and those after it are as they were.
    for (const item of items) disregard(type, item);
    throw error;
  }
  return isPending ? Promise.all(items) : items;
}

function completeIterable(run: Run, field: FieldPlan, type: TypePlan, path: Path, list: Iterable<unknown>): unknown {
  const items: unknown[] = [];
  let isPending = false;
  try {
    for (const item of list) {
      const completed = completeItem(run, field, type, path, items.length, item);
      isPending ||= isPromise(completed);
      items.push(completed);
    }
  } catch (error) {
    for (const item of items) disregard(type, item);
    // Another iterable would run code to make them.
    if (list instanceof Set) for (const item of list) disregard(type, item);
    throw error;
  }
  return isPending ? Promise.all(items) : items;
}

/**
 * Nobody waits for this item any more, and it may still fail. Promises alone: another thenable may begin its work when its
 * `then` is called.
 */
function disregard(type: TypePlan, item: unknown): void {
  if (item instanceof Promise) {
    const disregardResult = (result: unknown) => disregard(type, result);
    item.then(disregardResult, nothing);
  } else if (type.kind === 'list' && (Array.isArray(item) || item instanceof Set)) {
    for (const inner of item) disregard(type.of, inner);
  }
}

function completeItem(run: Run, field: FieldPlan, type: TypePlan, list: Path, index: number, item: unknown): unknown {
  const plain = type.plain(item);
  return plain === undefined ? settle(run, field, type, { prev: list, key: index, typename: undefined }, item) : plain;
}
