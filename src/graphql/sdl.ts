import { printSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, Kind, lexicographicSortSchema, parse, print, printSchema, visit } from 'graphql';

/** The API as clients see it. */
export function apiSdl(schema: GraphQLSchema): string {
  return withoutMachinery(printSchema(lexicographicSortSchema(schema)));
}

/** The subgraph as a composer of Apollo Federation 2 takes it. */
export function subgraphSdl(schema: GraphQLSchema): string {
  return withoutMachinery(printSubgraphSchema(lexicographicSortSchema(schema)));
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
