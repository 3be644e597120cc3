import { Option } from 'commander';
import type { Command } from '../command.ts';

interface Options {
  readonly securityDirectives?: boolean;
}

export const schema: Command<Options> = {
  summary: "print the subgraph's GraphQL schema",
  details: 'It is printed on standard output, for a composer of Apollo Federation 2.',
  options: [
    new Option(
      '--security-directives',
      'with @authenticated and @requiresScopes, for routers that understand them (Apollo Router, Hive Gateway); ' +
        'Apollo Gateway does not start with them',
    ),
  ],
  async run({ securityDirectives }) {
    const { schema: graphqlSchema } = await import('../../graphql/schema/schema.ts');
    const { subgraphSdl } = await import('../../graphql/schema/sdl.ts');
    process.stdout.write(subgraphSdl(graphqlSchema, securityDirectives === true));
  },
};
