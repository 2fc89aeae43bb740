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
import { pageSizeDefault } from '../store/page.js';

/** One field that an operation selects, on one of the object types that it may turn out to be. */
export interface SelectedField {
  readonly node: FieldNode;
  readonly type: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly args: Readonly<Record<string, unknown>>;
  /** How often it may be resolved at most, as far as page sizes tell. */
  readonly times: number;
}

export interface Walk {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Coerced. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Larger pages are refused where they are asked for. */
  readonly pageSizeMax: number;
}

/**
 * Every field of an operation, interfaces and unions expanded to each possible object type. What `@skip` and
 * `@include` leave out is left out. The document must be valid.
 */
export function* selectedFields(walk: Walk, operation: OperationDefinitionNode): Generator<SelectedField> {
  const root = walk.schema.getRootType(operation.operation);
  if (root !== null && root !== undefined) yield* fieldsOf(walk, root, operation.selectionSet, new Set(), 1);
}

function* fieldsOf(
  walk: Walk,
  type: GraphQLNamedType,
  set: SelectionSetNode,
  seen: Set<string>,
  times: number,
): Generator<SelectedField> {
  const types = isObjectType(type) ? [type] : isAbstractType(type) ? walk.schema.getPossibleTypes(type) : [];
  for (const one of types) {
    for (const selection of set.selections) {
      if (isIncluded(walk, selection)) yield* fieldsOfSelection(walk, one, selection, seen, times);
    }
  }
}

function* fieldsOfSelection(
  walk: Walk,
  type: GraphQLObjectType,
  selection: SelectionNode,
  seen: Set<string>,
  times: number,
): Generator<SelectedField> {
  if (selection.kind === Kind.FIELD) {
    const field = type.getFields()[selection.name.value];
    if (field === undefined) return;
    const args = getArgumentValues(field, selection, walk.variables);
    yield { node: selection, type, field, args, times };
    if (selection.selectionSet !== undefined) {
      const inner = times * Math.min(pageSize(field, args), walk.pageSizeMax);
      yield* fieldsOf(walk, getNamedType(field.type), selection.selectionSet, new Set(), inner);
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
  yield* fieldsOf(walk, type, fragment.selectionSet, seen, times);
}

/** A field with a `first` argument gives a page; every other one counts once. */
function pageSize(field: GraphQLField<unknown, unknown>, args: Readonly<Record<string, unknown>>): number {
  if (!field.args.some((arg) => arg.name === 'first')) return 1;
  return typeof args.first === 'number' ? Math.max(1, args.first) : pageSizeDefault;
}

/**
 * How many fields an operation may resolve, as far as page sizes tell; infinite as soon as that passes `max`.
 * It stops there, so that fragments which multiply one another cost no more than what is allowed.
 */
export function operationCost(walk: Walk, operation: OperationDefinitionNode, max: number): number {
  let cost = 0;
  for (const { times } of selectedFields(walk, operation)) {
    cost += times;
    if (cost > max) return Number.POSITIVE_INFINITY;
  }
  return cost;
}

function isIncluded(walk: Walk, selection: SelectionNode): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, selection, walk.variables);
  const include = getDirectiveValues(GraphQLIncludeDirective, selection, walk.variables);
  return skip?.if !== true && include?.if !== false;
}
