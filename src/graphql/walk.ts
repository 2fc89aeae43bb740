import {
  getArgumentValues,
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isObjectType,
  Kind,
  typeFromAST,
  getNamedType,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** One field that an operation selects, on one of the object types that it may turn out to be. */
export interface SelectedField {
  readonly node: FieldNode;
  readonly type: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Walk {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Coerced. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Every field of an operation, interfaces and unions expanded to each possible object type. What `@skip` and
 * `@include` leave out is left out. The document must be valid.
 */
export function* selectedFields(walk: Walk, operation: OperationDefinitionNode): Generator<SelectedField> {
  const root = walk.schema.getRootType(operation.operation);
  if (root !== null && root !== undefined) yield* fieldsOf(walk, root, operation.selectionSet, new Set());
}

function* fieldsOf(
  walk: Walk,
  type: GraphQLNamedType,
  set: SelectionSetNode,
  seen: Set<string>,
): Generator<SelectedField> {
  const types = isObjectType(type) ? [type] : isAbstractType(type) ? walk.schema.getPossibleTypes(type) : [];
  for (const one of types) {
    for (const selection of set.selections) {
      if (isIncluded(walk, selection)) yield* fieldsOfSelection(walk, one, selection, seen);
    }
  }
}

function* fieldsOfSelection(
  walk: Walk,
  type: GraphQLObjectType,
  selection: SelectionNode,
  seen: Set<string>,
): Generator<SelectedField> {
  if (selection.kind === Kind.FIELD) {
    const field = type.getFields()[selection.name.value];
    if (field === undefined) return;
    yield { node: selection, type, field, args: getArgumentValues(field, selection, walk.variables) };
    if (selection.selectionSet !== undefined) {
      yield* fieldsOf(walk, getNamedType(field.type), selection.selectionSet, new Set());
    }
    return;
  }
  const fragment =
    selection.kind === Kind.INLINE_FRAGMENT ? selection : walk.fragments.get(selection.name.value);
  if (fragment === undefined) return;
  if (fragment.kind === Kind.FRAGMENT_DEFINITION) {
    const key = `${type.name} ${fragment.name.value}`;
    if (seen.has(key)) return;
    seen.add(key);
  }
  const condition = fragment.typeCondition;
  if (condition !== undefined) {
    const on = typeFromAST(walk.schema, condition);
    const applies = on === type || (isAbstractType(on) && walk.schema.isSubType(on, type));
    if (!applies) return;
  }
  yield* fieldsOf(walk, type, fragment.selectionSet, seen);
}

function isIncluded(walk: Walk, selection: SelectionNode): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, selection, walk.variables);
  const include = getDirectiveValues(GraphQLIncludeDirective, selection, walk.variables);
  return skip?.if !== true && include?.if !== false;
}
