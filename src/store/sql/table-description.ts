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
  /** The columns by which each index sorts the rows, as far as they are whole columns. The primary key is left out. */
  readonly indexes: readonly (readonly string[])[];
  /** Columns with whose first characters an index begins: it finds rows, and does not sort them. */
  readonly prefixIndexes: readonly string[];
  readonly comment: string | undefined;
}

/** A part of an index that is a column, or its first characters alone. */
export interface IndexPart {
  readonly column: string;
  readonly isPrefix: boolean;
}

/** An index as a database describes it. A part of it that is no column is undefined. */
export interface IndexDescription {
  readonly parts: readonly (IndexPart | undefined)[];
  readonly isUnique: boolean;
  /** Whether only some rows are in it. */
  readonly isPartial: boolean;
  /** Whether it compares texts in another way than their columns. */
  readonly hasOwnCollation: boolean;
}

/** The indexes as far as lists use them, and those that name rows. */
export function fromIndexes(
  columns: readonly ColumnDescription[],
  indexes: readonly IndexDescription[],
): Pick<TableDescription, 'indexes' | 'prefixIndexes' | 'uniqueKeys'> {
  const required = new Set(columns.filter(({ isNullable }) => !isNullable).map(({ name }) => name));
  const useful = indexes.filter(({ isPartial, hasOwnCollation }) => !isPartial && !hasOwnCollation);
  const sorting = useful.map(({ parts }) => {
    const end = parts.findIndex((part) => part?.isPrefix !== false);
    return namesOf(end === -1 ? parts : parts.slice(0, end));
  });
  return {
    indexes: sorting.filter(({ length }) => length > 0),
    prefixIndexes: useful.flatMap(({ parts: [first] }) => (first?.isPrefix === true ? [first.column] : [])),
    uniqueKeys: useful
      .filter(
        ({ parts, isUnique }) =>
          isUnique && parts.every((part) => part !== undefined && required.has(part.column)),
      )
      .map(({ parts }) => namesOf(parts))
      .sort((a, b) => a.length - b.length),
  };
}

const namesOf = (parts: readonly (IndexPart | undefined)[]): string[] =>
  parts.flatMap((part) => (part === undefined ? [] : [part.column]));
