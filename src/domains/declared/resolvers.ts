import { moneyOf } from '../../core/money.js';
import { oneLine } from '../../core/checked-text.js';
import {
  reads,
  type Domain,
  type Operation,
  type Resolver,
  type Resolvers,
} from '../../delegation/resolver-context.js';
import type { ColumnSelection } from '../../store/bounded/column-selection.js';
import { eq } from '../../store/sql/condition.js';
import { snake, type AnyTable, type Table } from '../../store/tables/table.js';
import { isFiltered, isSorted, type FieldDeclaration, type TypeDeclaration } from './declaration.js';
import { fromStored } from './enums.js';
import {
  conditionOf,
  listQuery,
  type ComparedColumn,
  type ListArgs,
  type Listing,
  type Row,
} from './list-query.js';

/** A declared type with its table. */
interface Declared {
  readonly type: TypeDeclaration;
  readonly table: Table<Row>;
  readonly listing: Listing;
}

export interface DeclaredParts {
  readonly types: readonly TypeDeclaration[];
  readonly tables: readonly AnyTable[];
  /** The names of the schema's enums. Their values are stored in small letters. */
  readonly enums: ReadonlySet<string>;
}

/**
 * Everything that is made of types with `@table`, as a domain. Its tables are those of other domains. Throws where a
 * type does not fit its table, and tells all faults with file and line.
 */
export function declared(parts: DeclaredParts): Domain {
  const maker = new ResolverMaker(parts);
  const resolvers = maker.resolvers();
  if (maker.faults.length > 0)
    throw new Error(`The schema does not fit the tables:\n- ${maker.faults.join('\n- ')}`);
  return { name: 'declared', tables: [], resolvers };
}

class ResolverMaker {
  readonly faults: string[] = [];
  private readonly declared = new Map<string, Declared>();
  private readonly enums: ReadonlySet<string>;

  constructor({ types, tables, enums }: DeclaredParts) {
    this.enums = enums;
    const byName = new Map(tables.map((table) => [table.name, table as unknown as Table<Row>]));
    for (const type of types) {
      const table = byName.get(type.table);
      if (table === undefined)
        this.fault(type, `${type.name} names the table ${type.table}, which does not exist.`);
      else if (table.type !== type.name)
        this.fault(
          type,
          `${type.name} names the table ${type.table}, whose rows are of the type ${table.type}.`,
        );
      else this.declared.set(type.name, { type, table, listing: this.listing(type, table) });
    }
  }

  resolvers(): Resolvers {
    const resolvers: Record<string, Record<string, Resolver>> = {};
    const query: Record<string, Resolver> = {};
    for (const one of this.declared.values()) {
      Object.assign(query, this.rootFields(one));
      resolvers[one.type.name] = this.typeFields(one);
    }
    return { Query: query, ...resolvers };
  }

  private fault({ place }: { readonly place: string }, message: string): void {
    this.faults.push(`${place}: ${message}`);
  }

  /** The property of a column of the table. */
  private property(table: AnyTable, column: string, field: FieldDeclaration): string {
    const property = Object.keys(table.columns).find((key) => snake(key) === column);
    if (property === undefined)
      this.fault(field, `${field.name} is in the column ${table.name}.${column}, which does not exist.`);
    return property ?? column;
  }

  /** How conditions look at a field. A field whose value is in no column was refused before. */
  private compared(table: AnyTable, field: FieldDeclaration): ComparedColumn {
    const { source } = field;
    const isEnum = this.enums.has(field.type);
    if (source.kind === 'money') {
      const currency = this.property(table, source.currency, field);
      return { property: this.property(table, source.minor, field), lengthMax: 0, isEnum, currency };
    }
    const property = this.property(table, source.kind === 'column' ? source.column : field.name, field);
    const lengthMax = table.columns[property]?.length ?? 0;
    const isText = field.type === 'String' && (field.filters.length > 0 || field.find !== undefined);
    if (isText && table.columns[property] !== undefined && lengthMax === 0)
      this.fault(field, `${field.name} is a long text, which cannot be compared.`);
    return { property, lengthMax, isEnum };
  }

  private listing(type: TypeDeclaration, table: Table<Row>): Listing {
    const filters = type.fields.flatMap((field) =>
      field.filters.map(
        ({ by, name }) =>
          [name, conditionOf(field, by, `filter.${name}`, this.compared(table, field))] as const,
      ),
    );
    const columns = type.fields.flatMap((field) =>
      field.sort === undefined ? [] : [[field.name, this.compared(table, field).property] as const],
    );
    const first = type.fields.find(({ name }) => name === type.order.by);
    return {
      filterType: `${type.name}Filter`,
      filters: Object.fromEntries(filters),
      orderType: `${type.name}Order`,
      columns: Object.fromEntries(columns),
      fallback: {
        column: first === undefined ? 'id' : this.compared(table, first).property,
        direction: type.order.direction === 'ASC' ? 'asc' : 'desc',
      },
    };
  }

  private rootFields({ type, table, listing }: Declared): Record<string, Resolver> {
    const fields: Record<string, Resolver> = {};
    const { one, list } = type.query;
    if (one !== undefined) fields[one] = byId(table);
    if (list !== undefined) {
      fields[list] = (_root: unknown, args: ListArgs, operation: Operation, selection: ColumnSelection) =>
        operation.rows.list(table, listQuery(listing, args, operation), selection);
    }
    for (const field of type.fields) {
      if (field.find !== undefined)
        fields[field.find] = byField(table, field.find, field.name, this.compared(table, field));
    }
    return fields;
  }

  private typeFields({ type, table }: Declared): Record<string, Resolver> {
    return Object.fromEntries(
      type.fields.flatMap((field) => {
        const resolver = this.field(table, field);
        return resolver === undefined ? [] : [[field.name, resolver] as const];
      }),
    );
  }

  /** Undefined where the row's property of the field's name is the value, and where code gives it. */
  private field(table: Table<Row>, field: FieldDeclaration): Resolver | undefined {
    const { name, source } = field;
    switch (source.kind) {
      case 'column': {
        const property = this.property(table, source.column, field);
        if (this.enums.has(field.type)) return enumIn(property);
        return property === name ? undefined : reads<Row>([property], (row) => row[property]);
      }
      case 'money':
        return money(this.property(table, source.minor, field), this.property(table, source.currency, field));
      case 'reference': {
        const target = this.target(field);
        const property = this.property(table, source.column, field);
        return target === undefined
          ? undefined
          : reference(property, this.referring(table, property, target, field));
      }
      case 'children': {
        const child = this.target(field);
        if (child === undefined) return undefined;
        const property = this.property(child.table, source.column, field);
        this.referring(child.table, property, { table }, field);
        return children(property, child);
      }
      case 'code':
        return undefined;
    }
  }

  private target(field: FieldDeclaration): Declared | undefined {
    const target = this.declared.get(field.type);
    if (target === undefined) this.fault(field, `${field.name} leads to ${field.type}, which has no @table.`);
    return target;
  }

  /** The table to which the column refers. A column that refers to another one is a fault. */
  private referring(
    table: AnyTable,
    property: string,
    { table: to }: { readonly table: Table<Row> },
    field: FieldDeclaration,
  ): Table<Row> {
    const references = table.columns[property]?.references;
    if (table.columns[property] !== undefined && references !== to.name) {
      const what = references === undefined ? 'names no row' : `names a row of ${references}`;
      this.fault(
        field,
        `${field.name} leads to ${to.name} by the column ${table.name}.${snake(property)}, which ${what}.`,
      );
    }
    return to;
  }
}

const byId =
  (table: Table<Row>): Resolver =>
  (_root: unknown, { id }: { id: string }, { rows }: Operation, selection: ColumnSelection) =>
    rows.get(table, id, selection);

/** The root field `find` looks for the row whose field has the value of its argument of the same name. */
const byField =
  (table: Table<Row>, find: string, name: string, { property, lengthMax }: ComparedColumn): Resolver =>
  (
    _root: unknown,
    args: Readonly<Record<string, string>>,
    { rows, scopeOf }: Operation,
    selection: ColumnSelection,
  ) => {
    const where = eq<Row>(property, oneLine(args[name] ?? '', lengthMax, name));
    return rows.find(table, where, selection, [scopeOf(`Query.${find}(${name}:)`)]);
  };

const reference = (property: string, table: Table<Row>): Resolver =>
  reads<Row>([property], (row, _args, operation, selection) =>
    operation.rows.get(table, row[property] as string | null, selection),
  );

/** Rows that refer to this one, filtered and sorted as in their own list. */
function children(property: string, { type, table, listing }: Declared): Resolver {
  const isPlain = !isFiltered(type) && !isSorted(type);
  return reads<Row>(['id'], (row, args: ListArgs, operation, selection) => {
    const { first, after } = args;
    const query = isPlain ? { order: [listing.fallback], first, after } : listQuery(listing, args, operation);
    return operation.rows.children(table, property, row.id, query, selection);
  });
}

/** An amount in one column, in the row's currency. */
const money = (minor: string, currency: string): Resolver =>
  reads<Row>([minor, currency], (row) => {
    const [amount, code] = [row[minor], row[currency]];
    return typeof amount === 'number' && typeof code === 'string' ? moneyOf(amount, code) : null;
  });

const enumIn = (property: string): Resolver =>
  reads<Row>([property], (row) => {
    const value = row[property];
    return typeof value === 'string' ? fromStored(value) : null;
  });
