import SchemaBuilder from '@pothos/core';
import type { Operations } from '../secrets/operations.ts';

/** What a resolver has: the operations, bound to who is calling. There is no way from here to a key or a store. */
export interface GraphQLContext {
  readonly operations: Operations;
}

export interface SchemaTypes {
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: never; Output: Date };
  };
}

export const builder = new SchemaBuilder<SchemaTypes>({ defaultFieldNullability: false });
