import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  print,
  stripIgnoredCharacters,
  visit,
} from 'graphql';

/**
 * A plugin of codegen: each operation as a string without spaces, with the types that `typescript-operations` made.
 * Its own plugin for documents makes a class, with a type of a package that users of the client would have to install.
 */
export function plugin(_schema: unknown, files: readonly { readonly document?: DocumentNode }[]) {
  const definitions = files.flatMap(({ document }) => document?.definitions ?? []);
  const fragments = new Map(
    definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  const constants = definitions
    .filter((one) => one.kind === Kind.OPERATION_DEFINITION)
    .map((operation) => constantOf(operation, fragments));
  return { prepend: ["import type { TypedDocument } from './typed-document.ts';"], content: constants.join('\n\n') };
}

function constantOf(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): string {
  const name = operation.name?.value;
  if (name === undefined) throw new Error('Every operation of the client needs a name.');
  const { operation: kind } = operation;
  const answer = `${name}${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  const text = [operation, ...fragmentsOf(operation, fragments)].map((one) => stripIgnoredCharacters(print(one)));
  return `export const ${name}Document: TypedDocument<${answer}, ${answer}Variables> =\n  '${text.join('')}';`;
}

/** The fragments that a document needs, those of its fragments too. */
function fragmentsOf(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Set<FragmentDefinitionNode> {
  const needed = new Set<FragmentDefinitionNode>();
  const collect = (definition: OperationDefinitionNode | FragmentDefinitionNode) =>
    visit(definition, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (!fragment || needed.has(fragment)) return;
        needed.add(fragment);
        collect(fragment);
      },
    });
  collect(operation);
  return needed;
}
