import { printSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, Kind, lexicographicSortSchema, parse, print, printSchema, visit } from 'graphql';

/** The API as clients see it. */
export function apiSdl(schema: GraphQLSchema): string {
  return withoutMachinery(printSchema(lexicographicSortSchema(schema)));
}

/** Anybody may ask for it, as often as a document has room for, and to print it takes milliseconds. */
const printed = new WeakMap<GraphQLSchema, Map<boolean, string>>();

/**
 * The subgraph as a composer of Apollo Federation 2 takes it.
 * @param securityDirectives with @authenticated and @requiresScopes, for routers that understand them. Apollo Gateway does
 *   not start on a supergraph that has them, so they are for those who ask. What they say is enforced here either way.
 */
export function subgraphSdl(schema: GraphQLSchema, securityDirectives = false): string {
  const known = printed.get(schema) ?? new Map<boolean, string>();
  printed.set(schema, known);
  const sdl = known.get(securityDirectives) ?? printSubgraph(schema, securityDirectives);
  known.set(securityDirectives, sdl);
  return sdl;
}

function printSubgraph(schema: GraphQLSchema, securityDirectives: boolean): string {
  const sdl = withoutMachinery(printSubgraphSchema(lexicographicSortSchema(schema)));
  return securityDirectives ? sdl : withoutSecurity(sdl);
}

const security = new Set(['authenticated', 'requiresScopes']);

function withoutSecurity(sdl: string): string {
  const document = visit(parse(sdl), {
    [Kind.DIRECTIVE]: ({ name }) => (security.has(name.value) ? null : undefined),
    // In the import list of @link: to import a feature is enough to need it.
    [Kind.STRING]: ({ value }) => (security.has(value.replace(/^@/, '')) ? null : undefined),
  });
  return `${print(document)}\n`;
}

/** Leaves out _service, _entities and their types: they are how composers and gateways talk, not what they talk about. */
function withoutMachinery(sdl: string): string {
  const drop = (node: { name: { value: string } }) => (node.name.value.startsWith('_') ? null : undefined);
  const document = visit(parse(sdl), {
    [Kind.FIELD_DEFINITION]: drop,
    [Kind.OBJECT_TYPE_DEFINITION]: drop,
    [Kind.SCALAR_TYPE_DEFINITION]: drop,
    [Kind.UNION_TYPE_DEFINITION]: drop,
  });
  return `${print(document)}\n`;
}
