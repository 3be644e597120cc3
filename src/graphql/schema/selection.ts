import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** What the document alone tells about a field is found out once: a plan has the same nodes of it for each execution. */
function oncePerField<T extends object | boolean>(find: (info: GraphQLResolveInfo) => T) {
  const known = new WeakMap<readonly FieldNode[], T>();
  return (info: GraphQLResolveInfo): T => {
    const before = known.get(info.fieldNodes);
    if (before !== undefined) return before;
    const found = find(info);
    known.set(info.fieldNodes, found);
    return found;
  };
}

/**
 * The names of the fields selected directly below the field that is being resolved, through fragments.
 * @skip and @include are ignored: at worst something is read that is not shown.
 */
export const selectedFields = oncePerField(namesBelow);

function namesBelow(info: GraphQLResolveInfo): ReadonlySet<string> {
  const names = new Set<string>();
  const spread = new Set<FragmentDefinitionNode>();
  const visit = (selectionSet: SelectionSetNode | undefined) => {
    for (const selection of selectionSet?.selections ?? []) {
      if (selection.kind === 'Field') names.add(selection.name.value);
      else if (selection.kind === 'InlineFragment') visit(selection.selectionSet);
      else {
        const fragment = info.fragments[selection.name.value];
        if (!fragment || spread.has(fragment)) continue;
        spread.add(fragment);
        visit(fragment.selectionSet);
      }
    }
  };
  for (const node of info.fieldNodes) visit(node.selectionSet);
  return names;
}

/** Of these types, what a mutation shows to a caller who may write but not read. All other fields of them are for readers. */
const forWriters = new Map(
  Object.entries({
    Secret: ['id', 'placeholder', 'name', 'owner', 'version', 'createdAt', 'updatedAt'],
    User: ['id'],
    Team: ['id'],
    Connector: ['teamId', 'id'],
  }).map(([type, fields]) => [type, new Set(fields)]),
);

/** The same for a caller who is shown all of some secrets, and no lists of others. */
const forResolvers = new Map([...forWriters].filter(([type]) => type !== 'Secret'));

/**
 * Whether the payload of the mutation that is being resolved shows more than a caller may see who may write but not read:
 * another field of a secret, or a list, however deep. A field counts unless a literal in the document leaves it out.
 */
export const showsMoreThanWritersSee = oncePerField((info) => showsMoreThan(forWriters, info));

/** Whether the payload of a delivery shows lists, however deep. */
export const showsLists = oncePerField((info) => showsMoreThan(forResolvers, info));

function showsMoreThan(
  allowed: ReadonlyMap<string, ReadonlySet<string>>,
  { fieldNodes, fragments, schema, returnType }: GraphQLResolveInfo,
): boolean {
  const visited = new Set<string>();

  function inSelections({ selections }: SelectionSetNode, parent: GraphQLNamedType | undefined): boolean {
    return selections.some((selection) => !isLeftOut(selection) && inSelection(selection, parent));
  }

  function inSelection(selection: SelectionNode, parent: GraphQLNamedType | undefined): boolean {
    switch (selection.kind) {
      case Kind.FIELD:
        return inField(selection, parent);
      case Kind.INLINE_FRAGMENT: {
        const { typeCondition } = selection;
        return inSelections(selection.selectionSet, typeCondition ? schema.getType(typeCondition.name.value) : parent);
      }
      case Kind.FRAGMENT_SPREAD: {
        const { value } = selection.name;
        // A fragment has a type of its own, so that it shows the same wherever it is spread.
        if (visited.has(value)) return false;
        visited.add(value);
        const fragment = fragments[value];
        return !fragment || inSelections(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value));
      }
    }
  }

  function inField({ name: { value: name }, selectionSet }: FieldNode, parent: GraphQLNamedType | undefined): boolean {
    if (name === '__typename') return false;
    const field = isObjectType(parent) ? parent.getFields()[name] : undefined;
    if (!parent || !field || allowed.get(parent.name)?.has(name) === false) return true;
    const type = getNamedType(field.type);
    return isList(type) || (selectionSet !== undefined && inSelections(selectionSet, type));
  }

  const payload = getNamedType(returnType);
  return fieldNodes.some((node) => node.selectionSet !== undefined && inSelections(node.selectionSet, payload));
}

/**
 * Relay's cursor connections specification, section 2: a type whose name ends so is a list in pages. Versions are a list without
 * pages.
 */
function isList({ name }: GraphQLNamedType): boolean {
  return name.endsWith('Connection') || name === 'SecretVersion';
}

function isLeftOut({ directives }: SelectionNode): boolean {
  return directives?.some((one) => isGiven(one, 'skip', true) || isGiven(one, 'include', false)) ?? false;
}

function isGiven({ name, arguments: given }: DirectiveNode, directive: string, literal: boolean): boolean {
  const value = name.value === directive ? given?.[0]?.value : undefined;
  return value?.kind === Kind.BOOLEAN && value.value === literal;
}
