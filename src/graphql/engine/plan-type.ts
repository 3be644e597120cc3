import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLNullableType,
  type GraphQLOutputType,
  GraphQLString,
  getNullableType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { TypePlan } from './plan.ts';

const plans = new WeakMap<GraphQLOutputType, TypePlan>();

/** Made once for each type. */
export function planType(type: GraphQLOutputType): TypePlan {
  let plan = plans.get(type);
  if (!plan) {
    plan = makePlan(type);
    plans.set(type, plan);
  }
  return plan;
}

function makePlan(type: GraphQLOutputType): TypePlan {
  const nullable = getNullableType(type);
  const common = { type, isNonNull: isNonNullType(type), plain: plainOf(nullable) };
  if (isListType(nullable)) return { ...common, kind: 'list', of: planType(nullable.ofType) };
  if (isLeafType(nullable)) return { ...common, kind: 'leaf', of: nullable };
  if (isObjectType(nullable)) return { ...common, kind: 'object', of: nullable };
  return { ...common, kind: 'abstract', of: nullable };
}

/** The values that the scalars of graphql-js serialize as they are. */
function plainOf(type: GraphQLNullableType): TypePlan['plain'] {
  switch (type) {
    case GraphQLString:
    case GraphQLID:
      return (value) => (typeof value === 'string' ? value : undefined);
    case GraphQLInt:
      return (value) => (typeof value === 'number' && (value | 0) === value ? value : undefined);
    case GraphQLFloat:
      return (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
    case GraphQLBoolean:
      return (value) => (typeof value === 'boolean' ? value : undefined);
    default:
      return () => undefined;
  }
}
