import {
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isIntrospectionType,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  typeFromAST,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

type Values = Readonly<Record<string, unknown>>;

/** One field of an answer: all nodes with the same response key on the same object type. */
export interface Selected {
  /** The response key: the alias, or the name. */
  readonly key: string;
  readonly type: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  /** `Type.field`. */
  readonly coordinate: string;
  /** Unique in the operation. */
  readonly number: number;
  /**
   * True for `__typename`, and for `__schema` and `__type` with all below. They have no rule: the caller's own view
   * answers.
   */
  readonly isMeta: boolean;
  readonly nodes: readonly FieldNode[];
  /** In the order of the answer; for an interface or union, the fields of each possible type in turn. */
  readonly children: readonly Selected[];
}

export interface Selection {
  readonly fields: readonly Selected[];
  /** The number of fields on all levels. */
  readonly size: number;
  /** False where `@skip` or `@include` makes it depend on this request's variables. */
  readonly isFixed: boolean;
  /** True where a field may have one of several types. */
  readonly isAbstract: boolean;
  /** True where `__schema` or `__type` is selected. */
  readonly isIntrospective: boolean;
  /** False where a response key is `__proto__`, which cannot be an ordinary property. */
  readonly isOrdinary: boolean;
}

/** The fields of a valid operation: fragments are written out, nodes of one response key are joined. */
export function selectionOf(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  operation: OperationDefinitionNode,
  variables: Values,
): Selection {
  const root = schema.getRootType(operation.operation);
  const reader = new Reader(schema, fragments, variables);
  const fields = root === null || root === undefined ? [] : reader.fieldsOf(root, [operation.selectionSet]);
  const { size, isFixed, isAbstract, isIntrospective, isOrdinary } = reader;
  return { fields, size, isFixed, isAbstract, isIntrospective, isOrdinary };
}

const metaFields = new Map(
  [TypeNameMetaFieldDef, SchemaMetaFieldDef, TypeMetaFieldDef].map((field) => [field.name, field]),
);

class Reader {
  size = 0;
  isFixed = true;
  isAbstract = false;
  isIntrospective = false;
  isOrdinary = true;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    private readonly variables: Values,
  ) {}

  fieldsOf(type: GraphQLNamedType, sets: readonly SelectionSetNode[]): Selected[] {
    if (isAbstractType(type)) this.isAbstract = true;
    const types = isObjectType(type)
      ? [type]
      : isAbstractType(type)
        ? this.schema.getPossibleTypes(type)
        : [];
    return types.flatMap((one) => {
      const nodes = new Map<string, FieldNode[]>();
      const seen = new Set<string>();
      for (const set of sets) this.collect(one, set, nodes, seen);
      return [...nodes].flatMap(([key, same]) => this.selected(one, key, same));
    });
  }

  private selected(type: GraphQLObjectType, key: string, nodes: readonly FieldNode[]): Selected[] {
    this.size += 1;
    const number = this.size;
    if (key === '__proto__') this.isOrdinary = false;
    const name = nodes[0]?.name.value ?? '';
    if (name === '__schema' || name === '__type') this.isIntrospective = true;
    const coordinate = `${type.name}.${name}`;
    const field = metaFields.get(name) ?? type.getFields()[name];
    if (field === undefined) return [];
    const isMeta = name.startsWith('__') || isIntrospectionType(type);
    const sets = nodes.flatMap((node) => node.selectionSet ?? []);
    const children = sets.length === 0 ? [] : this.fieldsOf(getNamedType(field.type), sets);
    return [{ key, type, field, coordinate, number, isMeta, nodes, children }];
  }

  private collect(
    type: GraphQLObjectType,
    set: SelectionSetNode,
    nodes: Map<string, FieldNode[]>,
    seen: Set<string>,
  ): void {
    for (const selection of set.selections) {
      if ((selection.directives?.length ?? 0) > 0) {
        this.isFixed = false;
        if (!this.isIncluded(selection)) continue;
      }
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const known = nodes.get(key);
        if (known === undefined) nodes.set(key, [selection]);
        else known.push(selection);
        continue;
      }
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD;
      const fragment = isSpread ? this.fragments.get(selection.name.value) : selection;
      if (fragment === undefined || (isSpread && seen.has(selection.name.value))) continue;
      if (isSpread) seen.add(selection.name.value);
      if (this.applies(fragment.typeCondition, type)) this.collect(type, fragment.selectionSet, nodes, seen);
    }
  }

  private applies(condition: FragmentDefinitionNode['typeCondition'] | undefined, type: GraphQLObjectType) {
    if (condition === undefined) return true;
    const on = typeFromAST(this.schema, condition);
    return on === type || (isAbstractType(on) && this.schema.isSubType(on, type));
  }

  private isIncluded(selection: SelectionSetNode['selections'][number]): boolean {
    const skip = getDirectiveValues(GraphQLSkipDirective, selection, this.variables);
    const include = getDirectiveValues(GraphQLIncludeDirective, selection, this.variables);
    return skip?.if !== true && include?.if !== false;
  }
}

/** The coerced arguments of a selected field. */
export const argumentsOf = ({ field, nodes }: Selected, variables: Values): Values => {
  const [node] = nodes;
  return node === undefined || field.args.length === 0 ? {} : getArgumentValues(field, node, variables);
};

/** Every selected field, parents before children. */
export function* each(fields: readonly Selected[]): Generator<Selected> {
  for (const field of fields) {
    yield field;
    yield* each(field.children);
  }
}
