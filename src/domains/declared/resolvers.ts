import { faultList } from '../../core/fault.js';
import type { Domain, Operation, Resolver, Resolvers } from '../../delegation/resolver-context.js';
import type { ColumnSelection } from '../../store/bounded/column-selection.js';
import type { AnyTable, Table } from '../../store/tables/table.js';
import {
  columnsOfSource,
  type FieldDeclaration,
  type TypeDeclaration,
  type WritableField,
} from './declaration.js';
import { declaredTypes, propertyIn, type DeclaredParts, type DeclaredType } from './declared-types.js';
import { byField, byId, children, enumIn, money, reference, valueIn } from './field-resolvers.js';
import {
  conditionOf,
  listQuery,
  type ComparedColumn,
  type ListArgs,
  type Listing,
  type Row,
} from './list-query.js';
import { comparedVersion, countedVersion, versionResolver, type RowVersion } from './row-version.js';
import { tableFaults } from './table-faults.js';
import { writeResolvers, type WrittenType } from './write-resolvers.js';

/** A declared type with everything that its lists need. */
interface Listed extends DeclaredType {
  readonly listing: Listing;
}

/**
 * Everything that is made of types with `@table`, as a domain. Its tables are those of other domains. Throws where a
 * type does not fit its table, and tells all faults with file and line.
 */
export function declared(parts: DeclaredParts): Domain {
  const faults = tableFaults(parts);
  if (faults.length > 0) throw new Error(faultList('The schema does not fit the tables', faults));
  return { name: 'declared', tables: parts.foreign ?? [], resolvers: new ResolverMaker(parts).resolvers() };
}

/** The longest text to be found in a column of others that has no length. */
const foreignLengthMax = 1_000;

class ResolverMaker {
  private readonly declared: ReadonlyMap<string, Listed>;
  private readonly enums: ReadonlySet<string>;

  constructor(parts: DeclaredParts) {
    this.enums = parts.enums;
    this.declared = new Map(
      [...declaredTypes(parts)].map(([name, { type, table }]) => [
        name,
        { type, table, listing: this.listing(type, table) },
      ]),
    );
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

  private written({ type, table }: DeclaredType): WrittenType {
    const fields = type.fields.filter((field): field is WritableField => field.writing !== undefined);
    return {
      type,
      table,
      version: this.version(type, table),
      fields: fields.map((field) => {
        const properties = propertiesOf(table, field);
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

  private version(type: TypeDeclaration, table: AnyTable): RowVersion | undefined {
    const field = type.fields.find(({ source }) => source.kind === 'version');
    if (field?.source.kind !== 'version') return undefined;
    const { column } = field.source;
    if (column !== undefined) return countedVersion(existingProperty(table, column), table);
    const compared = type.fields.filter(
      // A version that other values change would tell who may not read them whether a guess is right.
      ({ name, scope }) => name !== 'id' && scope === type.scope,
    );
    return comparedVersion(type.name, [...new Set(compared.flatMap((one) => propertiesOf(table, one)))]);
  }

  /** How conditions look at a field. */
  private compared(table: AnyTable, field: FieldDeclaration): ComparedColumn {
    const { source } = field;
    const isEnum = this.enums.has(field.type);
    if (source.kind === 'money') {
      const [property, currency] = [
        existingProperty(table, source.minor),
        existingProperty(table, source.currency),
      ];
      return { property, lengthMax: 0, isEnum, foreign: undefined, currency };
    }
    const property = existingProperty(table, source.kind === 'column' ? source.column : field.name);
    const column = table.columns[property];
    const foreign = table.key === undefined ? undefined : column;
    const lengthMax = column?.length ?? (foreign === undefined ? 0 : foreignLengthMax);
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

  private rootFields({ type, table, listing }: Listed): Record<string, Resolver> {
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

  private typeFields({ type, table }: DeclaredType): Record<string, Resolver> {
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
        const property = existingProperty(table, source.column);
        if (this.enums.has(field.type)) return enumIn(property);
        return property === name ? undefined : valueIn(property, table, field.type);
      }
      case 'money':
        return money(existingProperty(table, source.minor), existingProperty(table, source.currency));
      case 'reference': {
        const target = this.target(field);
        return target && reference(propertiesOf(table, field), target.table);
      }
      case 'children': {
        const child = this.target(field);
        if (child === undefined) return undefined;
        const properties = source.column.map((column) => existingProperty(child.table, column));
        return children(properties, table, child);
      }
      case 'version': {
        const version = this.version(type, table);
        return version && versionResolver(version);
      }
      case 'code':
        return undefined;
    }
  }

  /** Undefined where the type has no table. */
  private target(field: FieldDeclaration): Listed | undefined {
    return this.declared.get(field.type);
  }
}

/** The property of a column that exists. */
function existingProperty(table: AnyTable, column: string): string {
  const property = propertyIn(table, column);
  if (property === undefined) throw new Error(`The table ${table.name} has no column ${column}.`);
  return property;
}

/** The properties of the columns that hold a field. */
const propertiesOf = (table: AnyTable, { source }: FieldDeclaration): string[] =>
  columnsOfSource(source).map((column) => existingProperty(table, column));
