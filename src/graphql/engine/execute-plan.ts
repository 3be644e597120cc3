import {
  defaultTypeResolver,
  type ExecutionResult,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  locatedError,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';
import { CollectedErrors, keysOf, type Path } from './collected-errors.ts';
import type { FieldPlan, OperationPlan, SelectionPlan, TypePlan } from './plan.ts';
import { argumentsOf } from './plan-arguments.ts';
import { disregard, isPromise } from './promise.ts';
import { runtimeType } from './runtime-type.ts';

// Walks a plan as graphql-js walks a document: the same resolvers are called in the same order, with the same promises between
// them, so that values and errors come in the same order, too.

/** One execution of a plan. */
interface Run {
  readonly plan: OperationPlan;
  readonly contextValue: unknown;
  readonly rootValue: unknown;
  readonly variableValues: Record<string, unknown>;
  readonly collected: CollectedErrors;
}

type Data = Record<string, unknown>;

/** @param variableValues coerced */
export function executePlan(
  plan: OperationPlan,
  values: Pick<Run, 'contextValue' | 'rootValue' | 'variableValues'>,
): ExecutionResult | Promise<ExecutionResult> {
  const collected = new CollectedErrors();
  const run: Run = { plan, ...values, collected };
  const answer = (data: Data | null): ExecutionResult =>
    collected.errors.length === 0 ? { data } : { errors: collected.errors, data };
  const fail = (error: unknown): ExecutionResult => {
    collected.add(error as GraphQLError, undefined);
    return answer(null);
  };
  try {
    const { operation, root } = plan;
    const data =
      operation.operation === 'mutation' ? executeInTurn(run, root) : executeFields(run, root, run.rootValue);
    return isPromise(data) ? data.then(answer as (data: unknown) => ExecutionResult, fail) : answer(data);
  } catch (error) {
    return fail(error);
  }
}

/** The fields of a mutation, each after the one before it has ended. */
function executeInTurn(run: Run, fields: SelectionPlan): Data | Promise<Data> {
  const results: Data = {};
  const execute = (field: FieldPlan): Data | Promise<Data> => {
    const result = executeField(run, field, run.rootValue, undefined);
    if (isPromise(result)) {
      return result.then((value) => {
        results[field.key] = value;
        return results;
      });
    }
    results[field.key] = result;
    return results;
  };
  let done: Data | Promise<Data> = results;
  for (const field of fields) done = isPromise(done) ? done.then(() => execute(field)) : execute(field);
  return done;
}

function executeFields(run: Run, fields: SelectionPlan, source: unknown, path?: Path): Data | Promise<Data> {
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
    // What the others promised may fail as well, and has to be handled.
    const rethrow = () => {
      throw error;
    };
    return Promise.all(pending).then(nothing).then(rethrow, rethrow);
  }
  if (!pending) return results;
  return Promise.all(pending).then((values) => {
    for (let index = 0; index < values.length; index += 1) results[keys?.[index] as string] = values[index];
    return results;
  });
}

const nothing = () => undefined;

function executeField(run: Run, field: FieldPlan, source: unknown, parent: Path | undefined): unknown {
  // Most fields are properties of their parent that need no conversion, and for these no path is made.
  let path: Path | undefined;
  let value: unknown;
  try {
    if (field.resolve) {
      const args = argumentsOf(field.args, run.variableValues);
      path = pathOf(field, parent);
      value = field.resolve(source, args, run.contextValue, describe(run, field, path));
    } else {
      const args = field.args.given?.length === 0 ? undefined : argumentsOf(field.args, run.variableValues);
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
    return failedField(run, field, path ?? pathOf(field, parent), error);
  }
  if (value === null && !field.type.isNonNull) return null;
  const plain = field.type.plain(value);
  return plain === undefined ? completeField(run, field, path ?? pathOf(field, parent), value) : plain;
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

function completeField(run: Run, field: FieldPlan, path: Path, value: unknown): unknown {
  try {
    const completed = completeSoon(run, field, field.type, path, value);
    return isPromise(completed)
      ? completed.then(undefined, (error) => failedField(run, field, path, error))
      : completed;
  } catch (error) {
    return failedField(run, field, path, error);
  }
}

function failedField(run: Run, field: FieldPlan, path: Path, thrown: unknown): null {
  return failed(run, field, field.type, path, thrown);
}

/** @throws GraphQLError where null is not allowed, so that the parent becomes null */
function failed(run: Run, field: FieldPlan, { isNonNull }: TypePlan, path: Path, thrown: unknown): null {
  const error = locatedError(thrown, field.nodes as FieldPlan['nodes'][number][], keysOf(path));
  if (isNonNull) throw error;
  run.collected.add(error, path);
  return null;
}

function completeSoon(run: Run, field: FieldPlan, type: TypePlan, path: Path, value: unknown): unknown {
  if (!isPromise(value)) return complete(run, field, type, path, value);
  return value.then((resolved) => complete(run, field, type, path, resolved));
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
  selection: SelectionPlan = [],
  path: Path,
  value: unknown,
): unknown {
  if (!type.isTypeOf) return executeFields(run, selection, value, path);
  const execute = (isOfType: unknown) => {
    if (isOfType) return executeFields(run, selection, value, path);
    const { nodes } = field;
    throw new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, { nodes });
  };
  const isOfType = type.isTypeOf(value, run.contextValue, describe(run, field, path));
  return isPromise(isOfType) ? isOfType.then(execute) : execute(isOfType);
}

function completeList(run: Run, field: FieldPlan, type: TypePlan, path: Path, value: unknown): unknown {
  if (typeof value !== 'object' || typeof (value as Iterable<unknown>)[Symbol.iterator] !== 'function') {
    const { parentType, name } = field;
    throw new GraphQLError(`Expected Iterable, but did not find one for field "${parentType.name}.${name}".`);
  }
  const items: unknown[] = [];
  let isPending = false;
  try {
    for (const item of value as Iterable<unknown>) {
      const completed = completeItem(run, field, type, path, items.length, item);
      isPending ||= isPromise(completed);
      items.push(completed);
    }
  } catch (error) {
    abandon(value as Iterable<unknown>, items);
    throw error;
  }
  return isPending ? Promise.all(items) : items;
}

function completeItem(run: Run, field: FieldPlan, type: TypePlan, list: Path, index: number, item: unknown): unknown {
  const plain = type.plain(item);
  if (plain !== undefined) return plain;
  const path: Path = { prev: list, key: index, typename: undefined };
  try {
    const completed = completeSoon(run, field, type, path, item);
    if (!isPromise(completed)) return completed;
    return completed.then(undefined, (error) => failed(run, field, type, path, error));
  } catch (error) {
    return failed(run, field, type, path, error);
  }
}

/** Nobody waits for the items of a list that has failed, neither those before the failure nor those that were never read. */
function abandon(list: Iterable<unknown>, completed: readonly unknown[]): void {
  for (const item of completed) disregard(item);
  // Not of another iterable: it could run code to make them.
  if (Array.isArray(list) || list instanceof Set) for (const item of list) disregard(item);
}
