import { schema } from '../graphql/schema.ts';
import { subgraphSdl } from '../graphql/sdl.ts';

/** Prints the subgraph's SDL. */
export function printSubgraph(): void {
  process.stdout.write(subgraphSdl(schema));
}
