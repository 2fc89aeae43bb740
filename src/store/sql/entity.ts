import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import type { Dialect } from '../tables/dialect.js';
import type { Column, OwnKind } from '../tables/column.js';
import { snake, type AnyTable } from '../tables/table.js';

type ColumnType = NonNullable<EntitySchemaColumnOptions['type']>;

const types: Record<Dialect, Record<OwnKind, ColumnType>> = {
  sqlite: {
    id: 'varchar',
    text: 'varchar',
    longtext: 'text',
    int: 'integer',
    // An alias of SQLite's own row number, where it is the key.
    long: 'integer',
    minor: 'bigint',
    time: 'datetime',
    flag: 'boolean',
    json: 'text',
  },
  mysql: {
    id: 'varchar',
    text: 'varchar',
    longtext: 'mediumtext',
    int: 'int',
    long: 'bigint',
    minor: 'bigint',
    time: 'datetime',
    flag: 'tinyint',
    json: 'mediumtext',
  },
};

/**
 * A table in TypeORM's terms, as the migrations make it on one of the databases. It is not used at run time.
 */
export function entityOf(table: AnyTable, dialect: Dialect): EntitySchema {
  const { name, type, rowNumber, indexes } = table;
  const isNumbered = rowNumber === 'everywhere' || rowNumber === dialect;
  const key = isNumbered ? [] : table.primaryKey;
  const columns = Object.entries(table.columns).map(([property, column]) => [
    property,
    columnOptions(property, column, key.includes(property), dialect),
  ]);
  if (isNumbered) columns.push(['rowNo', rowNumbers[dialect]]);
  return new EntitySchema({
    name: type,
    tableName: name,
    columns: Object.fromEntries(columns) as Record<string, EntitySchemaColumnOptions>,
    indices: [...indexes, ...(isNumbered ? [{ columns: table.primaryKey, isUnique: true }] : [])].map(
      (index) => ({
        name: indexName(name, index.columns, index.isUnique),
        columns: [...index.columns],
        unique: index.isUnique,
      }),
    ),
  });
}

const rowNumbers: Record<Dialect, EntitySchemaColumnOptions> = {
  sqlite: { name: 'row_no', type: 'integer', primary: true, generated: 'increment' },
  mysql: { name: 'row_no', type: 'bigint', primary: true, generated: 'increment' },
};

/** The index name of the migrations; see `migrations/columns.ts`. */
const indexName = (table: string, columns: readonly string[], isUnique: boolean): string =>
  `${isUnique ? 'uq' : 'ix'}_${table}_${columns.map(snake).join('_')}`.slice(0, 60);

function typeOf(kind: Column<unknown>['kind'], dialect: Dialect): ColumnType {
  const type = (types[dialect] as Partial<Record<string, ColumnType>>)[kind];
  if (type === undefined) throw new Error(`Our tables have no ${kind}.`);
  return type;
}

function columnOptions(
  property: string,
  column: Column<unknown>,
  primary: boolean,
  dialect: Dialect,
): EntitySchemaColumnOptions {
  return {
    name: snake(property),
    type: typeOf(column.kind, dialect),
    nullable: column.nullable,
    primary,
    ...(column.length === undefined ? {} : { length: column.length }),
    ...(column.default === undefined ? {} : { default: column.default }),
    ...(column.kind === 'time' && dialect === 'mysql' ? { precision: 3 } : {}),
  };
}
