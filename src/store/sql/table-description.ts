import type { ColumnLimits } from '../tables/column.js';

/** A column as the database describes it. */
export interface ColumnDescription extends ColumnLimits {
  readonly name: string;
  /** The most characters, or bytes. Undefined where the type has no length. */
  readonly length: number | undefined;
  /** The digits after the point of a decimal. */
  readonly scale: number | undefined;
  /** Of a text in MySQL. */
  readonly charset: { readonly name: string; readonly collation: string } | undefined;
  /** Whether it is the `tinyint(1)` or `bit(1)` by which MySQL writes truth values. */
  readonly isTruth: boolean;
  readonly isNullable: boolean;
  /** Whether the database computes the value, so that nobody can write it. */
  readonly isGenerated: boolean;
  readonly comment: string | undefined;
}

/** Columns that name a row of another table. */
export interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
  /** The columns of the other table, in the same order. */
  readonly to: readonly string[];
}

/** Rows of another table that refer to rows of this one. */
export interface Referrer {
  readonly table: string;
  /** The columns of this table to which it refers. */
  readonly columns: readonly string[];
  /** Whether the database changes or deletes them when the row is deleted. */
  readonly followsDelete: boolean;
  /** Whether the database changes them when the columns are changed. */
  readonly followsUpdate: boolean;
}

/** A name as the table has it. Databases find columns by their names in any case. */
export const nameIn = (columns: readonly ColumnDescription[], name: string): string =>
  columns.find((column) => column.name.toLowerCase() === name.toLowerCase())?.name ?? name;

/** Whether rows follow by this rule of a foreign key. */
export const follows = (rule: string): boolean => !['NO ACTION', 'RESTRICT'].includes(rule.toUpperCase());

/** A table or a view as the database describes it. */
export interface TableDescription {
  readonly name: string;
  readonly isView: boolean;
  /** The storage engine, where it has no transactions. */
  readonly engineWithoutTransactions: string | undefined;
  readonly columns: readonly ColumnDescription[];
  /** The columns of the primary key, in the order of the key. */
  readonly primaryKey: readonly string[];
  /** Other sets of columns whose values are unique and never missing, those of fewest columns first. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly foreignKeys: readonly ForeignKey[];
  /** From all tables that the account may know of. */
  readonly referrers: readonly Referrer[];
  /** The columns of each index, the primary key left out. */
  readonly indexes: readonly (readonly string[])[];
  readonly comment: string | undefined;
}

/** An index as a database describes it. A part of it that is no column is undefined. */
export interface IndexDescription {
  readonly columns: readonly (string | undefined)[];
  readonly isUnique: boolean;
  /** Whether only some rows are in it. */
  readonly isPartial: boolean;
}

/** The indexes as far as lists use them, and those that name rows. */
export function fromIndexes(
  columns: readonly ColumnDescription[],
  indexes: readonly IndexDescription[],
): Pick<TableDescription, 'indexes' | 'uniqueKeys'> {
  const required = new Set(columns.filter(({ isNullable }) => !isNullable).map(({ name }) => name));
  const named = indexes.map((index) => ({
    ...index,
    columns: index.columns.filter((column) => column !== undefined),
    isWhole: !index.columns.includes(undefined),
  }));
  return {
    indexes: named.flatMap(({ columns: some }) => (some.length === 0 ? [] : [some])),
    uniqueKeys: named
      .filter(
        ({ columns: some, isUnique, isPartial, isWhole }) =>
          isUnique && !isPartial && isWhole && some.every((column) => required.has(column)),
      )
      .map(({ columns: some }) => some)
      .sort((a, b) => a.length - b.length),
  };
}
