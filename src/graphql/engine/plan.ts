import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLAbstractType,
  GraphQLField,
  GraphQLFieldResolver,
  GraphQLLeafType,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import type { ArgumentsPlan } from './plan-arguments.ts';
import type { Watch } from './watched-resolver.ts';

/** All that depends on the document alone. A plan is data, which is walked; no code is generated from it. */
export interface OperationPlan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  readonly root: SelectionPlan;
  /** How many fields it has, in all selections. */
  readonly size: number;
}

/** The fields that are selected of an object, in the order of the answer. */
export type SelectionPlan = readonly FieldPlan[];

export interface FieldPlan {
  /** Its name in the answer. */
  readonly key: string;
  readonly name: string;
  readonly node: FieldNode;
  /** All nodes of its key, also the first. */
  readonly nodes: readonly FieldNode[];
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  /** Undefined where it is a property of its parent. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | undefined;
  readonly watch: Watch<unknown> | undefined;
  readonly args: ArgumentsPlan;
  readonly type: TypePlan;
  /** What is selected of its objects, where all have one type. */
  readonly selection: SelectionPlan | undefined;
  /** What is selected of its objects, by the types that they may have. */
  readonly selections: ReadonlyMap<GraphQLObjectType, SelectionPlan> | undefined;
}

/** How a value of a type is completed. What may be null is the same plan without `isNonNull`. */
export type TypePlan = {
  readonly type: GraphQLOutputType;
  readonly isNonNull: boolean;
  /** What is written for a value that needs no conversion; undefined for any other. */
  readonly plain: (value: unknown) => unknown;
} & (
  | { readonly kind: 'leaf'; readonly of: GraphQLLeafType }
  | { readonly kind: 'object'; readonly of: GraphQLObjectType }
  | { readonly kind: 'abstract'; readonly of: GraphQLAbstractType }
  | { readonly kind: 'list'; readonly of: TypePlan }
);
