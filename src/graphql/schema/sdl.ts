import { printSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, Kind, lexicographicSortSchema, parse, print, printSchema, visit } from 'graphql';

/** The API as clients see it. */
export function apiSdl(schema: GraphQLSchema): string {
  return withoutFederationFields(printSchema(lexicographicSortSchema(schema)));
}

/** Kept, since printing takes milliseconds and anybody may ask for it, several times in one document. */
const printed = new WeakMap<GraphQLSchema, Map<boolean, string>>();

/**
 * The subgraph's SDL for a composer of Apollo Federation 2.
 * @param securityDirectives with @authenticated and @requiresScopes, for routers that understand them. Apollo Gateway does
 *   not start on a supergraph that has them, so they are off by default. The operations enforce the same in any case.
 */
export function subgraphSdl(schema: GraphQLSchema, securityDirectives = false): string {
  const known = printed.get(schema) ?? new Map<boolean, string>();
  printed.set(schema, known);
  const sdl = known.get(securityDirectives) ?? printSubgraph(schema, securityDirectives);
  known.set(securityDirectives, sdl);
  return sdl;
}

function printSubgraph(schema: GraphQLSchema, securityDirectives: boolean): string {
  const sdl = withoutFederationFields(printSubgraphSchema(lexicographicSortSchema(schema)));
  return securityDirectives ? sdl : withoutSecurity(sdl);
}

const security = new Set(['authenticated', 'requiresScopes']);

function withoutSecurity(sdl: string): string {
  const document = visit(parse(sdl), {
    [Kind.DIRECTIVE]: ({ name }) => (security.has(name.value) ? null : undefined),
    // Also from the import list of @link: a router must support what is imported.
    [Kind.STRING]: ({ value }) => (security.has(value.replace(/^@/, '')) ? null : undefined),
  });
  return `${print(document)}\n`;
}

/** Leaves out _service, _entities and their types, which belong to the federation protocol and not to the API. */
function withoutFederationFields(sdl: string): string {
  const drop = (node: { name: { value: string } }) => (node.name.value.startsWith('_') ? null : undefined);
  const document = visit(parse(sdl), {
    [Kind.FIELD_DEFINITION]: drop,
    [Kind.OBJECT_TYPE_DEFINITION]: drop,
    [Kind.SCALAR_TYPE_DEFINITION]: drop,
    [Kind.UNION_TYPE_DEFINITION]: drop,
  });
  return `${print(document)}\n`;
}
