import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;
type Typed = Pick<FragmentDefinitionNode, 'typeCondition'> | { readonly typeCondition?: undefined };

/** The fields that are selected of an object of a type, by their names in the answer (GraphQL, section 6.3.2, CollectFields). */
export function collectFields(
  schema: GraphQLSchema,
  fragments: Fragments,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  const visited = new Set<string>();

  function collect(set: SelectionSetNode): void {
    for (const selection of set.selections) if (isIncluded(selection)) add(selection);
  }

  function add(selection: SelectionNode): void {
    if (selection.kind === Kind.FIELD) {
      const key = (selection.alias ?? selection.name).value;
      const nodes = fields.get(key);
      if (nodes) nodes.push(selection);
      else fields.set(key, [selection]);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      if (applies(selection)) collect(selection.selectionSet);
    } else if (!visited.has(selection.name.value)) {
      visited.add(selection.name.value);
      const fragment = fragments[selection.name.value];
      if (fragment && applies(fragment)) collect(fragment.selectionSet);
    }
  }

  function applies({ typeCondition }: Typed): boolean {
    if (!typeCondition) return true;
    const condition = schema.getType(typeCondition.name.value);
    return condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
  }

  for (const set of sets) collect(set);
  return fields;
}

/** Only for directives that have no variables. */
function isIncluded(selection: SelectionNode): boolean {
  if (!selection.directives?.length) return true;
  if (getDirectiveValues(GraphQLSkipDirective, selection)?.if === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, selection)?.if !== false;
}

/** An ordinary object does not take the one for a property of its own, and is taken for a promise with the other. */
const unusual = new Set(['__proto__', 'then']);

/** Whether the same fields are selected by every execution, with names that an ordinary object can have. */
export function isFixed(set: SelectionSetNode): boolean {
  return set.selections.every((selection) => {
    if (!selection.directives?.every(isLiteral)) return false;
    if (selection.kind === Kind.FRAGMENT_SPREAD) return true;
    if (selection.kind === Kind.FIELD && unusual.has((selection.alias ?? selection.name).value)) return false;
    return !selection.selectionSet || isFixed(selection.selectionSet);
  });
}

function isLiteral({ arguments: given }: DirectiveNode): boolean {
  return !given?.some(({ value }) => value.kind === Kind.VARIABLE);
}
