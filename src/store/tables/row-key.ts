import { isCanonical } from './canonical.js';
import type { Column } from './column.js';

/** The values of a row's key as texts, in the order of the key's columns. */
type KeyValues = readonly string[];

/** A column of a key, with the property in which rows have its value. */
export interface KeyColumn {
  readonly property: string;
  readonly column: Column<unknown>;
}

/**
 * Names the rows of a table whose key is not one `id` of ours: callers get one opaque text for the values of the key's
 * columns. Each row has exactly one such id.
 */
export class RowKey {
  /** The properties of the key's columns. */
  readonly columns: readonly string[];

  constructor(private readonly described: readonly KeyColumn[]) {
    this.columns = described.map(({ property }) => property);
  }

  /** The id of a row that has the key's columns. */
  idOf(row: Readonly<Record<string, unknown>>): string {
    return this.idFrom(this.columns.map((property) => row[property]));
  }

  idFrom(values: readonly unknown[]): string {
    return Buffer.from(JSON.stringify(values.map(String))).toString('base64url');
  }

  /** The values in an id. Undefined for a text that is no id of this key. */
  valuesOf(id: string): KeyValues | undefined {
    const values = parsed(id);
    if (values?.length !== this.described.length || !this.described.every(isValueIn(values)))
      return undefined;
    // Another spelling of the same values would name the same row in another record.
    return this.idFrom(values) === id ? (values as string[]) : undefined;
  }
}

const isValueIn =
  (values: readonly unknown[]) =>
  ({ column }: KeyColumn, at: number): boolean => {
    const value = values[at];
    // JSON can name half of a character, which no database has and drivers send as another one.
    return typeof value === 'string' && value.isWellFormed() && isCanonical(column, value);
  };

function parsed(id: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
