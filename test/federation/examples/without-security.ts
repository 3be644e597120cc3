import { Kind, parse, print, visit } from 'graphql';

const security = new Set(['authenticated', 'requiresScopes', 'policy']);

/**
 * A subgraph's SDL for a supergraph that Apollo Gateway shall run: it refuses to start on one with these directives.
 * Only for subgraphs that refuse by themselves what the directives say, as secrets-gateway does.
 */
export function withoutSecurity(sdl: string): string {
  return print(
    visit(parse(sdl), {
      [Kind.DIRECTIVE]: ({ name }) => (security.has(name.value) ? null : undefined),
      // Of the import list of @link: to import a feature is enough to need it.
      [Kind.STRING]: ({ value }) => (security.has(value.replace(/^@/, '')) ? null : undefined),
    }),
  );
}
