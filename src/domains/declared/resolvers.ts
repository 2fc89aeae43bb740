import { faultList, type Fault } from '../../core/fault.js';
import { moneyOf } from '../../core/money.js';
import {
  reads,
  type Domain,
  type Operation,
  type Resolver,
  type Resolvers,
} from '../../delegation/resolver-context.js';
import type { ColumnSelection } from '../../store/bounded/column-selection.js';
import { eq } from '../../store/sql/condition.js';
import { columnOf, isOwnTable, tablePrefix, type AnyTable, type Table } from '../../store/tables/table.js';
import {
  columnsOfSource,
  isFiltered,
  isSorted,
  type FieldDeclaration,
  type TypeDeclaration,
  type WritableField,
} from './declaration.js';
import { fromStored } from './enums.js';
import {
  conditionOf,
  listQuery,
  storedValue,
  type ComparedColumn,
  type ListArgs,
  type Listing,
  type Row,
} from './list-query.js';
import { comparedVersion, countedVersion, versionResolver, type RowVersion } from './row-version.js';
import { shownBy } from './shown-values.js';
import { writeResolvers, type WrittenType } from './write-resolvers.js';

/** A declared type with its table. */
interface Declared {
  readonly type: TypeDeclaration;
  readonly table: Table<Row>;
  readonly listing: Listing;
}

export interface DeclaredParts {
  readonly types: readonly TypeDeclaration[];
  readonly tables: readonly AnyTable[];
  /** Tables that no other domain has. */
  readonly foreign?: readonly AnyTable[];
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
  if (maker.faults.length > 0) throw new Error(faultList('The schema does not fit the tables', maker.faults));
  return { name: 'declared', tables: parts.foreign ?? [], resolvers };
}

/** Why types do not fit their tables. */
export function tableFaults(parts: DeclaredParts): readonly Fault[] {
  const maker = new ResolverMaker(parts);
  maker.resolvers();
  return maker.faults;
}

/** The longest text to be found in a column of others that has no length. */
const foreignLengthMax = 1_000;

class ResolverMaker {
  readonly faults: Fault[] = [];
  private readonly declared = new Map<string, Declared>();
  private readonly enums: ReadonlySet<string>;
  private readonly types: readonly TypeDeclaration[];

  constructor({ types, tables, foreign = [], enums }: DeclaredParts) {
    this.enums = enums;
    this.types = types;
    const byName = new Map(
      [...tables, ...foreign].map((table) => [table.name, table as unknown as Table<Row>]),
    );
    for (const type of types) {
      const table = byName.get(type.table);
      if (table?.type === type.name)
        this.declared.set(type.name, { type, table, listing: this.listing(type, table) });
      else if (isOwnTable(type.table)) this.fault(type, notTheirs(type));
      else if (table === undefined) this.fault(type, missing(type));
      else
        this.fault(
          type,
          `${type.name} names the table ${type.table}, whose rows are of the type ${table.type}.`,
        );
    }
  }

  resolvers(): Resolvers {
    const resolvers: Record<string, Record<string, Resolver>> = {};
    const query: Record<string, Resolver> = {};
    const mutation: Record<string, Resolver> = {};
    for (const one of this.declared.values()) {
      Object.assign(query, this.rootFields(one));
      Object.assign(mutation, writeResolvers(this.written(one)));
      resolvers[one.type.name] = this.typeFields(one);
    }
    return { Query: query, Mutation: mutation, ...resolvers };
  }

  private written({ type, table }: Declared): WrittenType {
    if (table.key === undefined && Object.values(type.writes).some((write) => write !== undefined))
      this.fault(type, `${type.name} is over a table of Behalf’s own, which its own mutations change.`);
    const fields = type.fields.filter((field): field is WritableField => field.writing !== undefined);
    return {
      type,
      table,
      version: this.version(type, table),
      fields: fields.map((field) => {
        const properties = this.propertiesOf(table, field);
        return {
          field,
          properties,
          columns: properties.flatMap((property) => table.columns[property] ?? []),
          to: field.source.kind === 'reference' ? this.target(field)?.table : undefined,
          isEnum: this.enums.has(field.type),
        };
      }),
    };
  }

  /** The properties of the columns that hold a field. */
  private propertiesOf(table: AnyTable, field: FieldDeclaration): string[] {
    return columnsOfSource(field.source).map((column) => this.property(table, column, field));
  }

  private version(type: TypeDeclaration, table: AnyTable): RowVersion | undefined {
    const field = type.fields.find(({ source }) => source.kind === 'version');
    if (field?.source.kind !== 'version') return undefined;
    const { column } = field.source;
    if (column !== undefined) return countedVersion(this.property(table, column, field));
    const compared = type.fields.filter(
      // A version that other values change would tell who may not read them whether a guess is right.
      ({ name, scope }) => name !== 'id' && scope === type.scope,
    );
    return comparedVersion(type.name, [...new Set(compared.flatMap((one) => this.propertiesOf(table, one)))]);
  }

  private fault({ place }: Pick<Fault, 'place'>, message: string): void {
    this.faults.push({ place, message });
  }

  private coordinate(field: FieldDeclaration): string {
    const type = this.types.find(({ fields }) => fields.includes(field));
    return `${type?.name ?? ''}.${field.name}`;
  }

  /** The property of a column of the table. */
  private property(table: AnyTable, column: string, field: FieldDeclaration): string {
    const property = Object.keys(table.columns).find((key) => columnOf(key) === column);
    if (property === undefined)
      this.fault(
        field,
        `${this.coordinate(field)} is in the column ${table.name}.${column}, which does not exist: correct the name, or leave the field out.`,
      );
    return property ?? column;
  }

  /** How conditions look at a field. A field whose value is in no column was refused before. */
  private compared(table: AnyTable, field: FieldDeclaration): ComparedColumn {
    const { source } = field;
    const isEnum = this.enums.has(field.type);
    if (source.kind === 'money') {
      const currency = this.property(table, source.currency, field);
      return {
        property: this.property(table, source.minor, field),
        lengthMax: 0,
        isEnum,
        foreign: undefined,
        currency,
      };
    }
    const property = this.property(table, source.kind === 'column' ? source.column : field.name, field);
    const foreign = table.key === undefined ? undefined : table.columns[property];
    const lengthMax = table.columns[property]?.length ?? (foreign === undefined ? 0 : foreignLengthMax);
    const isText = field.type === 'String' && (field.filters.length > 0 || field.find !== undefined);
    if (isText && table.columns[property] !== undefined && lengthMax === 0)
      this.fault(field, `${this.coordinate(field)} is a long text, which cannot be compared.`);
    return { property, lengthMax, isEnum, foreign };
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
        const resolver = this.field(type, table, field);
        return resolver === undefined ? [] : [[field.name, resolver] as const];
      }),
    );
  }

  /** Undefined where the row's property of the field's name is the value, and where code gives it. */
  private field(type: TypeDeclaration, table: Table<Row>, field: FieldDeclaration): Resolver | undefined {
    const { name, source } = field;
    switch (source.kind) {
      case 'column': {
        // What names a row to callers may be made of several columns.
        if (name === 'id') return undefined;
        const property = this.property(table, source.column, field);
        if (this.enums.has(field.type)) return enumIn(property);
        return property === name ? undefined : valueIn(property, table, field.type);
      }
      case 'money':
        return money(this.property(table, source.minor, field), this.property(table, source.currency, field));
      case 'reference': {
        const target = this.target(field);
        if (target === undefined) return undefined;
        const properties = source.column.map((column) => this.property(table, column, field));
        this.checkReference(table, properties, target.table, field);
        return reference(properties, target.table);
      }
      case 'children': {
        const child = this.target(field);
        if (child === undefined) return undefined;
        const properties = source.column.map((column) => this.property(child.table, column, field));
        this.checkReference(child.table, properties, table, field);
        return children(properties, table, child);
      }
      case 'version': {
        const version = this.version(type, table);
        return version === undefined ? undefined : versionResolver(version);
      }
      case 'code':
        return undefined;
    }
  }

  /** Undefined where the type has no table, or one that is missing: the start is refused. */
  private target(field: FieldDeclaration): Declared | undefined {
    return this.declared.get(field.type);
  }

  /** Columns refer to a row by as many values as its key has, and not to a row of another table. */
  private checkReference(
    table: AnyTable,
    properties: readonly string[],
    to: Pick<AnyTable, 'name' | 'key'>,
    field: FieldDeclaration,
  ): void {
    const names = properties.map((property) => `${table.name}.${columnOf(property)}`).join(', ');
    const key = to.key?.columns ?? ['id'];
    // The table has no key, which is told of its type.
    if (key.length === 0) return;
    if (properties.length !== key.length) {
      const columns = key.map(columnOf).join(', ');
      this.fault(
        field,
        `${this.coordinate(field)} leads to ${to.name} by ${names}, and the key of ${to.name} is ${columns}.`,
      );
      return;
    }
    const column = table.columns[properties[0] ?? ''];
    if (to.key !== undefined || column === undefined || column.references === to.name) return;
    const what = column.references === undefined ? 'names no row' : `names a row of ${column.references}`;
    this.fault(field, `${this.coordinate(field)} leads to ${to.name} by the column ${names}, which ${what}.`);
  }
}

const notTheirs = ({ name, table }: TypeDeclaration): string =>
  `${name} cannot be over ${table}: tables whose names begin with \`${tablePrefix}\` are Behalf's own.`;

function missing({ name, table }: TypeDeclaration): string {
  if (!/[.:/]/.test(table)) return `${name} names the table ${table}, which does not exist.`;
  const why = 'because a change and its record are one transaction';
  return `${name} names the table ${table}: name it alone. Tables are in the database of DATABASE_URL, ${why}.`;
}

const byId =
  (table: Table<Row>): Resolver =>
  (_root: unknown, { id }: { id: string }, { rows }: Operation, selection: ColumnSelection) =>
    rows.get(table, id, selection);

/** The root field `find` looks for the row whose field has the value of its argument of the same name. */
const byField =
  (table: Table<Row>, find: string, name: string, column: ComparedColumn): Resolver =>
  (
    _root: unknown,
    args: Readonly<Record<string, string>>,
    { rows, scopeOf }: Operation,
    selection: ColumnSelection,
  ) => {
    const where = eq<Row>(column.property, storedValue(args[name] ?? '', name, column));
    return rows.find(table, where, selection, [scopeOf(`Query.${find}(${name}:)`)]);
  };

const reference = (properties: readonly string[], table: Table<Row>): Resolver => {
  const { key } = table;
  const [first = ''] = properties;
  const idIn = (row: Row): string | null => {
    if (key === undefined) return row[first] as string | null;
    const values = properties.map((property) => row[property]);
    return values.includes(null) ? null : key.idFrom(values);
  };
  return reads<Row>(properties, (row, _args, operation, selection) =>
    operation.rows.get(table, idIn(row), selection),
  );
};

/** Rows that refer to this one, filtered and sorted as in their own list. */
function children(
  properties: readonly string[],
  parent: Table<Row>,
  { type, table, listing }: Declared,
): Resolver {
  const isPlain = !isFiltered(type) && !isSorted(type);
  const [column = ''] = properties;
  const link = parent.key === undefined ? { column } : { columns: properties, parentKey: parent.key };
  return reads<Row>(['id'], (row, args: ListArgs, operation, selection) => {
    const { first, after } = args;
    const query = isPlain ? { order: [listing.fallback], first, after } : listQuery(listing, args, operation);
    return operation.rows.linked(table, link, row.id, query, selection);
  });
}

/** An amount in one column, in the row's currency. */
const money = (minor: string, currency: string): Resolver =>
  reads<Row>([minor, currency], (row) => {
    const [amount, code] = [row[minor], row[currency]];
    return typeof amount === 'number' && typeof code === 'string' ? moneyOf(amount, code) : null;
  });

function valueIn(property: string, table: Table<Row>, type: string): Resolver {
  const column = table.columns[property];
  const shown =
    column === undefined ? undefined : shownBy(column, type, `${table.name}.${columnOf(property)}`);
  if (shown === undefined) return reads<Row>([property], (row) => row[property]);
  return reads<Row>([property], (row) => shown(row[property]));
}

const enumIn = (property: string): Resolver =>
  reads<Row>([property], (row) => {
    const value = row[property];
    return typeof value === 'string' ? fromStored(value) : null;
  });
