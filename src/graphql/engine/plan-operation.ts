import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  TypeNameMetaFieldDef,
} from 'graphql';
import { collectFields, isFixed } from './collect-fields.ts';
import type { FieldPlan, OperationPlan, SelectionPlan } from './plan.ts';
import { planArguments } from './plan-arguments.ts';
import { planType } from './plan-type.ts';
import { partsOf } from './watched-resolver.ts';

/**
 * @param maxFields how many fields the plan may have: fragments that double each other come to any number
 * @returns null where the engine must execute it: with more fields, variables in directives, introspection, subscriptions
 */
export function planOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  maxFields: number,
): OperationPlan | null {
  const rootType = schema.getRootType(operation.operation);
  if (operation.operation === 'subscription' || !rootType) return null;
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  }
  const sets = [operation, ...Object.values(fragments)].map(({ selectionSet }) => selectionSet);
  if (!sets.every(isFixed)) return null;
  try {
    const planner = new Planner(schema, fragments, maxFields);
    const root = planner.selection(rootType, [operation.selectionSet]);
    return { schema, operation, fragments, root, size: planner.size };
  } catch (error) {
    if (error instanceof NoPlan) return null;
    throw error;
  }
}

class NoPlan extends Error {}

class Planner {
  size = 0;
  readonly #schema: GraphQLSchema;
  readonly #fragments: Record<string, FragmentDefinitionNode>;
  readonly #maxFields: number;

  constructor(schema: GraphQLSchema, fragments: Record<string, FragmentDefinitionNode>, maxFields: number) {
    this.#schema = schema;
    this.#fragments = fragments;
    this.#maxFields = maxFields;
  }

  selection(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): SelectionPlan {
    const collected = collectFields(this.#schema, this.#fragments, type, sets);
    this.size += collected.size;
    if (this.size > this.#maxFields) throw new NoPlan();
    return Array.from(collected, ([key, nodes]) => this.#field(type, key, nodes));
  }

  #field(parentType: GraphQLObjectType, key: string, nodes: readonly FieldNode[]): FieldPlan {
    const [node] = nodes;
    const name = node?.name.value ?? '';
    const definition = name === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : parentType.getFields()[name];
    // Introspection is no field of the type.
    if (!node || !definition) throw new NoPlan();
    const { resolve, watch } = partsOf(definition.resolve);
    const named = getNamedType(definition.type);
    const selections = this.#selections(named, nodes);
    return {
      key,
      name,
      node,
      nodes,
      parentType,
      definition,
      resolve,
      watch,
      args: planArguments(definition, node),
      type: planType(definition.type),
      selection: isObjectType(named) ? selections?.get(named) : undefined,
      selections: isAbstractType(named) ? selections : undefined,
    };
  }

  #selections(named: GraphQLNamedType, nodes: readonly FieldNode[]): FieldPlan['selections'] {
    const types = isObjectType(named) ? [named] : isAbstractType(named) ? this.#schema.getPossibleTypes(named) : null;
    if (!types) return undefined;
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    return new Map(types.map((type) => [type, this.selection(type, sets)]));
  }
}
