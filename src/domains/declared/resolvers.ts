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
import { conditionOf, listQuery, type ListArgs, type Listing, type Row } from './list-query.js';

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

/** Everything that the schema declares by mappings, as a domain. Its tables are those of other domains. */
export const declared = (parts: DeclaredParts): Domain => ({
  name: 'declared',
  tables: [],
  resolvers: declaredResolvers(parts),
});

/** The resolvers of everything that declarations make. Throws where a table or column is missing, and names all. */
function declaredResolvers({ types, tables, enums }: DeclaredParts): Resolvers {
  const faults: string[] = [];
  const byName = new Map(tables.map((table) => [table.name, table as unknown as Table<Row>]));
  const mapped = new Map<string, Declared>();
  for (const type of types) {
    const table = byName.get(type.table);
    if (table === undefined) faults.push(`${type.name} names the table ${type.table}, which there is not`);
    else mapped.set(type.name, { type, table, listing: listingOf(type, table, enums, faults) });
  }
  const resolvers: Record<string, Record<string, Resolver>> = { Query: {} };
  for (const one of mapped.values()) {
    Object.assign(resolvers.Query ?? {}, rootFields(one, faults));
    resolvers[one.type.name] = typeFields(one, mapped, enums, faults);
  }
  if (faults.length > 0) throw new Error(`Types do not fit their tables:\n- ${faults.join('\n- ')}`);
  return resolvers;
}

/** The property of a column. A missing column is a fault. */
function propertyOf(table: AnyTable, column: string, faults: string[]): string {
  const property = Object.keys(table.columns).find((key) => snake(key) === column);
  if (property === undefined)
    faults.push(`${table.type} names the column ${table.name}.${column}, which there is not`);
  return property ?? column;
}

function listingOf(
  type: TypeDeclaration,
  table: Table<Row>,
  enums: ReadonlySet<string>,
  faults: string[],
): Listing {
  const compared = (field: FieldDeclaration) => {
    const { source } = field;
    if (source.kind !== 'column' && source.kind !== 'money') {
      faults.push(`${type.name}.${field.name} cannot filter or sort: it is no column`);
      return { property: 'id', lengthMax: 0, isEnum: false };
    }
    const property = propertyOf(table, source.kind === 'money' ? source.minor : source.column, faults);
    return {
      property,
      lengthMax: table.columns[property]?.length ?? 0,
      isEnum: enums.has(field.type),
      ...(source.kind === 'money' && { currency: propertyOf(table, source.currency, faults) }),
    };
  };
  const filters = type.fields.flatMap((field) =>
    field.filters.map(
      ({ by, name }) => [name, conditionOf(field, by, `filter.${name}`, compared(field))] as const,
    ),
  );
  const columns = type.fields.flatMap((field) =>
    field.sort === undefined ? [] : [[field.name, compared(field).property] as const],
  );
  const first = type.fields.find(({ name }) => name === type.order.by);
  return {
    filterType: `${type.name}Filter`,
    filters: Object.fromEntries(filters),
    orderType: `${type.name}Order`,
    columns: Object.fromEntries(columns),
    fallback: {
      column: first === undefined ? 'id' : compared(first).property,
      direction: type.order.direction === 'ASC' ? 'asc' : 'desc',
    },
  };
}

function rootFields({ type, table, listing }: Declared, faults: string[]): Record<string, Resolver> {
  const fields: Record<string, Resolver> = {};
  const { one, list } = type.query;
  if (one !== undefined) {
    fields[one] = (_root: unknown, { id }: { id: string }, { rows }: Operation, selection: ColumnSelection) =>
      rows.get(table, id, selection);
  }
  if (list !== undefined) {
    fields[list] = (_root: unknown, args: ListArgs, operation: Operation, selection: ColumnSelection) =>
      operation.rows.list(table, listQuery(listing, args, operation), selection);
  }
  for (const { name, find, source } of type.fields) {
    if (find === undefined) continue;
    if (source.kind !== 'column') {
      faults.push(`${type.name}.${name} cannot find a row: it is no column`);
      continue;
    }
    const property = propertyOf(table, source.column, faults);
    const lengthMax = table.columns[property]?.length ?? 0;
    fields[find] = (
      _root: unknown,
      args: Readonly<Record<string, string>>,
      { rows }: Operation,
      selection: ColumnSelection,
    ) => rows.find(table, eq(property, oneLine(args[name] ?? '', lengthMax, name)), selection);
  }
  return fields;
}

function typeFields(
  { type, table }: Declared,
  mapped: ReadonlyMap<string, Declared>,
  enums: ReadonlySet<string>,
  faults: string[],
): Record<string, Resolver> {
  const fields: Record<string, Resolver> = {};
  for (const field of type.fields) {
    const { name, source } = field;
    const target = mapped.get(field.type);
    switch (source.kind) {
      case 'column': {
        const property = propertyOf(table, source.column, faults);
        if (enums.has(field.type)) fields[name] = enumIn(property);
        else if (property !== name) fields[name] = reads<Row>([property], (row) => row[property]);
        break;
      }
      case 'money':
        fields[name] = money(
          propertyOf(table, source.minor, faults),
          propertyOf(table, source.currency, faults),
        );
        break;
      case 'reference':
        if (target === undefined)
          faults.push(`${type.name}.${name} refers to ${field.type}, which has no @table`);
        else fields[name] = reference(propertyOf(table, source.column, faults), target.table);
        break;
      case 'children':
        if (target !== undefined)
          fields[name] = children(propertyOf(target.table, source.column, faults), target);
        break;
      case 'code':
        break;
    }
  }
  return fields;
}

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
