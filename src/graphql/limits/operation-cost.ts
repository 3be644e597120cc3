import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { DomainError } from '../../errors.ts';
import { defaultPageSize, maxPageSize } from '../../secrets/rules.ts';

/** What one operation may ask for. The introspection query of GraphiQL has depth 15, the widest of gateways a few aliases. */
const limits = {
  depth: { max: 16, what: 'levels of fields' },
  rootFields: { max: 20, what: 'fields at the root' },
  aliases: { max: 30, what: 'aliases' },
  directives: { max: 30, what: 'directives' },
  introspections: { max: 5, what: 'of __schema, __type and _service' },
  repetitions: { max: 50, what: 'fields that repeat one beside them' },
  objects: { max: 150_000, what: 'objects that it could return' },
  lists: { max: 1500, what: 'lists of secrets to read' },
} as const;

type Mutable<T> = { -readonly [name in keyof T]: T[name] };

/** What an operation asks for. */
export type Measure = { readonly [name in keyof typeof limits]: number };

const introspection = new Set(['__schema', '__type', '_service']);

const nothing: Measure = {
  depth: 0,
  rootFields: 0,
  aliases: 0,
  directives: 0,
  introspections: 0,
  repetitions: 0,
  lists: 0,
  objects: 0,
};

type Variables = Readonly<Record<string, unknown>>;

/** What the sizes of lists depend on besides the document. */
export interface Sizes {
  readonly variables: Variables;
  /** How many teams the caller is in. */
  readonly teams: number;
}

/**
 * Refuses an operation that asks for too much, before it is validated or run.
 *
 * Each fragment is measured once for each size of list it is spread in, so that the time is linear in the document
 * whatever its fragments multiply to.
 * @returns what it asks for
 * @throws DomainError BAD_REQUEST, with a type of its own for each limit
 */
export function checkOperation(document: DocumentNode, operation: OperationDefinitionNode, sizes: Sizes): Measure {
  const measure = measureDocument(document, operation, sizes);
  for (const [name, { max, what }] of Object.entries(limits)) {
    if (measure[name as keyof Measure] > max) {
      throw new DomainError('BAD_REQUEST', {
        type: `${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_limit_error`,
        message: 'The operation asks for too much.',
        description: `It may have at most ${max.toLocaleString('en')} ${what}. Ask for less, or in parts.`,
      });
    }
  }
  return measure;
}

const entities = new Set(['User', 'Team', 'Connector', 'Secret']);

function measureDocument(document: DocumentNode, operation: OperationDefinitionNode, sizes: Sizes): Measure {
  const variables = withDefaults(operation, sizes.variables);
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  /** Null while a fragment is being measured. */
  const measured = new Map<string, Measure | null>();

  /**
   * @param listSize how many there may be of what `nodes` and `edges` in this selection set stand for
   * @param names of the fields beside them so far
   */
  function ofSelections(selectionSet: SelectionSetNode, listSize: number, names = new Set<string>()): Measure {
    const total = { ...nothing };
    /** What is one entity is no other: of fragments on several, the largest counts. */
    const ofEntities = new Map<string, Mutable<Measure>>();
    for (const selection of selectionSet.selections) {
      total.directives += selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD) {
        const { value } = selection.alias ?? selection.name;
        total.repetitions += names.has(value) ? 1 : 0;
        names.add(value);
        addField(total, selection, listSize);
      } else {
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT
            ? ofSelections(selection.selectionSet, listSize, names)
            : ofFragment(selection.name.value, listSize);
        const type = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
        const typeName = type?.typeCondition?.name.value ?? '';
        if (entities.has(typeName)) {
          const ofEntity = ofEntities.get(typeName) ?? { ...nothing };
          addUp(ofEntity, { ...nothing, lists: inner.lists, objects: inner.objects });
          ofEntities.set(typeName, ofEntity);
          addUp(total, { ...inner, lists: 0, objects: 0 });
        } else addUp(total, inner);
        total.depth = Math.max(total.depth, inner.depth);
        total.rootFields += inner.rootFields;
      }
    }
    const alternatives = [...ofEntities.values()];
    const lists = Math.max(0, ...alternatives.map((measure) => measure.lists));
    const objects = Math.max(0, ...alternatives.map((measure) => measure.objects));
    addUp(total, { ...nothing, lists, objects });
    return total;
  }

  function addField(total: Mutable<Measure>, field: FieldNode, listSize: number): void {
    if (field.alias?.value === 'then') throw isThenable();
    total.rootFields += 1;
    total.introspections += introspection.has(field.name.value) ? 1 : 0;
    total.aliases += field.alias ? 1 : 0;
    total.depth = Math.max(total.depth, 1);
    if (!field.selectionSet) return;
    const inner = ofSelections(field.selectionSet, sizeOfList(field, variables));
    total.depth = Math.max(total.depth, 1 + inner.depth);
    const times = timesReturned(field, listSize, variables, sizes.teams);
    const lists = field.name.value === 'secrets' ? 1 : 0;
    addUp(total, { ...inner, lists: times * (lists + inner.lists), objects: times * (1 + inner.objects) });
  }

  function ofFragment(name: string, listSize: number): Measure {
    const key = `${listSize} ${name}`;
    const known = measured.get(key);
    if (known === null) throw spreadsItself();
    if (known) return known;
    measured.set(key, null);
    const fragment = fragments.get(name);
    const measure = fragment ? ofSelections(fragment.selectionSet, listSize) : nothing;
    measured.set(key, measure);
    return measure;
  }

  // Validation goes through every fragment, spread or not, and some cycles would take it beyond the stack.
  for (const name of fragments.keys()) ofFragment(name, 1);
  const total = { ...ofSelections(operation.selectionSet, 1) };
  total.directives += operation.directives?.length ?? 0;
  return total;
}

/** Executors take an object with a `then` for a promise. */
function isThenable(): DomainError {
  return new DomainError('BAD_REQUEST', {
    message: 'An alias must not be "then".',
    description: 'Give the field another alias.',
  });
}

function spreadsItself(): DomainError {
  return new DomainError('BAD_REQUEST', {
    type: 'fragment_cycle_error',
    message: 'A fragment spreads itself.',
    description: 'Take the spread that leads back to its own fragment out.',
  });
}

function addUp(total: Mutable<Measure>, inner: Measure): void {
  total.aliases += inner.aliases;
  total.directives += inner.directives;
  total.introspections += inner.introspections;
  total.repetitions += inner.repetitions;
  // Fragments that double each other reach any number; beyond the limit it no longer matters which.
  total.lists = Math.min(total.lists + inner.lists, Number.MAX_SAFE_INTEGER);
  total.objects = Math.min(total.objects + inner.objects, Number.MAX_SAFE_INTEGER);
}

function sizeOfList(field: FieldNode, variables: Variables): number {
  if (field.name.value !== 'secrets') return 1;
  const size = argument(field, 'first', variables) ?? argument(field, 'last', variables);
  if (typeof size !== 'number') return defaultPageSize;
  // A larger page is refused by the list itself, which tells the rule.
  return Math.min(Math.max(0, size), maxPageSize);
}

function timesReturned(field: FieldNode, listSize: number, variables: Variables, teams: number): number {
  const name = field.name.value;
  if (name === 'nodes' || name === 'edges') return listSize;
  if (name === 'teams') return teams;
  if (name !== '_entities') return 1;
  const representations = argument(field, 'representations', variables);
  return Array.isArray(representations) ? representations.length : 1;
}

/** An argument as far as it can bear on a size: a whole number, or a list of any things. */
function argument(field: FieldNode, name: string, variables: Variables): unknown {
  const value: ValueNode | undefined = field.arguments?.find((candidate) => candidate.name.value === name)?.value;
  return value?.kind === Kind.VARIABLE ? (variables[value.name.value] ?? undefined) : literal(value);
}

function literal(value: ValueNode | undefined): unknown {
  if (value?.kind === Kind.INT) return Number(value.value);
  if (value?.kind === Kind.LIST) return value.values;
  return undefined;
}

function withDefaults(operation: OperationDefinitionNode, variables: Variables): Variables {
  const defaults = operation.variableDefinitions?.map(({ variable, defaultValue }) => [
    variable.name.value,
    literal(defaultValue),
  ]);
  return { ...Object.fromEntries(defaults ?? []), ...variables };
}
