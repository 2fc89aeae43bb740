/** The values of a row's key as texts, in the order of the key's columns. */
export type KeyValues = readonly string[];

/**
 * Names the rows of a table whose key is not one `id` of ours: callers get one opaque text for the values of the key's
 * columns. Each row has exactly one such id.
 */
export class RowKey {
  /** @param columns the properties of the key's columns */
  constructor(readonly columns: readonly string[]) {}

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
    const isKey =
      values?.length === this.columns.length && values.every((value) => typeof value === 'string');
    // Another spelling of the same values would name the same row in another record.
    return isKey && this.idFrom(values) === id ? values : undefined;
  }
}

function parsed(id: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
