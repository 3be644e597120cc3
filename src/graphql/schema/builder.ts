import SchemaBuilder from '@pothos/core';
import DirectivesPlugin from '@pothos/plugin-directives';
import type { Scope } from '../../model/principal.ts';
import type { Operations } from '../../operations.ts';

/** What a resolver has: the operations, bound to who is calling. There is no way from here to a key or a store. */
export interface GraphQLContext {
  readonly operations: Operations;
  /** Whether composers are given the directives by which a router can refuse early. */
  readonly securityDirectives: boolean;
}

export interface SchemaTypes {
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: never; Output: Date };
    _Any: { Input: unknown; Output: never };
  };
  /** Of Apollo Federation 2: they say to composers and routers what is enforced here all the same. */
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

/** For a field that needs this scope. */
export const scoped = (scope: Scope) => ({ authenticated: {}, requiresScopes: { scopes: [[scope]] } });
