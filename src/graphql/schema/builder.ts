import SchemaBuilder from '@pothos/core';
import DirectivesPlugin from '@pothos/plugin-directives';
import type { Scope } from '../../model/principal.ts';
import type { Operations } from '../../operations.ts';
import type { Answer } from '../../runtime/answer.ts';

/** What a resolver has: the operations, bound to the caller. From here nothing leads to a key or a store. */
export interface GraphQLContext {
  readonly operations: Operations;
  /** Counts what the resolvers return. */
  readonly answer: Answer;
  /** Whether the SDL has the directives by which a router can refuse early. */
  readonly securityDirectives: boolean;
}

export interface SchemaTypes {
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    _Any: { Input: unknown; Output: never };
  };
  /** Directives of Apollo Federation 2. They tell composers and routers what the operations enforce anyway. */
  Directives: {
    key: { locations: 'OBJECT'; args: { fields: string } };
    shareable: { locations: 'OBJECT'; args: Record<string, never> };
    authenticated: { locations: 'FIELD_DEFINITION'; args: Record<string, never> };
    requiresScopes: { locations: 'FIELD_DEFINITION'; args: { scopes: Scope[][] } };
  };
}

export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [DirectivesPlugin],
  directives: { useGraphQLToolsUnorderedDirectives: true },
  defaultFieldNullability: false,
});

/** The directives of a field that needs this scope. */
export const scoped = (scope: Scope) => ({ authenticated: {}, requiresScopes: { scopes: [[scope]] } });
