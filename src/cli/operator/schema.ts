import { parseArgs } from 'node:util';
import { schema as graphqlSchema } from '../../graphql/schema/schema.ts';
import { subgraphSdl } from '../../graphql/schema/sdl.ts';

const help = `Usage: secrets-gateway schema [--security-directives]

Prints the subgraph's SDL on standard output, for a composer of Apollo Federation 2.

  --security-directives  with @authenticated and @requiresScopes, for routers that understand them (Apollo Router,
                         Hive Gateway). Apollo Gateway does not start with them.
`;

export const schema = { help, run };

/** Prints the subgraph's SDL. */
function run(args: string[]): void {
  const { values } = parseArgs({ args, options: { 'security-directives': { type: 'boolean', default: false } } });
  process.stdout.write(subgraphSdl(graphqlSchema, values['security-directives']));
}
