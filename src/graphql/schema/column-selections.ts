import {
  getNamedType,
  isObjectType,
  Kind,
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  type SelectionSetNode,
} from 'graphql';
import type { Domain, Resolver, Resolvers } from '../../delegation/resolver-context.js';
import type { ColumnSelection } from '../../store/bounded/column-selection.js';
import type { AnyTable } from '../../store/tables/table.js';

type Where = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments' | 'returnType'>;

/** The property that a compiled operation adds to the `info` of its resolvers. */
interface Enriched {
  readonly selection: ColumnSelection;
}

/** `all`: some resolver below does not declare the columns that it reads. */
type Columns = Set<string> | 'all';

/** Tells each resolver which columns of its rows the answer needs. */
export class ColumnSelections {
  private readonly tables: ReadonlyMap<string, AnyTable>;
  private readonly resolvers = new Map<string, Resolver>();
  private readonly known = new WeakMap<readonly FieldNode[], ColumnSelection>();

  constructor(domains: readonly Pick<Domain, 'tables' | 'resolvers'>[]) {
    this.tables = new Map(domains.flatMap((domain) => domain.tables.map((table) => [table.type, table])));
    for (const { resolvers } of domains) this.add(resolvers);
  }

  /** The columns below the field of a resolver; the same for each of its rows. */
  at(info: Where & Partial<Enriched>): ColumnSelection {
    if (info.selection !== undefined) return info.selection;
    const known = this.known.get(info.fieldNodes);
    if (known !== undefined) return known;
    const selection = this.read(info);
    this.known.set(info.fieldNodes, selection);
    return selection;
  }

  /** The same, worked out once when an operation is compiled. */
  enriching(info: Where): Enriched {
    return { selection: this.read(info) };
  }

  private read(info: Where): ColumnSelection {
    const found = new Map<string, Columns>();
    const sets = info.fieldNodes.flatMap((node) => node.selectionSet ?? []);
    for (const set of sets) this.collect(getNamedType(info.returnType), set, info, found);
    return {
      fields: sets.reduce((sum, set) => sum + fieldsIn(set, info.fragments), 0),
      columns: ({ type }) => {
        const columns = found.get(type) ?? none;
        return columns === 'all' ? undefined : columns;
      },
    };
  }

  private add(resolvers: Resolvers): void {
    for (const [type, fields] of Object.entries(resolvers)) {
      for (const [field, resolver] of Object.entries(fields))
        this.resolvers.set(`${type}.${field}`, resolver);
    }
  }

  private collect(
    type: GraphQLNamedType,
    set: SelectionSetNode,
    where: Where,
    found: Map<string, Columns>,
  ): void {
    const table = this.tables.get(type.name);
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        const field = isObjectType(type) ? type.getFields()[name] : undefined;
        if (table !== undefined) addTo(found, type.name, this.neededFor(table, `${type.name}.${name}`, name));
        else if (field !== undefined && selection.selectionSet !== undefined) {
          this.collect(getNamedType(field.type), selection.selectionSet, where, found);
        }
        continue;
      }
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : where.fragments[selection.name.value];
      // A fragment on another type is on an interface or union; its rows are read whole.
      const on = fragment?.typeCondition?.name.value ?? type.name;
      if (fragment !== undefined && on === type.name) this.collect(type, fragment.selectionSet, where, found);
      else for (const name of this.tables.keys()) found.set(name, 'all');
    }
  }

  private neededFor(table: AnyTable, coordinate: string, field: string): readonly string[] | 'all' {
    if (field === '__typename') return [];
    // The id of a table of others is made of its key, which is always read.
    if (field === 'id' && table.key !== undefined) return [];
    const resolver = this.resolvers.get(coordinate);
    if (resolver !== undefined) return resolver.reads ?? 'all';
    return field in table.columns ? [field] : 'all';
  }
}

const fieldsIn = ({ selections }: SelectionSetNode, fragments: Where['fragments']): number =>
  selections.reduce((sum, selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = fragments[selection.name.value];
      return sum + (fragment === undefined ? 0 : fieldsIn(fragment.selectionSet, fragments));
    }
    const below = selection.selectionSet === undefined ? 0 : fieldsIn(selection.selectionSet, fragments);
    return sum + below + Number(selection.kind === Kind.FIELD);
  }, 0);

const none: ReadonlySet<string> = new Set(['id']);

function addTo(found: Map<string, Columns>, type: string, needed: readonly string[] | 'all'): void {
  const known = found.get(type) ?? new Set(['id']);
  if (known === 'all' || needed === 'all') found.set(type, 'all');
  else found.set(type, new Set([...known, ...needed]));
}
