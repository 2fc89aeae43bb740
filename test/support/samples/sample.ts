import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Data that is no part of the project. */
export const dataFolder =
  process.env.BEHALF_TEST_DATA ?? join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'data');
export const isThere = (name: string): boolean => existsSync(join(dataFolder, name));

/** Where a row's value of a dimension is: as the SDL says it, and as a condition of plain SQL over the table `t`. */
export interface SampleBound {
  readonly path: string;
  /** @param isIn makes the condition that this column has one of the values, byte for byte */
  readonly sql: (isIn: (column: string) => string) => string;
}

/** A database of some company. */
export interface Sample {
  readonly name: string;
  readonly statements: () => string[];
  /** Dimensions of the company's own, with the values that rows have. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** By table and dimension. */
  readonly bounds: Readonly<Record<string, Readonly<Record<string, SampleBound>>>>;
  /** The columns to filter by, with their conditions, and to sort by: `table.column`. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly sorted: readonly string[];
  /** A column of texts that `changeRow` writes: `table.column`. */
  readonly written: string;
}
