import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';
import { DomainError } from '../../errors.ts';
import {
  type ListSizes,
  matchesList,
  pagedLists,
  sizeOfList,
  timesReturned,
  VariableValues,
  versionsList,
} from './list-sizes.ts';

/** What one operation may ask for. The introspection query of GraphiQL has depth 15; routers use a few aliases. */
const limits = {
  depth: { max: 16, what: 'levels of fields' },
  rootFields: { max: 20, what: 'fields at the root' },
  aliases: { max: 30, what: 'aliases' },
  directives: { max: 30, what: 'directives' },
  introspections: { max: 5, what: 'of __schema, __type and _service' },
  repetitions: { max: 50, what: 'fields that repeat one beside them' },
  objects: { max: 150_000, what: 'objects that it could return' },
  lists: { max: 1500, what: 'lists to read' },
} as const;

/** A subscription is charged once, and executed for each event: an event may cost no more than a small answer. */
const maxListsOfEvent = 5;

/** What an operation asks for. */
export type OperationCost = { readonly [name in keyof typeof limits | 'typeNameBytes']: number };

type Mutable<T> = { -readonly [name in keyof T]: T[name] };

const nothing: OperationCost = {
  depth: 0,
  rootFields: 0,
  aliases: 0,
  directives: 0,
  introspections: 0,
  repetitions: 0,
  objects: 0,
  lists: 0,
  typeNameBytes: 0,
};

/** Of an aliased `__typename` in an answer, without the alias. Without alias an object has only one, which is short. */
const typeNameBytes = 24;

/**
 * Refuses an operation that asks for too much, before it is validated or run.
 *
 * Each fragment is measured once for each size of list that it is spread in, so that the time is linear in the document
 * however often its fragments multiply each other.
 * @returns what it asks for
 * @throws DomainError BAD_REQUEST, with a type of its own for each limit
 */
export function checkOperation(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  sizes: ListSizes,
): OperationCost {
  const cost = new CostMeter(document, operation, sizes).measure();
  const ofOperation =
    operation.operation === OperationTypeNode.SUBSCRIPTION
      ? { ...limits, lists: { ...limits.lists, max: maxListsOfEvent } }
      : limits;
  for (const [name, { max, what }] of Object.entries(ofOperation)) {
    if (cost[name as keyof OperationCost] > max) {
      throw new DomainError('BAD_REQUEST', {
        type: `${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_limit_error`,
        message: 'The operation asks for too much.',
        description: `It may have at most ${max.toLocaleString('en')} ${what}. Ask for less, or in parts.`,
      });
    }
  }
  return cost;
}

const introspection = new Set(['__schema', '__type', '_service']);
const entities = new Set(['User', 'Team', 'Connector', 'Secret']);

class CostMeter {
  readonly #operation: OperationDefinitionNode;
  readonly #variables: VariableValues;
  readonly #sizes: ListSizes;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  /** By the fragment's name and the size of the list; null while the fragment is being measured. */
  readonly #measured = new Map<string, OperationCost | null>();

  constructor(document: DocumentNode, operation: OperationDefinitionNode, sizes: ListSizes) {
    this.#operation = operation;
    this.#variables = new VariableValues(operation, sizes);
    this.#sizes = sizes;
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition);
    }
  }

  measure(): OperationCost {
    // Validation goes through every fragment, also those that are not spread, and some cycles would overflow its stack.
    for (const name of this.#fragments.keys()) this.#ofFragment(name, 1);
    const total = { ...this.#ofSelections(this.#operation.selectionSet, 1) };
    total.directives += this.#operation.directives?.length ?? 0;
    return total;
  }

  /**
   * @param listSize how many objects `nodes` and `edges` in this selection set may stand for
   * @param names of the fields beside them so far
   */
  #ofSelections(selectionSet: SelectionSetNode, listSize: number, names = new Set<string>()): OperationCost {
    const total = { ...nothing };
    /** An object has one type only, so that of fragments on several types the largest counts. */
    const ofEntities = new Map<string, Mutable<OperationCost>>();
    for (const selection of selectionSet.selections) {
      total.directives += selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD) {
        const { value } = selection.alias ?? selection.name;
        total.repetitions += names.has(value) ? 1 : 0;
        names.add(value);
        this.#addField(total, selection, listSize);
        continue;
      }
      const isInline = selection.kind === Kind.INLINE_FRAGMENT;
      const inner = isInline
        ? this.#ofSelections(selection.selectionSet, listSize, names)
        : this.#ofFragment(selection.name.value, listSize);
      const typed = isInline ? selection : this.#fragments.get(selection.name.value);
      const typeName = typed?.typeCondition?.name.value ?? '';
      if (entities.has(typeName)) {
        const ofEntity = ofEntities.get(typeName) ?? { ...nothing };
        addUp(ofEntity, { ...nothing, lists: inner.lists, objects: inner.objects, typeNameBytes: inner.typeNameBytes });
        ofEntities.set(typeName, ofEntity);
        addUp(total, { ...inner, lists: 0, objects: 0, typeNameBytes: 0 });
      } else addUp(total, inner);
      total.depth = Math.max(total.depth, inner.depth);
      total.rootFields += inner.rootFields;
    }
    const alternatives = [...ofEntities.values()];
    const most = (name: keyof OperationCost) => Math.max(0, ...alternatives.map((cost) => cost[name]));
    addUp(total, {
      ...nothing,
      lists: most('lists'),
      objects: most('objects'),
      typeNameBytes: most('typeNameBytes'),
    });
    return total;
  }

  #addField(total: Mutable<OperationCost>, field: FieldNode, listSize: number): void {
    if (field.alias?.value === 'then') throw isThenable();
    const ofEvent = this.#operation.operation === OperationTypeNode.SUBSCRIPTION;
    if (ofEvent && pagedLists.has(field.name.value)) throw listInEvent();
    total.rootFields += 1;
    total.introspections += introspection.has(field.name.value) ? 1 : 0;
    total.aliases += field.alias ? 1 : 0;
    total.depth = Math.max(total.depth, 1);
    if (field.name.value === '__typename' && field.alias)
      total.typeNameBytes += typeNameBytes + field.alias.value.length;
    if (!field.selectionSet) return;
    const inner = this.#ofSelections(field.selectionSet, sizeOfList(field, this.#variables));
    total.depth = Math.max(total.depth, 1 + inner.depth);
    const times = timesReturned(field, listSize, this.#variables, this.#sizes);
    const { value } = field.name;
    const lists = pagedLists.has(value) ? times : Number(value === versionsList || value === matchesList);
    addUp(total, {
      ...inner,
      lists: lists + times * inner.lists,
      objects: times * (1 + inner.objects),
      typeNameBytes: times * inner.typeNameBytes,
    });
  }

  #ofFragment(name: string, listSize: number): OperationCost {
    const key = `${listSize} ${name}`;
    const known = this.#measured.get(key);
    if (known === null) throw spreadsItself();
    if (known) return known;
    this.#measured.set(key, null);
    const fragment = this.#fragments.get(name);
    const cost = fragment ? this.#ofSelections(fragment.selectionSet, listSize) : nothing;
    this.#measured.set(key, cost);
    return cost;
  }
}

function addUp(total: Mutable<OperationCost>, inner: OperationCost): void {
  total.aliases += inner.aliases;
  total.directives += inner.directives;
  total.introspections += inner.introspections;
  total.repetitions += inner.repetitions;
  // Fragments that double each other reach any number. Beyond the limit it does not matter which.
  total.lists = Math.min(total.lists + inner.lists, Number.MAX_SAFE_INTEGER);
  total.objects = Math.min(total.objects + inner.objects, Number.MAX_SAFE_INTEGER);
  total.typeNameBytes = Math.min(total.typeNameBytes + inner.typeNameBytes, Number.MAX_SAFE_INTEGER);
}

function listInEvent(): DomainError {
  return new DomainError('BAD_REQUEST', {
    type: 'lists_limit_error',
    message: 'The operation asks for too much.',
    description: 'An event tells of one secret. Ask for lists in a query.',
  });
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
    description: 'Remove the spread that leads back to its own fragment.',
  });
}
